#include "storage/ingest/withdrawal.h"

#include <utility>

#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

absl::Status Invalid(absl::string_view param, absl::string_view message) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message, param);
}

absl::Status NothingNamed() {
  return Invalid("entity_id", "an entity or a relation must be named");
}

absl::StatusOr<RelationSelection> SelectionOf(const v1::RelationSelection& request) {
  RelationSelection selection{request.source(), request.target(), request.type(), std::nullopt};
  RelationMode mode{};
  if (!request.mode().empty()) {
    if (!ParseRelationMode(request.mode(), &mode)) {
      return Invalid("mode", "mode must be association or aggregation");
    }
    selection.mode = mode;
  }
  return selection;
}

}  // namespace

absl::StatusOr<Mutations> ReadDeletion(const v1::DeleteRequest& request) {
  Mutations mutations;
  if (request.has_relation()) {
    ASSIGN_OR_RETURN(RelationSelection which, SelectionOf(request.relation()));
    mutations.deleted_relations.push_back({std::move(which)});
    return mutations;
  }
  if (!request.has_entity_id()) return NothingNamed();
  mutations.deleted_entities.push_back({request.entity_id()});
  return mutations;
}

absl::StatusOr<Mutations> ReadNarrowing(const v1::NarrowRequest& request) {
  GroupSet keep = CanonicalGroups({request.visible_by().begin(), request.visible_by().end()});
  Mutations mutations;
  if (request.has_relation()) {
    ASSIGN_OR_RETURN(RelationSelection which, SelectionOf(request.relation()));
    mutations.narrowed_relations.push_back({std::move(which), std::move(keep)});
    return mutations;
  }
  if (!request.has_entity_id()) return NothingNamed();
  mutations.narrowed_entities.push_back({request.entity_id(), std::move(keep)});
  return mutations;
}

}  // namespace relations
