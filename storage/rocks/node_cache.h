// A bounded cache of what the walk reads of nodes, above RocksDB: where a hot point read of RocksDB
// costs microseconds, a hit here costs a hash look-up. Holds decoded values (entity records, heads
// of adjacency lists) by node and slot.
//
// Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023):
// what is read once passes through a small queue and leaves again, so a scan does not drive the hot
// set out.
//
// Exactness: a view must never get a value that is not of its snapshot, whatever is written
// meanwhile.
//   1. A writer erases the keys it will change before its batch (BeginWrite) and reports again
//   after
//      it (EndWrite). Between the two nobody may insert into the shards concerned.
//   2. An entry remembers the snapshot it was read at. Since it would have been erased before any
//      later change, it is the value of every snapshot from then to now: Find gives it to views at
//      least as new.
//   3. A view takes its ticket before its snapshot. Insert refuses a value when its shard saw a
//   write
//      that began or ended after the ticket was taken: the value might be older than that write.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"

namespace relations {

// A value of the cache: the bytes of an entity record, or the merged head of adjacency lists.
struct NodePart {
  // One list of the head.
  struct List {
    ClassId visibility{};
    // Its entries in `entries`: the first ones of its first block.
    size_t entries = 0;
    // The list has more than these.
    bool more = false;
  };

  // Of an entity: the stored record; empty when there is none.
  std::string record;

  // Of lists: their first entries in list order, and for each the index of its list.
  std::vector<AdjacentRelation> entries;
  std::vector<uint8_t> list_of_entry;
  std::vector<List> lists;
  // The node has too many lists to be held as one head; nothing else is set then.
  bool too_many_lists = false;

  size_t Bytes() const {
    return record.size() + entries.size() * (sizeof(AdjacentRelation) + 1) +
           lists.size() * sizeof(List);
  }
};

class NodeCache {
 public:
  // What of a node: the head of its list of a class, or one of the two slots below.
  struct Key {
    NodeId node{};
    ClassId slot{};

    friend bool operator==(const Key& a, const Key& b) {
      return a.node == b.node && a.slot == b.slot;
    }
    template <typename H>
    friend H AbslHashValue(H hash, const Key& key) {
      return H::combine(std::move(hash), key.node, key.slot);
    }
  };
  static constexpr ClassId kEntitySlot{UINT32_MAX};
  // The heads of all lists of the node, merged.
  static constexpr ClassId kAllListsSlot{UINT32_MAX - 1};

  using Value = std::shared_ptr<const NodePart>;
  using Ticket = uint64_t;

  struct Counts {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t bytes = 0;
    uint64_t entries = 0;
  };

  // Holds at most about `capacity_bytes`, the cache's own overhead included; with 0 it holds
  // nothing.
  explicit NodeCache(uint64_t capacity_bytes);
  NodeCache(const NodeCache&) = delete;
  NodeCache& operator=(const NodeCache&) = delete;

  bool enabled() const { return capacity_bytes_ != 0; }

  // To be taken before the view's snapshot.
  Ticket TakeTicket() const { return clock_.load(std::memory_order_seq_cst); }

  // The value at the snapshot with this sequence number; null when it is not here.
  Value Find(const Key& key, uint64_t snapshot);

  // Offers a value that was read at the view's snapshot; the cache takes it in or leaves it.
  void Insert(const Key& key, const Value& value, Ticket ticket, uint64_t snapshot);

  // Around the write of a batch that changes these keys. EndWrite must follow also when it failed.
  void BeginWrite(absl::Span<const Key> keys);
  void EndWrite(absl::Span<const Key> keys);
  // The same around a write that may change any key: everything is forgotten.
  void BeginWriteOfAll();
  void EndWriteOfAll();

  Counts counts() const;

 private:
  struct Item {
    Key key;
    Value value;
    uint64_t snapshot = 0;
    size_t charge = 0;
    // Reads since it came or was last passed over, at most kReadsMax.
    uint8_t reads = 0;
    bool in_main = false;
  };
  // Newest at the front.
  using Queue = std::list<Item>;

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<Key, Queue::iterator> items;
    Queue small;
    Queue main;
    uint64_t small_bytes = 0;
    uint64_t main_bytes = 0;
    // Keys that left the small queue lately: those that come back go to the main queue.
    absl::flat_hash_set<Key> ghosts;
    std::deque<Key> ghost_order;
    // Of the clock, when a write to keys of this shard last began or ended.
    uint64_t last_write = 0;
    uint32_t writes_under_way = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
  };

  static constexpr uint8_t kReadsMax = 3;
  static constexpr size_t kShards = 64;

  Shard& ShardOf(const Key& key) { return shards_[absl::HashOf(key) % kShards]; }
  template <typename Change>
  void ForEachShardOf(absl::Span<const Key> keys, const Change& change);
  // REQUIRES: the shard's mutex is held.
  void Evict(Shard& shard);
  static void EvictFromSmall(Shard& shard);
  static void EvictFromMain(Shard& shard);
  static void Erase(Shard& shard, const Key& key);

  const uint64_t capacity_bytes_;
  std::atomic<uint64_t> clock_{1};
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace relations
