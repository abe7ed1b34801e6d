// The part of CachedReader that reads adjacency lists and merges them into heads.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/cached_reader.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

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

// Adds the neighbours of entries that tie in time with one of another list.
void AddTied(const std::vector<std::vector<AdjacentRelation>>& lists, std::vector<NodeId>* tied) {
  if (lists.size() < 2) return;
  struct Place {
    absl::Time time;
    size_t list = 0;
    NodeId neighbour{};
  };
  std::vector<Place> places;
  for (size_t i = 0; i < lists.size(); ++i) {
    for (const AdjacentRelation& entry : lists[i]) {
      places.push_back({entry.last_seen, i, entry.neighbour});
    }
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::tie(a.time, a.list) < std::tie(b.time, b.list);
  });
  for (auto first = places.begin(); first != places.end();) {
    const auto last = std::find_if(first, places.end(),
                                   [&](const Place& place) { return place.time != first->time; });
    if (first->list != std::prev(last)->list) {
      std::for_each(first, last, [&](const Place& place) { tied->push_back(place.neighbour); });
    }
    first = last;
  }
}

}  // namespace

absl::Status CachedReader::MergeIntoHead(const std::vector<std::vector<AdjacentRelation>>& lists,
                                         NodeValue::Head* head) {
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
    const absl::StatusOr<bool> precedes = Precedes(of_b, of_a);
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

absl::Status CachedReader::ReadLists(absl::Span<const NodeId> nodes, const VisibleClasses& visible,
                                     std::vector<NodeCache::Value>* values) {
  keys_.clear();
  for (const NodeId node : nodes) keys_.push_back(NodeCache::ListsKey(node));
  cache_->Find(keys_, sequence_, values);
  std::vector<size_t> missing;
  std::vector<NodeId> missing_nodes;
  std::vector<std::string> wanted;
  for (size_t i = 0; i < nodes.size(); ++i) {
    NodeCache::Value& value = (*values)[i];
    if (value != nullptr && value->too_many_lists()) {
      if (NodeCache::Value of_caller = value->HeadFor(visible.number())) {
        value = std::move(of_caller);
        continue;
      }
    } else if (value != nullptr) {
      continue;
    }
    missing.push_back(i);
    missing_nodes.push_back(nodes[i]);
    wanted.push_back(DirectoryKey(nodes[i]));
  }
  if (missing.empty()) return absl::OkStatus();
  // keys_ is used by whoever reads ids below.
  const std::vector<NodeCache::Key> keys = keys_;
  std::vector<rocksdb::PinnableSlice> directories;
  RETURN_IF_ERROR(MultiGet(Family::kAdjacency, wanted, &directories));
  std::vector<Gathered> gathered(missing.size());
  std::vector<ApartList> apart;
  for (size_t i = 0; i < missing.size(); ++i) {
    RETURN_IF_ERROR(Gather(missing_nodes[i], View(directories[i]), visible,
                           cache_->Remembers(keys[missing[i]]), i, &gathered, &apart));
  }
  RETURN_IF_ERROR(ReadFirstBlocks(missing_nodes, apart, &gathered));

  std::vector<NodeId> tied;
  for (Gathered& of_node : gathered) {
    ShareHead(&of_node.head.lists);
    AddTied(of_node.entries, &tied);
  }
  RETURN_IF_ERROR(ReadIds(tied));
  for (size_t i = 0; i < missing.size(); ++i) {
    RETURN_IF_ERROR(MergeIntoHead(gathered[i].entries, &gathered[i].head));
    NodeCache::Value& value = (*values)[missing[i]];
    value = Keep(keys[missing[i]], value, visible, std::move(gathered[i]));
  }
  return absl::OkStatus();
}

NodeCache::Value CachedReader::Keep(const NodeCache::Key& key, const NodeCache::Value& before,
                                    const VisibleClasses& visible, Gathered gathered) {
  NodeCache::Value value = NodeValue::OfHead(std::move(gathered.head));
  if (gathered.is_callers) {
    const NodeCache::Value all =
        NodeValue::WithCallersHead(before.get(), {visible.number(), value});
    if (before == nullptr) {
      cache_->Insert(key, all, ticket_, sequence_);
    } else {
      cache_->Replace(key, before, all, ticket_, sequence_);
    }
  } else if (gathered.complete) {
    cache_->Insert(key, value, ticket_, sequence_);
  } else {
    cache_->Remember(key);
  }
  return value;
}

absl::Status CachedReader::Gather(NodeId node, absl::string_view directory,
                                  const VisibleClasses& visible, bool is_back, size_t index,
                                  std::vector<Gathered>* gathered, std::vector<ApartList>* apart) {
  Gathered& of_node = (*gathered)[index];
  ASSIGN_OR_RETURN(const ListDirectory decoded, DecodeListDirectory(directory));
  if (decoded.others) {
    ASSIGN_OR_RETURN(of_node.is_callers, GatherVisible(node, decoded, visible, &of_node));
    if (of_node.is_callers) return absl::OkStatus();
    of_node = Gathered();
    of_node.head.too_many_lists = true;
    // The heads of other callers stay cached.
    of_node.complete = false;
    return absl::OkStatus();
  }
  AdjacencyBlock block;
  for (const ListDirectory::List& list : decoded.lists) {
    if (!is_back && !visible.Contains(list.visibility)) {
      of_node.complete = false;
      continue;
    }
    const size_t place = of_node.head.lists.size();
    of_node.head.lists.push_back({.visibility = list.visibility});
    std::vector<AdjacentRelation>& entries = of_node.entries.emplace_back();
    if (!list.apart()) {
      RETURN_IF_ERROR(DecodeAdjacencyBlock(list.block, &block));
      entries = std::move(block.entries);
      of_node.head.lists.back().entries = static_cast<uint32_t>(entries.size());
    } else if (is_back) {
      RETURN_IF_ERROR(ReadLong(node, place, &of_node));
    } else {
      apart->push_back({index, place});
    }
  }
  return absl::OkStatus();
}

absl::Status CachedReader::ReadLong(NodeId node, size_t list, Gathered* gathered) {
  NodeValue::List& head = gathered->head.lists[list];
  std::vector<AdjacentRelation>& entries = gathered->entries[list];
  const std::string key = ListKey(node, head.visibility);
  adjacency_iterator().Seek(key);
  RETURN_IF_ERROR(
      ReadBlocks(key, list < kLongListsMax ? kHeadEntriesOfListMax : 1, &entries, &head.more));
  head.entries = static_cast<uint32_t>(entries.size());
  return absl::OkStatus();
}

absl::Status CachedReader::ReadBlocks(absl::string_view list_key, size_t most,
                                      std::vector<AdjacentRelation>* entries, bool* more) {
  rocksdb::Iterator& iterator = adjacency_iterator();
  AdjacencyBlock block;
  *more = true;
  while (*more && entries->size() < most) {
    if (!iterator.Valid() || !absl::StartsWith(View(iterator.key()), list_key)) {
      // A block may say that another follows where none does.
      *more = false;
      break;
    }
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator.value()), &block));
    entries->insert(entries->end(), block.entries.begin(), block.entries.end());
    *more = block.more_may_follow;
    iterator.Next();
  }
  return FromRocks(iterator.status(), "scanning adjacency");
}

