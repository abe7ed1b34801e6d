// What calls that stream have in common: their errors, and how they end: one line of the log, one
// measurement, one status.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"
#include "server/unary_call.h"

namespace relations {

// The credentials of an open stream are looked at again when they were last found good this long
// ago.
inline constexpr std::chrono::seconds kCredentialsTrusted{1};

absl::Status StreamUnavailable(absl::string_view message);
absl::Status RoleMissing();
absl::Status TooManyCalls();

// Whose streams a caller's are.
const std::string& OwnerOf(const Principal& principal);

// What the log and the metrics say of a stream that ends.
struct StreamAccount {
  const char* method = "";
  absl::string_view request_id;
  absl::string_view user_id;
  absl::string_view credential_id;
  // What the log knows better than the client; empty where the status says it.
  absl::string_view cause;
  // Answers, and what they told of.
  uint64_t messages = 0;
  uint64_t items = 0;
  uint64_t refused = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  std::chrono::steady_clock::time_point arrived;
};

// Logs and measures the end of a stream and gives the status to finish it with.
grpc::Status EndOfStream(const CallEnvironment& environment, const StreamAccount& account,
                         const absl::Status& end);

}  // namespace relations
