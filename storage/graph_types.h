// The value types of the graph: plain data, no behaviour, shared by every engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace relations {

// The dense number of an entity in one store, given in order of first sight, from 1. Never leaves
// the storage layer.
enum class NodeId : uint64_t {};

// An interned set of groups, the `visibleBy` of an entity or relation. Class 0 is {"public"}.
enum class ClassId : uint32_t {};
inline constexpr ClassId kPublicClass{0};

// An interned relation type.
enum class LabelId : uint32_t {};

// How the end whose list is read takes part in a relation. The values are on disk.
enum class Direction : uint8_t { kOutgoing = 0, kIncoming = 1 };

// How a relation came to be. The values are on disk.
enum class RelationMode : uint8_t { kAssociation = 0, kAggregation = 1 };

// "association" or "aggregation", as clients see it.
absl::string_view RelationModeName(RelationMode mode);

// Parses a mode's name into `*mode`; false, and `*mode` untouched, when it is neither.
bool ParseRelationMode(absl::string_view name, RelationMode* mode);

// A set of group names in canonical form: sorted by bytes, each once.
using GroupSet = std::vector<std::string>;

// Sorts and removes repetitions.
GroupSet CanonicalGroups(std::vector<std::string> groups);

// A group name is 1 to 128 bytes of UTF-8 without comma and control characters.
bool IsGroupName(absl::string_view name);

// Instants run over the years 1 to 9999 in whole nanoseconds, as google.protobuf.Timestamp and RFC
// 3339 do; what is outside is no timestamp.
bool IsTimestamp(absl::Time time);

}  // namespace relations
