// Things of several parts (M6): a file with its hashes, an object of an event. One part is the
// anchor and gets a relation to each other part.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace relations {

// The place of an entity type in the order of anchors: the part with the least is the anchor,
// among equals the first.
size_t AnchorRank(absl::string_view type);

// The type of the relation from a thing's anchor to another of its parts.
absl::string_view PartRelationType(absl::string_view anchor_type, absl::string_view part_type);

// The entity type of a hash kind as feeds name it ("SHA-256", "sha256", "sha512/224"): compared
// without case and punctuation. Empty for kinds that are not mapped.
absl::string_view HashType(absl::string_view name);

// True for the types that HashType gives.
bool IsHashType(absl::string_view type);

}  // namespace relations
