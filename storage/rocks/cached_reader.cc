#include "storage/rocks/cached_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"
#include "storage/varint.h"

namespace relations {
namespace {

// The id in an entity record.
absl::StatusOr<std::string> IdOfRecord(NodeId node, absl::string_view value) {
  if (value.empty()) {
    return absl::DataLossError(absl::StrCat("an adjacency list names node ",
                                            static_cast<uint64_t>(node), ", which has no entity"));
  }
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value));
  ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
  return std::string(head.id);
}

}  // namespace

CachedReader::CachedReader(const RocksDatabase* database, NodeCache* cache)
    : database_(database),
      cache_(cache),
      ticket_(cache->TakeTicket()),
      snapshot_(database->TakeSnapshot()),
      sequence_(snapshot_ != nullptr ? snapshot_->GetSequenceNumber()
                                     : database->db().GetLatestSequenceNumber()) {
  read_options_.snapshot = snapshot_.get();
}

absl::Status CachedReader::MultiGet(Family family, const std::vector<std::string>& keys,
                                    std::vector<rocksdb::PinnableSlice>* found) {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::Status> statuses(keys.size());
  // PinnableSlices cannot be copied, so the vector is made anew.
  *found = std::vector<rocksdb::PinnableSlice>(keys.size());
  database_->db().MultiGet(read_options_, database_->family(family), keys.size(), slices.data(),
                           found->data(), statuses.data());
  for (const rocksdb::Status& status : statuses) {
    if (!status.ok() && !status.IsNotFound()) {
      return FromRocks(status, absl::StrCat("reading family ", FamilyName(family)));
    }
  }
  return absl::OkStatus();
}

absl::Status CachedReader::ReadEntities(absl::Span<const NodeId> nodes,
                                        std::vector<NodeCache::Value>* values) {
  keys_.clear();
  for (const NodeId node : nodes) keys_.push_back(NodeCache::EntityKey(node));
  cache_->Find(keys_, sequence_, values);
  std::vector<size_t> missing;
  std::vector<std::string> wanted;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if ((*values)[i] != nullptr) continue;
    missing.push_back(i);
    wanted.push_back(NodeKey(nodes[i]));
  }
  if (missing.empty()) return absl::OkStatus();
  std::vector<rocksdb::PinnableSlice> found;
  RETURN_IF_ERROR(MultiGet(Family::kEntities, wanted, &found));
  for (size_t i = 0; i < missing.size(); ++i) {
    NodeCache::Value& value = (*values)[missing[i]];
    value = NodeValue::OfRecord(View(found[i]));
    cache_->Insert(keys_[missing[i]], value, ticket_, sequence_);
  }
  return absl::OkStatus();
}

// The value of a pair is varint length | record from the lower node | record to it; empty when
// there are no relations, as of nearly all pairs that are asked for.
absl::Status CachedReader::ReadPairs(absl::Span<const NodePair> pairs,
                                     std::vector<NodeCache::Value>* values) {
  keys_.clear();
  for (const NodePair& pair : pairs) {
    keys_.push_back(NodeCache::PairKey(pair.source, pair.target));
  }
  cache_->Find(keys_, sequence_, values);
  std::vector<size_t> missing;
  std::vector<std::string> wanted;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if ((*values)[i] != nullptr) continue;
    missing.push_back(i);
    const auto [lower, higher] = std::minmax(pairs[i].source, pairs[i].target);
    wanted.push_back(PairKey(lower, higher));
    wanted.push_back(PairKey(higher, lower));
  }
  if (missing.empty()) return absl::OkStatus();
  std::vector<rocksdb::PinnableSlice> found;
  RETURN_IF_ERROR(MultiGet(Family::kRelations, wanted, &found));
  for (size_t i = 0; i < missing.size(); ++i) {
    const absl::string_view up = View(found[2 * i]);
    const absl::string_view down = View(found[2 * i + 1]);
    std::string records;
    if (!up.empty() || !down.empty()) {
      PutVarint(up.size(), records);
      absl::StrAppend(&records, up, down);
    }
    NodeCache::Value& value = (*values)[missing[i]];
    value = NodeValue::OfRecord(records);
    cache_->Insert(keys_[missing[i]], value, ticket_, sequence_);
  }
  return absl::OkStatus();
}

absl::StatusOr<PairRecords> SplitPairRecords(const NodePair& pair, absl::string_view value) {
  PairRecords records;
  if (value.empty()) return records;
  uint64_t length = 0;
  if (!GetVarint(&value, &length) || length > value.size()) {
    return absl::InternalError("a value of the node cache is not that of a pair");
  }
  records.outgoing = value.substr(0, length);
  records.incoming = value.substr(length);
  if (pair.source > pair.target) std::swap(records.outgoing, records.incoming);
  return records;
}

// The value of an id is its node's key and the id itself: ids may share a key.
absl::StatusOr<std::optional<NodeId>> CachedReader::ReadNode(absl::string_view id) {
  const NodeCache::Key key = NodeCache::IdKey(id);
  NodeCache::Value value = cache_->Find(key, sequence_);
  if (value != nullptr && value->record().substr(kNodeKeyBytes) == id) {
    return NodeOfKey(value->record().substr(0, kNodeKeyBytes));
  }
  rocksdb::PinnableSlice stored;
  const rocksdb::Status status =
      database_->db().Get(read_options_, database_->family(Family::kIds), IdKey(id), &stored);
  if (status.IsNotFound()) return std::nullopt;
  RETURN_IF_ERROR(FromRocks(status, "reading ids"));
  ASSIGN_OR_RETURN(const NodeId node, NodeOfKey(View(stored)));
  value = NodeValue::OfRecord(absl::StrCat(View(stored), id));
  cache_->Insert(key, value, ticket_, sequence_);
  return node;
}

absl::Status CachedReader::ReadIds(absl::Span<const NodeId> nodes) {
  std::vector<NodeCache::Value> values;
  RETURN_IF_ERROR(ReadEntities(nodes, &values));
  for (size_t i = 0; i < nodes.size(); ++i) {
    ASSIGN_OR_RETURN(std::string id, IdOfRecord(nodes[i], values[i]->record()));
    ids_.emplace(nodes[i], std::move(id));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> CachedReader::IdOf(NodeId node) {
  auto known = ids_.find(node);
  if (known == ids_.end()) {
    RETURN_IF_ERROR(ReadIds({&node, 1}));
    known = ids_.find(node);
  }
  return absl::string_view(known->second);
}

absl::StatusOr<bool> CachedReader::Precedes(const AdjacentRelation& a, const AdjacentRelation& b) {
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  if (a.neighbour != b.neighbour) {
    ASSIGN_OR_RETURN(const absl::string_view id_a, IdOf(a.neighbour));
    ASSIGN_OR_RETURN(const absl::string_view id_b, IdOf(b.neighbour));
    return id_a < id_b;
  }
  return std::make_tuple(a.direction, a.type, a.mode) <
         std::make_tuple(b.direction, b.type, b.mode);
}

rocksdb::Iterator& CachedReader::adjacency_iterator() {
  if (iterator_ == nullptr) {
    iterator_.reset(
        database_->db().NewIterator(read_options_, database_->family(Family::kAdjacency)));
  }
  return *iterator_;
}

}  // namespace relations
