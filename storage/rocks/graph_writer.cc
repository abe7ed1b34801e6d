#include "storage/rocks/graph_writer.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

constexpr NodeId kUnknown{0};

auto TypeAndMode(const PairRelation& relation) {
  return std::make_tuple(relation.type, relation.mode);
}

bool SameRelation(const PairRelation& a, const PairRelation& b) {
  return TypeAndMode(a) == TypeAndMode(b) && a.visibility == b.visibility &&
         a.last_seen == b.last_seen;
}

absl::Status ValidateEntity(const relations::v1::Entity& entity) {
  if (!IsEntityId(entity.id())) {
    return absl::InvalidArgumentError("an entity's id is not of the form of an id");
  }
  if (entity.type().empty() || entity.type().size() > limits::kTypeBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(entity.id(), ": its type must have 1 to ", limits::kTypeBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status ValidateGroups(absl::string_view whose, const GroupSet& groups) {
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

absl::Status ValidateRelation(const PutRelation& relation) {
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
  return ValidateGroups(whose, relation.visible_by);
}

}  // namespace

GraphWriter::GraphWriter(RocksGraphStore* store) : store_(store), changes_(store) {}

absl::Status GraphWriter::Apply(const Mutations& mutations) {
  RETURN_IF_ERROR(ResolveIds(mutations));
  RETURN_IF_ERROR(PutEntities(mutations.entities));
  RETURN_IF_ERROR(LoadPairs(mutations.relations));
  RETURN_IF_ERROR(PutRelations(mutations.relations));
  RETURN_IF_ERROR(WritePairs());
  RETURN_IF_ERROR(WriteLists());
  RETURN_IF_ERROR(WriteCounters());
  RETURN_IF_ERROR(changes_.Publish());
  store_->cache_.BeginWrite(changed_);
  const absl::Status written = store_->database_->Write(batch_);
  store_->cache_.EndWrite(changed_);
  RETURN_IF_ERROR(written);
  changes_.Commit();
  return absl::OkStatus();
}

absl::Status GraphWriter::Put(Family family, absl::string_view key, absl::string_view value) {
  return FromRocks(
      batch_.Put(store_->database_->family(family), rocksdb::Slice(key.data(), key.size()),
                 rocksdb::Slice(value.data(), value.size())),
      "filling a batch");
}

absl::Status GraphWriter::ResolveIds(const Mutations& mutations) {
  for (const PutEntity& put : mutations.entities) nodes_.emplace(put.entity.id(), kUnknown);
  for (const PutRelation& put : mutations.relations) {
    nodes_.emplace(put.source, kUnknown);
    nodes_.emplace(put.target, kUnknown);
  }
  std::vector<std::string> keys;
  std::vector<std::pair<const std::string*, NodeId*>> wanted;
  keys.reserve(nodes_.size());
  for (auto& [id, node] : nodes_) {
    keys.push_back(IdKey(id));
    wanted.emplace_back(&id, &node);
  }
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<std::string> values;
  const std::vector<rocksdb::Status> statuses =
      store_->database_->db().MultiGet(rocksdb::ReadOptions(),
                                       std::vector<rocksdb::ColumnFamilyHandle*>(
                                           keys.size(), store_->database_->family(Family::kIds)),
                                       slices, &values);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], "reading ids"));
    ASSIGN_OR_RETURN(*wanted[i].second, NodeOfKey(values[i]));
    ids_.emplace(*wanted[i].second, *wanted[i].first);
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::PutEntities(const std::vector<PutEntity>& entities) {
  // The type that each entity of the batch has so far: an id may come twice.
  absl::flat_hash_map<NodeId, std::string> types;
  for (const PutEntity& put : entities) {
    const relations::v1::Entity& entity = put.entity;
    RETURN_IF_ERROR(ValidateEntity(entity));
    const GroupSet groups(entity.visible_by().begin(), entity.visible_by().end());
    RETURN_IF_ERROR(ValidateGroups(entity.id(), groups));
    ASSIGN_OR_RETURN(const ClassId visibility, changes_.Intern(groups));
    const std::string record = EncodeEntityRecord(entity, visibility);
    if (record.size() > limits::kEntityRecordBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(entity.id(), ": the record has ",
                                                     record.size(), " bytes, more than ",
                                                     limits::kEntityRecordBytesMax));
    }
    NodeId& node = nodes_[entity.id()];
    if (node == kUnknown) {
      node = changes_.NewNode();
      ids_.emplace(node, entity.id());
      RETURN_IF_ERROR(Put(Family::kIds, IdKey(entity.id()), NodeKey(node)));
    } else if (!types.contains(node)) {
      ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                       store_->database_->Get(Family::kEntities, NodeKey(node)));
      if (!stored.has_value()) {
        return absl::DataLossError(absl::StrCat(entity.id(), " has a node but no record"));
      }
      ASSIGN_OR_RETURN(const EntityRecord before, DecodeEntityRecord(*stored));
      ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(before.wire));
      types.emplace(node, std::string(head.type));
    }
    const auto known = types.find(node);
    if (known != types.end()) changes_.AddEntities(known->second, -1);
    changes_.AddEntities(entity.type(), 1);
    types[node] = entity.type();
    RETURN_IF_ERROR(Put(Family::kEntities, NodeKey(node), record));
    changed_.push_back(NodeCache::EntityKey(node));
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::LoadPairs(const std::vector<PutRelation>& relations) {
  for (const PutRelation& put : relations) {
    RETURN_IF_ERROR(ValidateRelation(put));
    const NodeId source = nodes_[put.source];
    const NodeId target = nodes_[put.target];
    if (source == kUnknown || target == kUnknown) {
      return absl::FailedPreconditionError(
          absl::StrCat(put.source, " -> ", put.target, ": there is no entity ",
                       source == kUnknown ? put.source : put.target));
    }
    // Both directions: whether a relation is the only one between two nodes depends on both.
    pairs_.emplace(PairNodes{source, target}, PairChange{});
    pairs_.emplace(PairNodes{target, source}, PairChange{});
  }
  std::vector<std::string> keys;
  keys.reserve(pairs_.size());
  for (const auto& [nodes, change] : pairs_) keys.push_back(PairKey(nodes.first, nodes.second));
  std::vector<std::string> values;
  const std::vector<rocksdb::Status> statuses = store_->database_->db().MultiGet(
      rocksdb::ReadOptions(),
      std::vector<rocksdb::ColumnFamilyHandle*>(keys.size(),
                                                store_->database_->family(Family::kRelations)),
      std::vector<rocksdb::Slice>(keys.begin(), keys.end()), &values);
  size_t i = 0;
  for (auto& [nodes, change] : pairs_) {
    const size_t index = i++;
    if (statuses[index].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[index], "reading relations"));
    ASSIGN_OR_RETURN(change.before, DecodePairRelations(values[index]));
    change.after = change.before;
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::PutRelations(const std::vector<PutRelation>& relations) {
  for (const PutRelation& put : relations) {
    PairRelation relation;
    ASSIGN_OR_RETURN(relation.type, changes_.InternLabel(put.type));
    ASSIGN_OR_RETURN(relation.visibility, changes_.Intern(put.visible_by));
    relation.mode = put.mode;
    relation.last_seen = put.last_seen;
    std::vector<PairRelation>& after = pairs_[{nodes_[put.source], nodes_[put.target]}].after;
    const auto place = std::lower_bound(after.begin(), after.end(), relation,
                                        [](const PairRelation& a, const PairRelation& b) {
                                          return TypeAndMode(a) < TypeAndMode(b);
                                        });
    if (place != after.end() && TypeAndMode(*place) == TypeAndMode(relation)) {
      *place = relation;
      continue;
    }
    if (after.size() >= limits::kRelationsPerPairMax) {
      return absl::InvalidArgumentError(absl::StrCat(put.source, " -> ", put.target, ": more than ",
                                                     limits::kRelationsPerPairMax,
                                                     " relations of different type or mode"));
    }
    after.insert(place, relation);
    changes_.AddRelations(1);
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WritePairs() {
  for (const auto& [nodes, change] : pairs_) {
    const PairChange& reverse = pairs_.at({nodes.second, nodes.first});
    const bool sole_before = change.before.size() + reverse.before.size() == 1;
    const bool sole_after = change.after.size() + reverse.after.size() == 1;
    EditLists(nodes, change, sole_before, sole_after);
    if (!std::equal(change.before.begin(), change.before.end(), change.after.begin(),
                    change.after.end(), SameRelation)) {
      RETURN_IF_ERROR(Put(Family::kRelations, PairKey(nodes.first, nodes.second),
                          EncodePairRelations(change.after)));
      changed_.push_back(NodeCache::PairKey(nodes.first, nodes.second));
    }
  }
  return absl::OkStatus();
}

void GraphWriter::EditLists(const PairNodes& nodes, const PairChange& change, bool sole_before,
                            bool sole_after) {
  const auto edit = [&](ListEdit::Kind kind, const PairRelation& relation, bool sole) {
    AdjacentRelation entry{relation.last_seen,   nodes.second,  relation.type,
                           Direction::kOutgoing, relation.mode, sole};
    edits_[{nodes.first, relation.visibility}].push_back({kind, entry});
    entry.neighbour = nodes.first;
    entry.direction = Direction::kIncoming;
    edits_[{nodes.second, relation.visibility}].push_back({kind, entry});
  };
  const auto stays = [&](const std::vector<PairRelation>& others, const PairRelation& relation) {
    return sole_before == sole_after &&
           std::any_of(others.begin(), others.end(),
                       [&](const PairRelation& other) { return SameRelation(other, relation); });
  };
  for (const PairRelation& relation : change.before) {
    if (!stays(change.after, relation)) edit(ListEdit::Kind::kRemove, relation, sole_before);
  }
  for (const PairRelation& relation : change.after) {
    if (!stays(change.before, relation)) edit(ListEdit::Kind::kInsert, relation, sole_after);
  }
}

absl::Status GraphWriter::WriteLists() {
  AdjacencyWriter writer(
      store_->database_, [this](NodeId node) { return IdOf(node); }, &batch_);
  for (auto& [list, edits] : edits_) {
    RETURN_IF_ERROR(writer.Edit(list.first, list.second, std::move(edits)));
    changed_.push_back(NodeCache::ListsKey(list.first));
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WriteCounters() {
  for (const auto& [key, value] : changes_.ChangedCounters()) {
    RETURN_IF_ERROR(Put(Family::kMeta, key, value));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> GraphWriter::IdOf(NodeId node) {
  const auto known = ids_.find(node);
  if (known != ids_.end()) return absl::string_view(known->second);
  ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                   store_->database_->Get(Family::kEntities, NodeKey(node)));
  if (!stored.has_value()) {
    return absl::DataLossError(
        absl::StrCat("node ", static_cast<uint64_t>(node), " has no entity"));
  }
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*stored));
  ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
  return absl::string_view(ids_.emplace(node, std::string(head.id)).first->second);
}

}  // namespace relations