absl::StatusOr<bool> CachedReader::GatherVisible(NodeId node, const ListDirectory& directory,
                                                 const VisibleClasses& visible,
                                                 Gathered* gathered) {
  std::map<ClassId, std::pair<NodeValue::List, std::vector<AdjacentRelation>>> lists;
  AdjacencyBlock block;
  for (const ListDirectory::List& held : directory.lists) {
    if (held.apart() || !visible.Contains(held.visibility)) continue;
    auto& [list, entries] = lists[held.visibility];
    RETURN_IF_ERROR(DecodeAdjacencyBlock(held.block, &block));
    entries = std::move(block.entries);
    list.visibility = held.visibility;
  }
  rocksdb::Iterator& iterator = adjacency_iterator();
  const std::string node_key = NodeKey(node);
  const ClassId* wanted = visible.AtOrAfter(ClassId{0});
  while (wanted != nullptr) {
    iterator.Seek(ListKey(node, *wanted));
    if (!iterator.Valid() || !absl::StartsWith(View(iterator.key()), node_key)) break;
    ASSIGN_OR_RETURN(const AdjacencyKey key, ParseAdjacencyKey(View(iterator.key())));
    if (key.is_directory()) break;
    wanted = visible.AtOrAfter(key.visibility);
    if (wanted == nullptr || *wanted != key.visibility) continue;
    if (lists.size() >= kHeadListsMax) return false;
    auto& [list, entries] = lists[key.visibility];
    list.visibility = key.visibility;
    RETURN_IF_ERROR(ReadBlocks(ListKey(node, key.visibility),
                               lists.size() <= kLongListsMax ? kHeadEntriesOfListMax : 1, &entries,
                               &list.more));
    wanted = visible.AtOrAfter(ClassId{static_cast<uint32_t>(key.visibility) + 1});
  }
  RETURN_IF_ERROR(FromRocks(iterator.status(), "scanning adjacency"));
  for (auto& [visibility, read] : lists) {
    auto& [list, entries] = read;
    list.entries = static_cast<uint32_t>(entries.size());
    gathered->head.lists.push_back(list);
    gathered->entries.push_back(std::move(entries));
  }
  return true;
}

absl::Status CachedReader::ReadFirstBlocks(absl::Span<const NodeId> nodes,
                                           absl::Span<const ApartList> apart,
                                           std::vector<Gathered>* gathered) {
  if (apart.empty()) return absl::OkStatus();
  std::vector<std::string> wanted;
  for (const ApartList& list : apart) {
    wanted.push_back(
        ListKey(nodes[list.gathered], (*gathered)[list.gathered].head.lists[list.list].visibility));
  }
  std::vector<rocksdb::PinnableSlice> found;
  RETURN_IF_ERROR(MultiGet(Family::kAdjacency, wanted, &found));
  AdjacencyBlock block;
  for (size_t i = 0; i < apart.size(); ++i) {
    Gathered& of_node = (*gathered)[apart[i].gathered];
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(found[i]), &block));
    NodeValue::List& head = of_node.head.lists[apart[i].list];
    head.entries = static_cast<uint32_t>(block.entries.size());
    head.more = block.more_may_follow;
    // When the node is asked for again more of the list is read.
    if (head.more) of_node.complete = false;
    of_node.entries[apart[i].list] = std::move(block.entries);
  }
  return absl::OkStatus();
}

}  // namespace relations
