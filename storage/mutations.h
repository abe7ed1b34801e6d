// What a store can be told to change. One Mutations is one request: all of it is applied or
// nothing. Its parts are applied in the order of the members of Mutations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_types.h"

namespace relations {

// Removes an entity and every relation of it. NOT_FOUND when there is none of this id.
struct DeleteEntity {
  std::string id;
};

// Some of the relations from one entity to another.
struct RelationSelection {
  std::string source;
  std::string target;
  // Only those of this type; of every type when empty.
  std::string type;
  // Only those of this mode; of both when absent.
  std::optional<RelationMode> mode;
};

// Removes relations. NOT_FOUND when the selection is empty.
struct DeleteRelations {
  RelationSelection which;
};

// Takes groups away: of those that may see the entity only `keep` still may, and no relation of it
// is seen by others; one that nobody could see any more is removed. NOT_FOUND when there is no such
// entity, INVALID_ARGUMENT when `keep` is empty or names a group that could not see it before.
struct NarrowEntity {
  std::string id;
  // Canonical.
  GroupSet keep;
};

// The same of relations. INVALID_ARGUMENT when one of them would be seen by nobody: it is to be
// deleted instead.
struct NarrowRelations {
  RelationSelection which;
  GroupSet keep;
};

// The complete new record: replaces the entity of this id or creates it. `visible_by` must be
// canonical (CanonicalGroups) and not empty. Idempotent.
struct PutEntity {
  relations::v1::Entity entity;
};

// Replaces or creates a relation. Idempotent.
struct PutRelation {
  std::string source;
  std::string target;
  std::string type;
  RelationMode mode = RelationMode::kAssociation;
  absl::Time last_seen;
  // Canonical and not empty.
  GroupSet visible_by;
};

// What one reporter says of an entity, to be merged with what is known of it (consolidation.h).
// INVALID_ARGUMENT when the two together break a limit.
struct ReportEntity {
  // As MergeReport takes it, with accuracy 0: the store counts reporters.
  relations::v1::Entity entity;
  // Stands for who reports; the same for the same one.
  uint64_t reporter = 0;
};

// What one reporter says of a relation between two entities.
struct ReportRelation {
  enum class Ends {
    // Reported by the same request.
    kReported,
    // Any that `visible_by` may see: NOT_FOUND otherwise, whether it exists or not.
    kVisible,
  };
  std::string source;
  std::string target;
  std::string type;
  RelationMode mode = RelationMode::kAssociation;
  absl::Time last_seen;
  // The relation becomes visible to what both ends share of these, besides those that see it
  // already. INVALID_ARGUMENT when that is nobody.
  GroupSet visible_by;
  Ends ends = Ends::kReported;
};

struct Mutations {
  std::vector<DeleteEntity> deleted_entities;
  std::vector<DeleteRelations> deleted_relations;
  std::vector<NarrowEntity> narrowed_entities;
  std::vector<NarrowRelations> narrowed_relations;
  // Entities before relations: relations may name entities of the same request.
  std::vector<PutEntity> entities;
  std::vector<PutRelation> relations;
  std::vector<ReportEntity> entity_reports;
  std::vector<ReportRelation> relation_reports;
};

}  // namespace relations
