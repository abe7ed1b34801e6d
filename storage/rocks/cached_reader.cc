#include "storage/rocks/cached_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

// A merged head holds at most so many lists and entries. Both bound what lists that a caller may
// not see cost him: a look at one byte an entry.
constexpr size_t kHeadListsMax = 64;
constexpr size_t kHeadEntriesMax = 1024;

absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot(rocksdb::DB& db) {
  return {db.GetSnapshot(),
          [&db](const rocksdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
}

}  // namespace

absl::StatusOr<bool> Precedes(const AdjacentRelation& a, const AdjacentRelation& b,
                              const IdLookup& id_of) {
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  if (a.neighbour != b.neighbour) {
    ASSIGN_OR_RETURN(const std::string id_a, id_of(a.neighbour));
    ASSIGN_OR_RETURN(const std::string id_b, id_of(b.neighbour));
    return id_a < id_b;
  }
  return std::make_tuple(a.direction, a.type, a.mode) <
         std::make_tuple(b.direction, b.type, b.mode);
}

CachedReader::CachedReader(const RocksDatabase* database, NodeCache* cache)
    : database_(database),
      cache_(cache),
      ticket_(cache->TakeTicket()),
      snapshot_(TakeSnapshot(database->db())),
      sequence_(snapshot_->GetSequenceNumber()) {
  read_options_.snapshot = snapshot_.get();
}

absl::Status CachedReader::Read(absl::Span<const NodeCache::Key> keys,
                                std::vector<NodeCache::Value>* values) {
  values->assign(keys.size(), nullptr);
  std::vector<size_t> entities;
  std::vector<size_t> lists;
  for (size_t i = 0; i < keys.size(); ++i) {
    (*values)[i] = cache_->Find(keys[i], sequence_);
    if ((*values)[i] != nullptr) continue;
    (keys[i].slot == NodeCache::kEntitySlot ? entities : lists).push_back(i);
  }
  RETURN_IF_ERROR(ReadMissing(keys, Family::kEntities, entities, values));
  return ReadMissing(keys, Family::kAdjacency, lists, values);
}

absl::Status CachedReader::ReadMissing(absl::Span<const NodeCache::Key> keys, Family family,
                                       const std::vector<size_t>& missing,
                                       std::vector<NodeCache::Value>* values) {
  if (missing.empty()) return absl::OkStatus();
  std::vector<std::string> raw_keys;
  raw_keys.reserve(missing.size());
  for (const size_t i : missing) {
    raw_keys.push_back(family == Family::kEntities ? NodeKey(keys[i].node)
                                                   : ListKey(keys[i].node, keys[i].slot));
  }
  const std::vector<rocksdb::Slice> slices(raw_keys.begin(), raw_keys.end());
  std::vector<rocksdb::PinnableSlice> found(missing.size());
  std::vector<rocksdb::Status> statuses(missing.size());
  database_->db().MultiGet(read_options_, database_->family(family), missing.size(), slices.data(),
                           found.data(), statuses.data());
  for (size_t i = 0; i < missing.size(); ++i) {
    if (!statuses[i].ok() && !statuses[i].IsNotFound()) {
      return FromRocks(statuses[i], absl::StrCat("reading family ", FamilyName(family)));
    }
    const NodeCache::Key& key = keys[missing[i]];
    auto part = std::make_shared<NodePart>();
    if (statuses[i].ok() && family == Family::kEntities) {
      part->record = std::string(View(found[i]));
    } else if (statuses[i].ok()) {
      AdjacencyBlock block;
      RETURN_IF_ERROR(DecodeAdjacencyBlock(View(found[i]), &block));
      part->lists.push_back({key.slot, block.entries.size(), block.more_may_follow});
      part->list_of_entry.assign(block.entries.size(), 0);
      part->entries = std::move(block.entries);
    }
    (*values)[missing[i]] = std::move(part);
    cache_->Insert(key, (*values)[missing[i]], ticket_, sequence_);
  }
  return absl::OkStatus();
}

rocksdb::Iterator& CachedReader::adjacency_iterator() {
  if (iterator_ == nullptr) {
    iterator_.reset(
        database_->db().NewIterator(read_options_, database_->family(Family::kAdjacency)));
  }
  return *iterator_;
}

absl::StatusOr<NodeCache::Value> CachedReader::ReadAllLists(NodeId node, const IdLookup& id_of) {
  const NodeCache::Key key{node, NodeCache::kAllListsSlot};
  NodeCache::Value value = cache_->Find(key, sequence_);
  if (value == nullptr) {
    ASSIGN_OR_RETURN(value, LoadAllLists(node, id_of));
    cache_->Insert(key, value, ticket_, sequence_);
  }
  return value;
}

absl::StatusOr<NodeCache::Value> CachedReader::LoadAllLists(NodeId node, const IdLookup& id_of) {
  const std::string node_key = NodeKey(node);
  std::vector<AdjacencyBlock> blocks;
  auto part = std::make_shared<NodePart>();
  rocksdb::Iterator& iterator = adjacency_iterator();
  iterator.Seek(node_key);
  while (iterator.Valid() && absl::StartsWith(View(iterator.key()), node_key)) {
    ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(View(iterator.key())));
    if (blocks.size() == kHeadListsMax) {
      part->lists.clear();
      part->too_many_lists = true;
      return part;
    }
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator.value()), &blocks.emplace_back()));
    const AdjacencyBlock& block = blocks.back();
    part->lists.push_back({parsed.visibility, block.entries.size(), block.more_may_follow});
    if (block.more_may_follow) {
      iterator.Seek(ListKey(node, ClassId{static_cast<uint32_t>(parsed.visibility) + 1}));
    } else {
      iterator.Next();
    }
  }
  RETURN_IF_ERROR(FromRocks(iterator.status(), "scanning adjacency"));

  // Each list gets an equal share of the head.
  std::vector<size_t> next(blocks.size(), 0);
  for (NodePart::List& list : part->lists) {
    const size_t share = kHeadEntriesMax / part->lists.size();
    list.more = list.more || list.entries > share;
    list.entries = std::min(list.entries, share);
  }
  while (true) {
    size_t first = blocks.size();
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (next[i] == part->lists[i].entries) continue;
      if (first == blocks.size()) {
        first = i;
        continue;
      }
      ASSIGN_OR_RETURN(const bool precedes, Precedes(blocks[i].entries[next[i]],
                                                     blocks[first].entries[next[first]], id_of));
      if (precedes) first = i;
    }
    if (first == blocks.size()) break;
    part->entries.push_back(blocks[first].entries[next[first]++]);
    part->list_of_entry.push_back(static_cast<uint8_t>(first));
  }
  return part;
}

}  // namespace relations
