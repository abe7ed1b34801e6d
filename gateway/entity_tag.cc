#include "gateway/entity_tag.h"

#include <xxhash.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace relations::gateway {
namespace {

bool LineNamesTag(absl::string_view line, absl::string_view tag) {
  line = absl::StripAsciiWhitespace(line);
  if (line == "*") {
    return true;
  }
  // A list is split at its quotes, for a tag may hold commas.
  while (!line.empty()) {
    if (absl::StartsWith(line, "W/")) line.remove_prefix(2);
    const size_t end = line.find('"', 1);
    if (line.empty() || line[0] != '"' || end == absl::string_view::npos) {
      return false;
    }
    if (line.substr(0, end + 1) == tag) {
      return true;
    }
    line = absl::StripLeadingAsciiWhitespace(line.substr(end + 1));
    if (!line.empty() && line[0] != ',') {
      return false;
    }
    while (!line.empty() && (line[0] == ',' || line[0] == ' ' || line[0] == '\t')) {
      line.remove_prefix(1);
    }
  }
  return false;
}

}  // namespace

std::string EntityTagOf(absl::string_view body, absl::string_view stop_reason,
                        ContentCoding coding) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(
      body.data(), body.size(), XXH3_64bits(stop_reason.data(), stop_reason.size()));
  const absl::string_view name = CodingName(coding);
  return absl::StrCat("\"", absl::Hex(hash.high64, absl::kZeroPad16),
                      absl::Hex(hash.low64, absl::kZeroPad16), name.empty() ? "" : "-", name, "\"");
}

bool NamesTag(const std::vector<std::string>& if_none_match, absl::string_view tag) {
  for (const std::string& line : if_none_match) {
    if (LineNamesTag(line, tag)) return true;
  }
  return false;
}

}  // namespace relations::gateway
