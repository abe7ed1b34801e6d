// The part of GraphWriter that takes away: deletions and narrowings, in one batch or, where an
// entity has too many relations, in steps.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "rocksdb/db.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/mutation_rules.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/graph_writer.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

constexpr NodeId kUnknown = WriteOverlay::kUnknown;

bool Covers(const GroupSet& keep, const GroupSet& groups) {
  return std::includes(keep.begin(), keep.end(), groups.begin(), groups.end());
}

}  // namespace

absl::StatusOr<std::vector<GraphWriter::Place>> GraphWriter::Select(
    const RelationSelection& which) {
  ASSIGN_OR_RETURN(const NodeId source, overlay_.Resolve(which.source));
  ASSIGN_OR_RETURN(const NodeId target, overlay_.Resolve(which.target));
  std::vector<Place> places;
  if (source == kUnknown || target == kUnknown || source == target) return NoSuchRelation();
  const PairNodes nodes{source, target};
  ASSIGN_OR_RETURN(const std::vector<PairRelation>* const relations, overlay_.Relations(nodes));
  for (const PairRelation& relation : *relations) {
    if (which.mode.has_value() && relation.mode != *which.mode) continue;
    if (!which.type.empty()) {
      ASSIGN_OR_RETURN(const LabelId type, changes_.InternLabel(which.type));
      if (relation.type != type) continue;
    }
    places.push_back({nodes, relation.type, relation.mode});
  }
  if (places.empty()) return NoSuchRelation();
  return places;
}

absl::Status GraphWriter::Delete(const DeleteRelations& deletion) {
  ASSIGN_OR_RETURN(const std::vector<Place> places, Select(deletion.which));
  for (const Place& place : places) RETURN_IF_ERROR(Restrict(place, {}));
  return absl::OkStatus();
}

absl::Status GraphWriter::Narrow(const NarrowRelations& narrowing) {
  ASSIGN_OR_RETURN(const std::vector<Place> places, Select(narrowing.which));
  for (const Place& place : places) {
    ASSIGN_OR_RETURN(const std::vector<PairRelation>* const all, overlay_.Relations(place.nodes));
    const auto relation = std::find_if(all->begin(), all->end(), [&](const PairRelation& other) {
      return other.type == place.type && other.mode == place.mode;
    });
    ASSIGN_OR_RETURN(const GroupSet* const groups, changes_.Groups(relation->visibility));
    RETURN_IF_ERROR(CheckNarrowing(narrowing.keep, *groups));
    RETURN_IF_ERROR(Restrict(place, narrowing.keep));
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::Delete(const DeleteEntity& deletion) {
  ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(deletion.id));
  if (node == kUnknown) return NoSuchEntity();
  ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*change->after.record));
  relations::v1::Entity entity;
  if (!entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size()))) {
    return absl::DataLossError("an entity record does not parse");
  }
  overlay_.SetNode(deletion.id, kUnknown);
  overlay_.SetEntity(node, {kNobodyClass, std::make_shared<const std::string>(EncodeEntityRecord(
                                              entity, kNobodyClass, record.reporters))});
  return Revise(node);
}

absl::Status GraphWriter::Narrow(const NarrowEntity& narrowing) {
  ASSIGN_OR_RETURN(const NodeId node, overlay_.Resolve(narrowing.id));
  if (node == kUnknown) return NoSuchEntity();
  ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
  ASSIGN_OR_RETURN(const relations::v1::Entity entity, Parse(change->after));
  RETURN_IF_ERROR(
      CheckNarrowing(narrowing.keep, {entity.visible_by().begin(), entity.visible_by().end()}));
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*change->after.record));
  RETURN_IF_ERROR(SetRecord(entity, narrowing.keep, std::string(record.reporters)));
  return Revise(node);
}

absl::Status GraphWriter::AddRevision(NodeId node) {
  const WriteOverlay::Mark mark = overlay_.SetMark();
  const absl::Status status = Revise(node);
  if (!status.ok()) overlay_.TakeBack(mark);
  return status;
}

