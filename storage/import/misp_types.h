// What MISP attributes and galaxy clusters stand for (P3, P5). Stateless and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/import/value_normaliser.h"

namespace relations {

// True when attributes of `type` stand for entities.
bool IsMappedMispType(absl::string_view type);

// The entities of an attribute of a mapped type, cleaned, in the order of its value. What is wrong
// with a part that is no acceptable value is added to `faults`; the other part still counts.
std::vector<TypedValue> MispEntities(absl::string_view type, absl::string_view value,
                                     std::vector<std::string>& faults);

// The entity type of an attribute that an object's template gives a meaning of its own
// (android-app.appid); empty for all others.
absl::string_view TypeInMispObject(absl::string_view object_name,
                                   absl::string_view object_relation);

// The entity type of the clusters of a galaxy; empty when they are none.
absl::string_view MispGalaxyType(absl::string_view galaxy_type);

// The value of a cluster's entity: of "Spearphishing - T1193" the id for techniques and
// mitigations, the name for others.
absl::string_view MispClusterValue(absl::string_view entity_type, absl::string_view value);

struct MispGalaxyTag {
  absl::string_view galaxy_type;
  absl::string_view value;
};
// The parts of misp-galaxy:TYPE="VALUE"; nothing for other tags.
std::optional<MispGalaxyTag> ParseMispGalaxyTag(absl::string_view tag);

}  // namespace relations
