#include "storage/rocks/write_overlay.h"

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

// Reads keys of a family in one batch and gives each that is there, by its index.
template <typename Use>
absl::Status ReadKeys(const RocksDatabase& database, Family family,
                      const std::vector<std::string>& keys, const Use& use) {
  if (keys.empty()) return absl::OkStatus();
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database.db().MultiGet(rocksdb::ReadOptions(), database.family(family), keys.size(),
                         slices.data(), values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], absl::StrCat("reading family ", FamilyName(family))));
    RETURN_IF_ERROR(use(i, absl::string_view(values[i].data(), values[i].size())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteOverlay::LoadIds(absl::Span<const absl::string_view> ids) {
  std::vector<std::string> keys;
  std::vector<NodeId*> wanted;
  // So that places stay where they are while others are added.
  nodes_.reserve(nodes_.size() + ids.size());
  for (const absl::string_view id : ids) {
    const auto [place, is_new] = nodes_.emplace(id, kUnknown);
    if (!is_new) continue;
    keys.push_back(IdKey(id));
    wanted.push_back(&place->second);
  }
  return ReadKeys(*database_, Family::kIds, keys,
                  [&](size_t i, absl::string_view value) -> absl::Status {
                    ASSIGN_OR_RETURN(*wanted[i], NodeOfKey(value));
                    return absl::OkStatus();
                  });
}

absl::Status WriteOverlay::LoadEntities(absl::Span<const NodeId> nodes) {
  std::vector<std::string> keys;
  std::vector<std::pair<NodeId, EntityChange*>> wanted;
  for (const NodeId node : nodes) {
    if (node == kUnknown) continue;
    const auto [place, is_new] = entities_.try_emplace(node);
    if (!is_new) continue;
    keys.push_back(NodeKey(node));
    wanted.emplace_back(node, &place->second);
  }
  absl::Status status = ReadKeys(
      *database_, Family::kEntities, keys, [&](size_t i, absl::string_view value) -> absl::Status {
        ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value));
        ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
        EntityChange& change = *wanted[i].second;
        change.id = std::string(head.id);
        change.before = {record.visibility, std::make_shared<const std::string>(value)};
        change.after = change.before;
        return absl::OkStatus();
      });
  for (const auto& [node, change] : wanted) {
    if (change->before.exists()) continue;
    status.Update(
        absl::DataLossError(absl::StrCat("node ", static_cast<uint64_t>(node), " has no entity")));
    // What could not be read must not look like what is not there.
    entities_.erase(node);
  }
  return status;
}

absl::Status WriteOverlay::LoadPairs(absl::Span<const PairNodes> pairs) {
  std::vector<std::string> keys;
  std::vector<PairChange*> wanted;
  for (const auto& [source, target] : pairs) {
    for (const PairNodes& nodes : {PairNodes{source, target}, PairNodes{target, source}}) {
      const auto [place, is_new] = pairs_.try_emplace(nodes);
      if (!is_new || IsNew(source) || IsNew(target)) continue;
      keys.push_back(PairKey(nodes.first, nodes.second));
      wanted.push_back(&place->second);
    }
  }
  return ReadKeys(*database_, Family::kRelations, keys,
                  [&](size_t i, absl::string_view value) -> absl::Status {
                    ASSIGN_OR_RETURN(wanted[i]->before, DecodePairRelations(value));
                    wanted[i]->after = wanted[i]->before;
                    return absl::OkStatus();
                  });
}

absl::StatusOr<NodeId> WriteOverlay::Resolve(absl::string_view id) {
  const auto known = nodes_.find(id);
  if (known != nodes_.end()) return known->second;
  RETURN_IF_ERROR(LoadIds({&id, 1}));
  return nodes_.find(id)->second;
}

absl::StatusOr<const WriteOverlay::EntityChange*> WriteOverlay::Find(NodeId node) {
  const auto known = entities_.find(node);
  if (known != entities_.end()) return &known->second;
  RETURN_IF_ERROR(LoadEntities({&node, 1}));
  return &entities_.find(node)->second;
}

absl::StatusOr<const std::vector<PairRelation>*> WriteOverlay::Relations(const PairNodes& nodes) {
  RETURN_IF_ERROR(LoadPairs({&nodes, 1}));
  return &pairs_.find(nodes)->second.after;
}

absl::StatusOr<absl::string_view> WriteOverlay::IdOf(NodeId node) {
  ASSIGN_OR_RETURN(const EntityChange* const change, Find(node));
  return absl::string_view(change->id);
}

void WriteOverlay::SetNode(absl::string_view id, NodeId node) {
  const std::string key(id);
  undo_.push_back([this, key, before = nodes_[key]] { nodes_[key] = before; });
  nodes_[key] = node;
}

void WriteOverlay::SetEntity(NodeId node, Entity after) {
  EntityChange& change = entities_.find(node)->second;
  undo_.push_back([&change, before = change.after] { change.after = before; });
  change.after = std::move(after);
}

void WriteOverlay::AddEntity(NodeId node, absl::string_view id, Entity entity) {
  entities_[node].id = std::string(id);
  SetEntity(node, std::move(entity));
}

void WriteOverlay::SetRelations(const PairNodes& nodes, std::vector<PairRelation> after) {
  PairChange& change = pairs_.find(nodes)->second;
  undo_.push_back(
      [&change, before = std::move(change.after)]() mutable { change.after = std::move(before); });
  change.after = std::move(after);
}

void WriteOverlay::TakeBack(Mark mark) {
  while (undo_.size() > mark) {
    undo_.back()();
    undo_.pop_back();
  }
}

}  // namespace relations
