// What types and properties of STIX objects stand for, where a table says it (S3, S5).
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/import/value_normaliser.h"

namespace relations {

// Objects that stand for one entity, made of one property.
struct StixPropertyEntity {
  const char* stix_type;
  const char* property;
  const char* entity_type;
  // Read when the first is absent; may be null.
  const char* other_property = nullptr;
  const char* other_entity_type = nullptr;
};

// The row of `stix_type`; null when its objects are no such ones.
const StixPropertyEntity* FindStixPropertyEntity(absl::string_view stix_type);

// Objects that are no entities and stand for none of their own.
bool IsStixTypeWithoutEntities(absl::string_view stix_type);

// A list of references that are relations from the object.
struct StixReferenceList {
  // Null: any may have it.
  const char* stix_type;
  const char* property;
  const char* relation_type;
};

absl::Span<const StixReferenceList> StixReferenceLists();

// Properties whose words become tags.
absl::Span<const char* const> StixTagProperties();

// CleanValue for the types of objects: one that no table knows has the canonical form of text (M4,
// all other types). INVALID_ARGUMENT when `type` can be no entity type.
absl::StatusOr<TypedValue> CleanStixValue(absl::string_view type, absl::string_view raw);

}  // namespace relations
