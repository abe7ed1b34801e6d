// The serialised Entity: its canonical bytes, and the little that the store reads or adds without
// parsing the message.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "relations/v1/relations.pb.h"

namespace relations {

// Serialises an entity in field order, map entries in the order of their keys: the canonical bytes.
std::string SerializeEntity(const relations::v1::Entity& entity);

// The fields that serialised entities start with; views into the bytes they were read from.
struct EntityHead {
  absl::string_view id;
  absl::string_view type;
};

// DATA_LOSS when `wire` does not start with an id and a type.
absl::StatusOr<EntityHead> ReadEntityHead(absl::string_view wire);

// Appends the `visible_by` fields for `groups`.
void AppendVisibleBy(absl::Span<const absl::string_view> groups, std::string& wire);

}  // namespace relations
