#include "storage/rocks/graph_writer.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/mutation_rules.h"
#include "storage/rocks/key_format.h"

namespace relations {
namespace {

constexpr NodeId kUnknown = WriteOverlay::kUnknown;

auto TypeAndMode(const PairRelation& relation) {
  return std::make_tuple(relation.type, relation.mode);
}

bool IsAlreadyReporter(absl::string_view reporters, absl::string_view reporter) {
  for (size_t i = 0; i + kReporterBytes <= reporters.size(); i += kReporterBytes) {
    if (reporters.substr(i, kReporterBytes) == reporter) return true;
  }
  return false;
}

// The ids that a request names.
void AddIds(const Mutations& mutations, std::vector<absl::string_view>* ids) {
  for (const auto& put : mutations.entities) ids->push_back(put.entity.id());
  for (const auto& report : mutations.entity_reports) ids->push_back(report.entity.id());
  for (const auto& put : mutations.relations) {
    ids->push_back(put.source);
    ids->push_back(put.target);
  }
  for (const auto& report : mutations.relation_reports) {
    ids->push_back(report.source);
    ids->push_back(report.target);
  }
}

}  // namespace

GraphWriter::GraphWriter(RocksGraphStore* store)
    : store_(store), changes_(store), overlay_(store->database_, changes_.next_node()) {}

absl::Status GraphWriter::Prepare(absl::Span<const Mutations* const> group) {
  std::vector<absl::string_view> ids;
  for (const Mutations* const mutations : group) AddIds(*mutations, &ids);
  RETURN_IF_ERROR(overlay_.LoadIds(ids));
  std::vector<NodeId> nodes;
  nodes.reserve(ids.size());
  for (const absl::string_view id : ids) {
    ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(id));
    nodes.push_back(node);
  }
  RETURN_IF_ERROR(overlay_.LoadEntities(nodes));
  std::vector<PairNodes> pairs;
  const auto add_pair = [&](absl::string_view source, absl::string_view target) -> absl::Status {
    ASSIGN_OR_RETURN(const NodeId from, overlay_.Resolve(source));
    ASSIGN_OR_RETURN(const NodeId to, overlay_.Resolve(target));
    if (from != kUnknown && to != kUnknown) pairs.emplace_back(from, to);
    return absl::OkStatus();
  };
  for (const Mutations* const mutations : group) {
    for (const auto& put : mutations->relations) {
      RETURN_IF_ERROR(add_pair(put.source, put.target));
    }
    for (const auto& report : mutations->relation_reports) {
      RETURN_IF_ERROR(add_pair(report.source, report.target));
    }
  }
  return overlay_.LoadPairs(pairs);
}

template <typename Part>
absl::Status GraphWriter::AddAll(const std::vector<Part>& parts,
                                 absl::Status (GraphWriter::*add)(const Part&)) {
  for (const Part& part : parts) RETURN_IF_ERROR((this->*add)(part));
  return absl::OkStatus();
}

absl::Status GraphWriter::Add(const Mutations& mutations) {
  const WriteOverlay::Mark mark = overlay_.SetMark();
  const auto add = [&]() -> absl::Status {
    RETURN_IF_ERROR(AddAll(mutations.deleted_entities, &GraphWriter::Delete));
    RETURN_IF_ERROR(AddAll(mutations.deleted_relations, &GraphWriter::Delete));
    RETURN_IF_ERROR(AddAll(mutations.narrowed_entities, &GraphWriter::Narrow));
    RETURN_IF_ERROR(AddAll(mutations.narrowed_relations, &GraphWriter::Narrow));
    RETURN_IF_ERROR(AddAll(mutations.entities, &GraphWriter::Put));
    RETURN_IF_ERROR(AddAll(mutations.relations, &GraphWriter::Put));
    RETURN_IF_ERROR(AddAll(mutations.entity_reports, &GraphWriter::Report));
    return AddAll(mutations.relation_reports, &GraphWriter::Report);
  };
  const absl::Status status = add();
  if (!status.ok()) overlay_.TakeBack(mark);
  return status;
}

absl::StatusOr<relations::v1::Entity> GraphWriter::Parse(const WriteOverlay::Entity& stored) const {
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*stored.record));
  ASSIGN_OR_RETURN(const GroupSet* const groups, changes_.Groups(record.visibility));
  relations::v1::Entity entity;
  if (!entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size()))) {
    return absl::DataLossError("an entity record does not parse");
  }
  entity.mutable_visible_by()->Assign(groups->begin(), groups->end());
  return entity;
}

absl::Status GraphWriter::SetRecord(const relations::v1::Entity& entity, const GroupSet& groups,
                                    absl::string_view reporters) {
  ASSIGN_OR_RETURN(const ClassId visibility, changes_.Intern(groups));
  auto record =
      std::make_shared<const std::string>(EncodeEntityRecord(entity, visibility, reporters));
  RETURN_IF_ERROR(CheckRecordSize(entity.id(), record->size()));
  ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(entity.id()));
  if (node == kUnknown) {
    const NodeId created = changes_.NewNode();
    overlay_.SetNode(entity.id(), created);
    overlay_.AddEntity(created, entity.id(), {visibility, std::move(record)});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
  if (change->after.visibility != visibility && store_->revisions_.contains(node)) {
    // Widened before all its relations were narrowed: those that were not yet stay as they are.
    ASSIGN_OR_RETURN(const GroupSet* const before, changes_.Groups(change->after.visibility));
    feed_broken_ |= !std::includes(before->begin(), before->end(), groups.begin(), groups.end());
  }
  overlay_.SetEntity(node, {visibility, std::move(record)});
  return absl::OkStatus();
}

