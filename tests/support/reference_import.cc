#include "tests/support/reference_import.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"

namespace relations {
namespace {

GroupSet GroupsOf(const v1::Entity& entity) {
  return {entity.visible_by().begin(), entity.visible_by().end()};
}

std::string TextOf(const PutRelation& relation) {
  return absl::StrCat(relation.source, " ", relation.type, " ", RelationModeName(relation.mode),
                      " ", relation.target, " ",
                      absl::FormatTime(relation.last_seen, absl::UTCTimeZone()), " [",
                      absl::StrJoin(relation.visible_by, ","), "]");
}

template <typename Map, typename Text>
std::string MapDifference(const Map& expected, const Map& found, const Text& text) {
  for (const auto& [key, value] : expected) {
    const auto other = found.find(key);
    if (other == found.end()) return absl::StrCat("missing: ", text(value));
    if (text(other->second) != text(value)) {
      return absl::StrCat("expected ", text(value), ", found ", text(other->second));
    }
  }
  for (const auto& [key, value] : found) {
    if (!expected.contains(key)) return absl::StrCat("unexpected: ", text(value));
  }
  return "";
}

}  // namespace

absl::Status ReferenceImport::OnEntity(relations::v1::Entity entity,
                                       const ImportPosition& position) {
  const std::string id = entity.id();
  const auto found = entities_.find(id);
  if (found == entities_.end()) {
    entities_.emplace(id, Reported{std::move(entity), position});
    return absl::OkStatus();
  }
  v1::Entity merged = found->second.entity;
  const absl::Status status = MergeReport(entity, &merged);
  if (!status.ok()) return OnRejected(position, status.message());
  found->second.entity = merged;
  return absl::OkStatus();
}

absl::Status ReferenceImport::OnRelation(ImportedRelation relation,
                                         const ImportPosition& position) {
  if (relation.source != relation.target) relations_.emplace_back(std::move(relation), position);
  return absl::OkStatus();
}

absl::Status ReferenceImport::OnRejected(const ImportPosition& position, absl::string_view reason) {
  result_.rejections.push_back(absl::StrCat(position.file, ":", position.line, ": ", reason));
  return absl::OkStatus();
}

ReferenceImport::Result ReferenceImport::Finish(ModelGraph::State* state) {
  for (const auto& [id, reported] : entities_) {
    const auto stored = state->entities.find(id);
    if (stored == state->entities.end()) {
      state->entities.emplace(id, reported.entity);
      ++result_.entities;
      continue;
    }
    v1::Entity merged = stored->second;
    const absl::Status status = MergeReport(reported.entity, &merged);
    if (!status.ok()) {
      OnRejected(reported.first, status.message()).IgnoreError();
      continue;
    }
    stored->second = merged;
    ++result_.entities;
  }
  std::map<ModelGraph::RelationKey, bool> seen;
  for (const auto& [relation, position] : relations_) {
    const auto source = state->entities.find(relation.source);
    const auto target = state->entities.find(relation.target);
    if (source == state->entities.end() || target == state->entities.end()) {
      OnRejected(position,
                 absl::StrCat("there is no entity ",
                              source == state->entities.end() ? relation.source : relation.target,
                              " for this relation, neither stored nor in the import"))
          .IgnoreError();
      continue;
    }
    GroupSet groups = SharedGroups(GroupsOf(source->second), GroupsOf(target->second));
    if (relation.visible_by.has_value()) groups = SharedGroups(groups, *relation.visible_by);
    if (groups.empty()) {
      OnRejected(position,
                 relation.visible_by.has_value()
                     ? "nobody could see the relation: visibleBy names no group that both of its "
                       "entities share"
                     : "nobody could see the relation: its entities share no group")
          .IgnoreError();
      continue;
    }
    const absl::Time time = relation.last_seen.value_or(
        std::min(TimeOf(source->second.last_seen()), TimeOf(target->second.last_seen())));
    const ModelGraph::RelationKey key{relation.source, relation.target, relation.type,
                                      relation.mode};
    seen[key] = true;
    const auto [place, is_new] = state->relations.try_emplace(
        key,
        PutRelation{relation.source, relation.target, relation.type, relation.mode, time, groups});
    if (!is_new) {
      place->second.last_seen = std::max(place->second.last_seen, time);
      place->second.visible_by = UnitedGroups(place->second.visible_by, groups);
    }
  }
  result_.relations = seen.size();
  std::sort(result_.rejections.begin(), result_.rejections.end());
  return result_;
}

ModelGraph::State StateOf(const RocksDatabase& database) {
  ModelGraph::State state;
  std::map<uint32_t, GroupSet> classes = {{0, {"public"}}};
  std::map<uint32_t, std::string> labels;
  std::map<uint64_t, std::string> ids;
  const auto for_each = [&](Family family, const auto& use) {
    const absl::Status status =
        database.ForEach(family, {}, [&](absl::string_view key, absl::string_view value) {
          use(key, value);
          return absl::OkStatus();
        });
    if (!status.ok()) std::abort();
  };
  for_each(Family::kVisibility, [&](absl::string_view key, absl::string_view value) {
    classes[*NumberOfKey(key)] = *DecodeGroups(value);
  });
  for_each(Family::kLabels, [&](absl::string_view key, absl::string_view value) {
    labels[*NumberOfKey(key)] = std::string(value);
  });
  for_each(Family::kEntities, [&](absl::string_view key, absl::string_view value) {
    const EntityRecord record = *DecodeEntityRecord(value);
    // One that is being deleted is not there.
    if (record.visibility == kNobodyClass) return;
    v1::Entity entity;
    entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size()));
    const GroupSet& groups = classes.at(static_cast<uint32_t>(record.visibility));
    entity.mutable_visible_by()->Assign(groups.begin(), groups.end());
    ids[static_cast<uint64_t>(*NodeOfKey(key))] = entity.id();
    state.entities[entity.id()] = entity;
  });
  for_each(Family::kRelations, [&](absl::string_view key, absl::string_view value) {
    const NodePair pair = *PairOfKey(key);
    if (!ids.contains(static_cast<uint64_t>(pair.source)) ||
        !ids.contains(static_cast<uint64_t>(pair.target))) {
      return;
    }
    const auto relations = DecodePairRelations(value);
    for (const PairRelation& relation : *relations) {
      PutRelation put{ids.at(static_cast<uint64_t>(pair.source)),
                      ids.at(static_cast<uint64_t>(pair.target)),
                      labels.at(static_cast<uint32_t>(relation.type)),
                      relation.mode,
                      relation.last_seen,
                      classes.at(static_cast<uint32_t>(relation.visibility))};
      state.relations[{put.source, put.target, put.type, put.mode}] = put;
    }
  });
  return state;
}

std::string Difference(const ModelGraph::State& expected, const ModelGraph::State& found) {
  const std::string entities =
      MapDifference(expected.entities, found.entities,
                    [](const v1::Entity& entity) { return entity.DebugString(); });
  if (!entities.empty()) return entities;
  return MapDifference(expected.relations, found.relations, TextOf);
}

}  // namespace relations
