// JSON put together from pieces that are JSON themselves, for documents that are made once. Not for
// answers: those are written in one go (json_writer.h).
//
//   JsonObject({{"type", JsonText("string")}, {"enum", JsonList({JsonText("a")})}})
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace relations::gateway {

using JsonMembers = std::vector<std::pair<std::string, std::string>>;

// `text` as a JSON string. REQUIRES: valid UTF-8.
std::string JsonText(absl::string_view text);
// A list of values, and one of strings.
std::string JsonList(const std::vector<std::string>& values);
std::string JsonTexts(const std::vector<std::string>& texts);
// In the order given.
std::string JsonObject(const JsonMembers& members);

}  // namespace relations::gateway
