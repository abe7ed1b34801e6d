// Members that MISP's events, objects and attributes share. Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/import/json_document.h"

namespace relations {

// `deleted` as MISP writes it: true, 1, "1", "true".
bool IsMispDeleted(const JsonObject& json);

// "attribute UUID", or its number where it has none.
std::string MispNameOf(absl::string_view kind, const JsonObject& json, uint64_t number);

// The time that `key` gives in seconds since 1970.
std::optional<absl::Time> MispTime(const JsonObject& json, absl::string_view key);

// The names of all tags, as long as the document lives.
std::vector<absl::string_view> MispTagNames(const JsonObject& json);
// Of those that name no galaxy cluster.
std::vector<std::string> MispPlainTags(const JsonObject& json);

// True for the index of a feed: an object of event summaries by UUID.
bool IsMispManifest(const JsonObject& root);

}  // namespace relations
