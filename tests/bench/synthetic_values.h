// What made-up entities look like: types, main values, tags and attributes in the manner of real
// indicators. All text is ASCII and needs no escaping in JSON.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "relations/v1/relations.pb.h"

namespace relations::bench {

// Where an entity stands in the graph, from which its type follows.
enum class EntityRole {
  // Related to a given number of others: a country.
  kHub,
  // What many are related to: a malware family, an autonomous system, ...
  kGeneral,
  // An indicator: an address, a domain, a hash, ...
  kIndicator,
};

// Hubs are countries, of which two letters tell no more.
inline constexpr uint32_t kHubsMax = 26 * 26;

// The type of an entity; `draw` is any number.
absl::string_view SyntheticType(EntityRole role, uint64_t draw);

// The main value of entity `number` of a type: no other number of the type has it.
std::string SyntheticValue(absl::string_view type, uint32_t number);

// Gives an entity, whose type is set, the attributes (main value included), tags and reputations
// that follow from `draw`.
void FillSyntheticFields(uint64_t draw, const std::string& value, relations::v1::Entity& entity);

// The type of a relation to an entity of the type.
absl::string_view SyntheticRelationType(absl::string_view target_type, uint64_t draw);

}  // namespace relations::bench
