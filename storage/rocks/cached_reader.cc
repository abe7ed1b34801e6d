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
#include "storage/rocks/slices.h"
#include "storage/varint.h"

namespace relations {
namespace {

// A merged head holds at most so many lists, entries of one list, and entries in all. They bound
// what lists that a caller may not see cost him: a look at one byte an entry. Of a list several
// blocks are taken: whatever is whole in a head is no hub to the walk, which spares it look-ups.
constexpr size_t kHeadListsMax = RelationChunk::kListsMax;
constexpr size_t kHeadEntriesOfListMax = 512;
constexpr size_t kHeadEntriesMax = NodeValue::kEntriesMax;
// The first lists are read so far; of the others the first block.
constexpr size_t kLongListsMax = 4;

std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot(rocksdb::DB& db) {
  return {db.GetSnapshot(),
          [&db](const rocksdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
}

// Cuts the lists of a head so that it has at most kHeadEntriesMax: all to the same length, where
// they are longer.
void ShareHead(std::vector<NodeValue::List>* lists) {
  std::vector<uint32_t> lengths;
  for (const NodeValue::List& list : *lists) lengths.push_back(list.entries);
  std::sort(lengths.begin(), lengths.end());
  uint32_t left = kHeadEntriesMax;
  uint32_t share = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    share = left / static_cast<uint32_t>(lengths.size() - i);
    if (lengths[i] > share) break;
    left -= lengths[i];
    share = lengths[i];
  }
  for (NodeValue::List& list : *lists) {
    list.more = list.more || list.entries > share;
    list.entries = std::min(list.entries, share);
  }
}

// Merges what each list gives to the head.
absl::Status MergeIntoHead(const std::vector<std::vector<AdjacentRelation>>& lists,
                           const IdLookup& id_of, NodeValue::Head* head) {
  size_t total = 0;
  std::vector<size_t> next(lists.size(), 0);
  // Lists that have an entry left, as a heap: the one whose entry comes first is on top.
  std::vector<size_t> heap;
  for (size_t i = 0; i < lists.size(); ++i) {
    total += head->lists[i].entries;
    if (head->lists[i].entries != 0) heap.push_back(i);
  }
  head->entries.reserve(total);
  head->list_of_entry.reserve(total);
  absl::Status status;
  const auto comes_later = [&](size_t a, size_t b) {
    const AdjacentRelation& of_a = lists[a][next[a]];
    const AdjacentRelation& of_b = lists[b][next[b]];
    // Nearly always the time decides, and this is asked for every entry.
    if (of_a.last_seen != of_b.last_seen) return of_a.last_seen < of_b.last_seen;
    const absl::StatusOr<bool> precedes = Precedes(of_b, of_a, id_of);
    if (!precedes.ok()) status = precedes.status();
    return precedes.value_or(false);
  };
  std::make_heap(heap.begin(), heap.end(), comes_later);
  while (!heap.empty() && status.ok()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    const size_t first = heap.back();
    // As long as it comes before all others the list keeps its turn.
    do {
      head->entries.push_back(lists[first][next[first]++]);
      head->list_of_entry.push_back(static_cast<uint8_t>(first));
    } while (next[first] < head->lists[first].entries &&
             (heap.size() == 1 || !comes_later(first, heap.front())));
    if (next[first] == head->lists[first].entries) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
  }
  return status;
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

rocksdb::Iterator& CachedReader::adjacency_iterator() {
  if (iterator_ == nullptr) {
    iterator_.reset(
        database_->db().NewIterator(read_options_, database_->family(Family::kAdjacency)));
  }
  return *iterator_;
}

absl::Status CachedReader::ReadLists(absl::Span<const NodeId> nodes, const VisibleClasses& visible,
                                     const IdLookup& id_of, std::vector<NodeCache::Value>* values) {
  keys_.clear();
  for (const NodeId node : nodes) keys_.push_back(NodeCache::ListsKey(node));
  cache_->Find(keys_, sequence_, values);
  for (size_t i = 0; i < nodes.size(); ++i) {
    NodeCache::Value& value = (*values)[i];
    if (value != nullptr) continue;
    const NodeCache::Key key = NodeCache::ListsKey(nodes[i]);
    bool complete = true;
    ASSIGN_OR_RETURN(
        value, LoadLists(nodes[i], cache_->Remembers(key) ? nullptr : &visible, id_of, &complete));
    if (complete) {
      cache_->Insert(key, value, ticket_, sequence_);
    } else {
      cache_->Remember(key);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<NodeCache::Value> CachedReader::LoadLists(NodeId node, const VisibleClasses* visible,
                                                         const IdLookup& id_of, bool* complete) {
  const std::string node_key = NodeKey(node);
  std::vector<std::vector<AdjacentRelation>> entries;
  NodeValue::Head head;
  AdjacencyBlock block;
  rocksdb::Iterator& iterator = adjacency_iterator();
  // Goes to the next list of interest behind this one; false when there is none.
  const auto seek_behind = [&](ClassId passed) {
    if (passed == ClassId{UINT32_MAX}) return false;
    ClassId next{static_cast<uint32_t>(passed) + 1};
    if (visible != nullptr) {
      const ClassId* const wanted = visible->AtOrAfter(next);
      if (wanted == nullptr) return false;
      next = *wanted;
    }
    iterator.Seek(ListKey(node, next));
    return true;
  };
  *complete = true;
  iterator.Seek(node_key);
  while (iterator.Valid() && absl::StartsWith(View(iterator.key()), node_key)) {
    ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(View(iterator.key())));
    if (visible != nullptr && !visible->Contains(parsed.visibility)) {
      *complete = false;
      if (!seek_behind(parsed.visibility)) break;
      continue;
    }
    const bool is_new = head.lists.empty() || head.lists.back().visibility != parsed.visibility;
    if (is_new && head.lists.size() == kHeadListsMax) {
      NodeValue::Head none;
      none.too_many_lists = true;
      return NodeValue::OfHead(none);
    }
    if (is_new) {
      head.lists.push_back({parsed.visibility, 0, 0, 0, false});
      entries.emplace_back();
    }
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator.value()), &block));
    NodeValue::List& list = head.lists.back();
    std::vector<AdjacentRelation>& of_list = entries.back();
    if (of_list.empty()) {
      of_list = std::move(block.entries);
    } else {
      of_list.insert(of_list.end(), block.entries.begin(), block.entries.end());
    }
    list.entries = static_cast<uint32_t>(of_list.size());
    list.more = block.more_may_follow;
    const size_t most = head.lists.size() <= kLongListsMax ? kHeadEntriesOfListMax : 1;
    if (list.more && list.entries >= most) {
      if (!seek_behind(parsed.visibility)) {
        // Lists behind it are hidden, if there are any.
        *complete = visible == nullptr;
        break;
      }
    } else {
      iterator.Next();
    }
  }
  RETURN_IF_ERROR(FromRocks(iterator.status(), "scanning adjacency"));

  ShareHead(&head.lists);
  RETURN_IF_ERROR(MergeIntoHead(entries, id_of, &head));
  return NodeValue::OfHead(std::move(head));
}

}  // namespace relations