absl::Status GraphWriter::Revise(NodeId node) {
  ASSIGN_OR_RETURN(const WriteOverlay::EntityChange* const change, overlay_.Find(node));
  const bool to_be_deleted = change->after.visibility == kNobodyClass;
  GroupSet keep;
  if (!to_be_deleted) {
    ASSIGN_OR_RETURN(const GroupSet* const groups, changes_.Groups(change->after.visibility));
    keep = *groups;
  }
  ASSIGN_OR_RETURN(std::vector<Place> places,
                   RelationsBeyond(node, keep, limits::kRevisionStepRelations + 1));
  const bool complete = places.size() <= limits::kRevisionStepRelations;
  if (!complete) places.pop_back();
  std::vector<PairNodes> pairs;
  pairs.reserve(places.size());
  std::vector<NodeId> neighbours;
  neighbours.reserve(places.size());
  for (const Place& place : places) {
    pairs.push_back(place.nodes);
    neighbours.push_back(place.nodes.first == node ? place.nodes.second : place.nodes.first);
  }
  RETURN_IF_ERROR(overlay_.LoadPairs(pairs));
  RETURN_IF_ERROR(overlay_.LoadEntities(neighbours));
  for (const Place& place : places) RETURN_IF_ERROR(Restrict(place, keep));
  if (!complete) {
    unfinished_.insert(node);
    return absl::OkStatus();
  }
  finished_.insert(node);
  if (to_be_deleted) {
    overlay_.SetEntity(node, {kNobodyClass, nullptr});
    gone_.insert(node);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<GraphWriter::Place>> GraphWriter::RelationsBeyond(NodeId node,
                                                                             const GroupSet& keep,
                                                                             size_t most) const {
  std::vector<Place> places;
  AdjacencyBlock block;
  // False when there are enough.
  const auto take = [&](absl::string_view value) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(DecodeAdjacencyBlock(value, &block));
    for (const AdjacentRelation& entry : block.entries) {
      if (places.size() == most) return false;
      const PairNodes nodes = entry.direction == Direction::kOutgoing
                                  ? PairNodes{node, entry.neighbour}
                                  : PairNodes{entry.neighbour, node};
      places.push_back({nodes, entry.type, entry.mode});
    }
    return true;
  };
  const auto covered = [&](ClassId visibility) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const GroupSet* const groups, changes_.Groups(visibility));
    return Covers(keep, *groups);
  };
  const std::unique_ptr<rocksdb::Iterator> iterator(store_->database_->db().NewIterator(
      rocksdb::ReadOptions(), store_->database_->family(Family::kAdjacency)));
  const std::string prefix = NodeKey(node);
  iterator->Seek(prefix);
  while (iterator->Valid() && absl::StartsWith(View(iterator->key()), prefix)) {
    ASSIGN_OR_RETURN(const AdjacencyKey key, ParseAdjacencyKey(View(iterator->key())));
    if (key.is_directory()) {
      ASSIGN_OR_RETURN(const ListDirectory directory, DecodeListDirectory(View(iterator->value())));
      for (const ListDirectory::List& list : directory.lists) {
        if (list.apart()) continue;
        ASSIGN_OR_RETURN(const bool stays, covered(list.visibility));
        if (stays) continue;
        ASSIGN_OR_RETURN(const bool more, take(list.block));
        if (!more) return places;
      }
      break;
    }
    ASSIGN_OR_RETURN(const bool stays, covered(key.visibility));
    if (stays) {
      // Past all blocks of this list.
      iterator->Seek(ListKey(node, ClassId{static_cast<uint32_t>(key.visibility) + 1}));
      continue;
    }
    ASSIGN_OR_RETURN(const bool more, take(View(iterator->value())));
    if (!more) return places;
    iterator->Next();
  }
  RETURN_IF_ERROR(FromRocks(iterator->status(), "scanning adjacency"));
  return places;
}

absl::Status GraphWriter::Restrict(const Place& place, const GroupSet& keep) {
  ASSIGN_OR_RETURN(const std::vector<PairRelation>* const before, overlay_.Relations(place.nodes));
  std::vector<PairRelation> after = *before;
  const auto relation = std::find_if(after.begin(), after.end(), [&](const PairRelation& other) {
    return other.type == place.type && other.mode == place.mode;
  });
  // Another part of the same request may have removed it.
  if (relation == after.end()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const GroupSet* const groups, changes_.Groups(relation->visibility));
  const GroupSet left = SharedGroups(*groups, keep);
  if (left.empty()) {
    after.erase(relation);
  } else {
    ASSIGN_OR_RETURN(relation->visibility, changes_.Intern(left));
  }
  overlay_.SetRelations(place.nodes, std::move(after));
  return absl::OkStatus();
}

}  // namespace relations
