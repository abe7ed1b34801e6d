#include "storage/graph_types.h"

#include <algorithm>

#include "storage/base/json_text.h"
#include "storage/base/limits.h"

namespace relations {

absl::string_view RelationModeName(RelationMode mode) {
  return mode == RelationMode::kAggregation ? "aggregation" : "association";
}

bool ParseRelationMode(absl::string_view name, RelationMode* mode) {
  for (const RelationMode candidate : {RelationMode::kAssociation, RelationMode::kAggregation}) {
    if (name == RelationModeName(candidate)) {
      *mode = candidate;
      return true;
    }
  }
  return false;
}

GroupSet CanonicalGroups(std::vector<std::string> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

bool IsGroupName(absl::string_view name) {
  if (name.empty() || name.size() > limits::kGroupBytesMax || !IsValidUtf8(name)) {
    return false;
  }
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == ',' || byte < 0x20 || byte == 0x7F;
  });
}

bool IsTimestamp(absl::Time time) {
  static const absl::Time kFirst = absl::FromCivil(absl::CivilSecond(1), absl::UTCTimeZone());
  static const absl::Time kEnd = absl::FromCivil(absl::CivilSecond(10000), absl::UTCTimeZone());
  return time >= kFirst && time < kEnd;
}

}  // namespace relations
