#include "storage/mutation_rules.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"

namespace relations {
namespace {

absl::Status CheckGroups(absl::string_view whose, const GroupSet& groups) {
  if (groups.empty() || groups.size() > limits::kVisibleByMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(whose, ": visibleBy must name 1 to ", limits::kVisibleByMax, " groups"));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!IsGroupName(groups[i]) || (i > 0 && groups[i - 1] >= groups[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(whose, ": visibleBy is not a canonical set of group names"));
    }
  }
  return absl::OkStatus();
}

absl::Status Refused(absl::string_view message, absl::string_view param = {}) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message, param);
}

}  // namespace

absl::Status CheckEntity(const relations::v1::Entity& entity) {
  if (!IsEntityId(entity.id())) {
    return absl::InvalidArgumentError("an entity's id is not of the form of an id");
  }
  if (entity.type().empty() || entity.type().size() > limits::kTypeBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(entity.id(), ": its type must have 1 to ", limits::kTypeBytesMax, " bytes"));
  }
  return CheckGroups(entity.id(), {entity.visible_by().begin(), entity.visible_by().end()});
}

absl::Status CheckRelation(const PutRelation& relation) {
  const std::string whose = absl::StrCat(relation.source, " -> ", relation.target);
  if (relation.source == relation.target) {
    return absl::FailedPreconditionError(
        absl::StrCat(whose, ": a relation needs two different entities"));
  }
  if (relation.type.empty() || relation.type.size() > limits::kRelationTypeBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(whose, ": a relation's type must have 1 to ",
                                                   limits::kRelationTypeBytesMax, " bytes"));
  }
  if (!IsTimestamp(relation.last_seen)) {
    return absl::InvalidArgumentError(absl::StrCat(whose, ": lastSeen is out of range"));
  }
  return CheckGroups(whose, relation.visible_by);
}

absl::Status CheckRecordSize(absl::string_view id, size_t bytes) {
  if (bytes <= limits::kEntityRecordBytesMax) return absl::OkStatus();
  return Refused(absl::StrCat(id, ": the record would be larger than ",
                              limits::kEntityRecordBytesMax, " bytes"));
}

absl::Status TooManyRelations(absl::string_view whose) {
  return Refused(absl::StrCat(whose, ": more than ", limits::kRelationsPerPairMax,
                              " relations of different type or mode"));
}

absl::Status MergeForReporter(const relations::v1::Entity& report, relations::v1::Entity* entity) {
  const absl::Status merged = MergeReport(report, entity);
  if (merged.code() != absl::StatusCode::kInvalidArgument) return merged;
  return Refused(
      "together with what is known already the entity would have more tags, groups or attributes "
      "than are accepted");
}

void Assess(size_t reporters, relations::v1::Entity* entity) {
  entity->set_accuracy(std::max(entity->accuracy(), static_cast<int32_t>(reporters)));
  const bool harmless = std::find(entity->tags().begin(), entity->tags().end(), kWellKnownTag) !=
                        entity->tags().end();
  if (harmless) entity->set_reputation(std::max(entity->reputation(), 0));
}

absl::StatusOr<GroupSet> GroupsOfReport(const ReportRelation& report, const GroupSet* source,
                                        const GroupSet* target) {
  if (report.source == report.target) {
    return Refused("a relation needs two different entities");
  }
  for (const GroupSet* const end : {source, target}) {
    if (end == nullptr || (report.ends == ReportRelation::Ends::kVisible &&
                           SharedGroups(*end, report.visible_by).empty())) {
      return PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such entity");
    }
  }
  GroupSet shared = SharedGroups(SharedGroups(*source, *target), report.visible_by);
  if (shared.empty()) {
    return Refused("the two entities of a relation share no group that the reporter holds");
  }
  return shared;
}

absl::Status NoSuchEntity() {
  return PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such entity");
}

absl::Status NoSuchRelation() {
  return PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such relation");
}

absl::Status CheckNarrowing(const GroupSet& keep, const GroupSet& groups) {
  if (keep.empty()) {
    return Refused("name at least one group that keeps sight of it, or delete it", "visibleBy");
  }
  if (!std::includes(groups.begin(), groups.end(), keep.begin(), keep.end())) {
    return Refused("visibleBy can only be narrowed: it names a group that cannot see it now",
                   "visibleBy");
  }
  return absl::OkStatus();
}

}  // namespace relations
