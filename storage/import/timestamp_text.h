// Times as feeds write them. Stateless and thread-safe; what is no timestamp of the years 1 to 9999
// gives nothing.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace relations {

// RFC 3339 with Z or an offset and at most nine digits of fraction.
std::optional<absl::Time> ParseRfc3339(absl::string_view text);

// Seconds since 1970 in decimal, as MISP has them; "0" stands for no time and gives nothing.
std::optional<absl::Time> ParseUnixSeconds(absl::string_view text);

// YYYY-MM-DD: the start of that day in UTC.
std::optional<absl::Time> ParseDay(absl::string_view text);

// `time`, which is a timestamp (IsTimestamp), cut to nanoseconds.
google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace relations
