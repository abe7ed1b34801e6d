// The part of GraphWriter that turns what has changed into one batch and writes it.
#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "rocksdb/db.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/rocks/graph_writer.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }

bool SameRelation(const PairRelation& a, const PairRelation& b) {
  return std::make_tuple(a.type, a.mode, a.visibility, a.last_seen) ==
         std::make_tuple(b.type, b.mode, b.visibility, b.last_seen);
}

}  // namespace

absl::Status GraphWriter::Write() {
  RETURN_IF_ERROR(WriteEntities());
  RETURN_IF_ERROR(WritePairs());
  RETURN_IF_ERROR(WriteLists());
  for (const NodeId node : finished_) {
    if (store_->revisions_.contains(node)) {
      RETURN_IF_ERROR(DeleteRecord(Family::kMeta, RevisionKey(node)));
    }
  }
  for (const NodeId node : unfinished_) {
    if (!store_->revisions_.contains(node)) {
      RETURN_IF_ERROR(PutRecord(Family::kMeta, RevisionKey(node), {}));
    }
  }
  for (const auto& [key, value] : changes_.ChangedCounters()) {
    RETURN_IF_ERROR(PutRecord(Family::kMeta, key, value));
  }
  RETURN_IF_ERROR(WriteChanges());
  reached_disk_ = true;
  RETURN_IF_ERROR(changes_.Publish());
  // Nothing to write and hence nothing to sync: all was known already, or all was refused.
  if (batch_.Count() == 0) return absl::OkStatus();
  store_->cache_.BeginWrite(changed_);
  const absl::Status written = store_->database_->Write(batch_);
  store_->cache_.EndWrite(changed_);
  RETURN_IF_ERROR(written);
  changes_.Commit();
  store_->change_log_.Commit();
  for (const NodeId node : finished_) store_->revisions_.erase(node);
  store_->revisions_.insert(unfinished_.begin(), unfinished_.end());
  return absl::OkStatus();
}

absl::Status GraphWriter::PutRecord(Family family, absl::string_view key, absl::string_view value) {
  return FromRocks(batch_.Put(store_->database_->family(family), ToSlice(key), ToSlice(value)),
                   "filling a batch");
}

absl::Status GraphWriter::DeleteRecord(Family family, absl::string_view key) {
  return FromRocks(batch_.Delete(store_->database_->family(family), ToSlice(key)),
                   "filling a batch");
}

absl::Status GraphWriter::WriteEntities() {
  // What an entity counts as; nothing when it is not there or is being deleted.
  const auto count = [this](const WriteOverlay::Entity& entity, int64_t by) -> absl::Status {
    if (!entity.exists() || entity.visibility == kNobodyClass) return absl::OkStatus();
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*entity.record));
    ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
    changes_.AddEntities(std::string(head.type), by);
    return absl::OkStatus();
  };
  const auto has_id = [](const WriteOverlay::Entity& entity) {
    return entity.exists() && entity.visibility != kNobodyClass;
  };
  // Ids that are given up come before ids that are given: one may be both.
  for (const auto& [node, change] : overlay_.entities()) {
    if (has_id(change.before) && !has_id(change.after)) {
      RETURN_IF_ERROR(DeleteRecord(Family::kIds, IdKey(change.id)));
      changed_.push_back(NodeCache::IdKey(change.id));
    }
  }
  for (const auto& [node, change] : overlay_.entities()) {
    if (change.before.record == change.after.record) continue;
    RETURN_IF_ERROR(count(change.before, -1));
    RETURN_IF_ERROR(count(change.after, 1));
    changed_.push_back(NodeCache::EntityKey(node));
    if (!change.after.exists()) {
      RETURN_IF_ERROR(DeleteRecord(Family::kEntities, NodeKey(node)));
      continue;
    }
    RETURN_IF_ERROR(PutRecord(Family::kEntities, NodeKey(node), *change.after.record));
    if (!change.before.exists()) {
      RETURN_IF_ERROR(PutRecord(Family::kIds, IdKey(change.id), NodeKey(node)));
    }
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WritePairs() {
  for (const auto& [nodes, change] : overlay_.pairs()) {
    const WriteOverlay::PairChange& reverse = overlay_.pairs().at({nodes.second, nodes.first});
    const bool sole_before = change.before.size() + reverse.before.size() == 1;
    const bool sole_after = change.after.size() + reverse.after.size() == 1;
    EditLists(nodes, change, sole_before, sole_after);
    if (std::equal(change.before.begin(), change.before.end(), change.after.begin(),
                   change.after.end(), SameRelation)) {
      continue;
    }
    changes_.AddRelations(static_cast<int64_t>(change.after.size()) -
                          static_cast<int64_t>(change.before.size()));
    const std::string key = PairKey(nodes.first, nodes.second);
    RETURN_IF_ERROR(change.after.empty()
                        ? DeleteRecord(Family::kRelations, key)
                        : PutRecord(Family::kRelations, key, EncodePairRelations(change.after)));
    changed_.push_back(NodeCache::PairKey(nodes.first, nodes.second));
  }
  return absl::OkStatus();
}

void GraphWriter::EditLists(const PairNodes& nodes, const WriteOverlay::PairChange& change,
                            bool sole_before, bool sole_after) {
  const auto edit = [&](ListEdit::Kind kind, const PairRelation& relation, bool sole) {
    AdjacentRelation entry{relation.last_seen,   nodes.second,  relation.type,
                           Direction::kOutgoing, relation.mode, sole};
    edits_[nodes.first][relation.visibility].push_back({kind, entry});
    entry.neighbour = nodes.first;
    entry.direction = Direction::kIncoming;
    edits_[nodes.second][relation.visibility].push_back({kind, entry});
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
      store_->database_, [this](NodeId node) { return overlay_.IdOf(node); }, &batch_);
  for (const NodeId node : gone_) {
    edits_.erase(node);
    RETURN_IF_ERROR(DeleteLists(node));
    changed_.push_back(NodeCache::ListsKey(node));
  }
  for (const auto& [node, edits] : edits_) changed_.push_back(NodeCache::ListsKey(node));
  return writer.Edit(std::move(edits_));
}

absl::Status GraphWriter::DeleteLists(NodeId node) {
  const std::unique_ptr<rocksdb::Iterator> iterator(store_->database_->db().NewIterator(
      rocksdb::ReadOptions(), store_->database_->family(Family::kAdjacency)));
  const std::string prefix = NodeKey(node);
  for (iterator->Seek(prefix); iterator->Valid() && iterator->key().starts_with(prefix);
       iterator->Next()) {
    RETURN_IF_ERROR(
        FromRocks(batch_.Delete(store_->database_->family(Family::kAdjacency), iterator->key()),
                  "filling a batch"));
  }
  return FromRocks(iterator->status(), "scanning adjacency");
}

}  // namespace relations