absl::Status GraphWriter::SetRelation(const PairNodes& nodes, const PairRelation& relation,
                                      absl::string_view whose) {
  ASSIGN_OR_RETURN(const std::vector<PairRelation>* const before, overlay_.Relations(nodes));
  std::vector<PairRelation> after = *before;
  const auto place = std::lower_bound(
      after.begin(), after.end(), relation,
      [](const PairRelation& a, const PairRelation& b) { return TypeAndMode(a) < TypeAndMode(b); });
  if (place != after.end() && TypeAndMode(*place) == TypeAndMode(relation)) {
    *place = relation;
  } else if (after.size() >= limits::kRelationsPerPairMax) {
    return TooManyRelations(whose);
  } else {
    after.insert(place, relation);
  }
  overlay_.SetRelations(nodes, std::move(after));
  return absl::OkStatus();
}

absl::Status GraphWriter::Put(const PutEntity& put) {
  RETURN_IF_ERROR(CheckEntity(put.entity));
  const GroupSet groups(put.entity.visible_by().begin(), put.entity.visible_by().end());
  ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(put.entity.id()));
  std::string reporters;
  if (node != kUnknown) {
    ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*change->after.record));
    reporters = std::string(record.reporters);
    // Its relations keep their groups, so some may come or go untold.
    ASSIGN_OR_RETURN(const GroupSet* const before, changes_.Groups(record.visibility));
    feed_broken_ |= *before != groups;
  }
  return SetRecord(put.entity, groups, reporters);
}

absl::Status GraphWriter::Put(const PutRelation& put) {
  RETURN_IF_ERROR(CheckRelation(put));
  ASSIGN_OR_RETURN(const NodeId source, overlay_.Resolve(put.source));
  ASSIGN_OR_RETURN(const NodeId target, overlay_.Resolve(put.target));
  const std::string whose = absl::StrCat(put.source, " -> ", put.target);
  if (source == kUnknown || target == kUnknown) {
    return absl::FailedPreconditionError(
        absl::StrCat(whose, ": there is no entity ", source == kUnknown ? put.source : put.target));
  }
  PairRelation relation;
  ASSIGN_OR_RETURN(relation.type, changes_.InternLabel(put.type));
  ASSIGN_OR_RETURN(relation.visibility, changes_.Intern(put.visible_by));
  relation.mode = put.mode;
  relation.last_seen = put.last_seen;
  return SetRelation({source, target}, relation, whose);
}

absl::Status GraphWriter::Report(const ReportEntity& report) {
  RETURN_IF_ERROR(CheckEntity(report.entity));
  std::string reporter;
  PutU64(report.reporter, reporter);
  std::string reporters;
  relations::v1::Entity entity;
  ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(report.entity.id()));
  if (node == kUnknown) {
    entity = report.entity;
  } else {
    ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
    ASSIGN_OR_RETURN(entity, Parse(change->after));
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*change->after.record));
    reporters = std::string(record.reporters);
    RETURN_IF_ERROR(MergeForReporter(report.entity, &entity));
  }
  if (reporters.size() < kReportersMax * kReporterBytes &&
      !IsAlreadyReporter(reporters, reporter)) {
    reporters += reporter;
  }
  Assess(reporters.size() / kReporterBytes, &entity);
  return SetRecord(entity, {entity.visible_by().begin(), entity.visible_by().end()}, reporters);
}

absl::Status GraphWriter::Report(const ReportRelation& report) {
  ASSIGN_OR_RETURN(const NodeId source, overlay_.Resolve(report.source));
  ASSIGN_OR_RETURN(const NodeId target, overlay_.Resolve(report.target));
  const GroupSet* ends[] = {nullptr, nullptr};
  for (size_t i = 0; i < 2; ++i) {
    const NodeId node = i == 0 ? source : target;
    if (node == kUnknown) continue;
    ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
    ASSIGN_OR_RETURN(ends[i], changes_.Groups(change->after.visibility));
  }
  ASSIGN_OR_RETURN(GroupSet groups, GroupsOfReport(report, ends[0], ends[1]));
  const PairNodes nodes{source, target};
  PairRelation relation;
  ASSIGN_OR_RETURN(relation.type, changes_.InternLabel(report.type));
  relation.mode = report.mode;
  relation.last_seen = report.last_seen;
  ASSIGN_OR_RETURN(const std::vector<PairRelation>* const known, overlay_.Relations(nodes));
  for (const PairRelation& before : *known) {
    if (TypeAndMode(before) != TypeAndMode(relation)) continue;
    relation.last_seen = std::max(relation.last_seen, before.last_seen);
    ASSIGN_OR_RETURN(const GroupSet* const seen_by, changes_.Groups(before.visibility));
    groups = SharedGroups(UnitedGroups(groups, *seen_by), SharedGroups(*ends[0], *ends[1]));
  }
  ASSIGN_OR_RETURN(relation.visibility, changes_.Intern(groups));
  return SetRelation(nodes, relation, absl::StrCat(report.source, " -> ", report.target));
}

}  // namespace relations
