// One object of a JSON Lines import as an entity or a relation. Ids are taken as given; everything
// is checked against the limits of records.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "relations/v1/relations.pb.h"
#include "storage/import/import_sink.h"
#include "storage/import/importer.h"
#include "storage/import/json_document.h"

namespace relations {

// True when the object has `source` and `target`: it is a relation, else an entity.
bool IsRelationRecord(const JsonObject& object);

// An object shaped like a node of the REST answer. `id` and `type` are needed; others may be
// absent or null. Keys that mean nothing are added to `unknown_keys`. INVALID_ARGUMENT with the
// key at fault.
absl::StatusOr<relations::v1::Entity> ReadEntityRecord(const JsonObject& object,
                                                       const ImportOptions& options,
                                                       std::vector<std::string>& unknown_keys);

// source, target and optionally type, mode, lastSeen and visibleBy; otherwise the same.
absl::StatusOr<ImportedRelation> ReadRelationRecord(const JsonObject& object,
                                                    std::vector<std::string>& unknown_keys);

}  // namespace relations
