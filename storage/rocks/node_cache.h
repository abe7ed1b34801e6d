// A bounded cache of what the walk reads of nodes, above RocksDB: where a hot point read of RocksDB
// costs microseconds, a hit here costs a hash look-up. Holds entity records, merged heads of
// adjacency lists, the records of pairs of nodes (which hubs are asked for again and again) and the
// nodes of ids.
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

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/graph_types.h"
#include "storage/rocks/node_value.h"

namespace relations {

class NodeCache {
 public:
  // What a value is of. Made by the functions below.
  struct Key {
    uint64_t number = 0;
    uint64_t slot = 0;

    friend bool operator==(const Key& a, const Key& b) {
      return a.number == b.number && a.slot == b.slot;
    }
    template <typename H>
    friend H AbslHashValue(H hash, const Key& key) {
      return H::combine(std::move(hash), key.number, key.slot);
    }
  };
  // The record of a node's entity.
  static Key EntityKey(NodeId node) { return {static_cast<uint64_t>(node), kEntitySlot}; }
  // The heads of all lists of a node, merged.
  static Key ListsKey(NodeId node) { return {static_cast<uint64_t>(node), kListsSlot}; }
  // The records of the relations between two nodes, in both directions.
  static Key PairKey(NodeId a, NodeId b) {
    return {static_cast<uint64_t>(std::min(a, b)), static_cast<uint64_t>(std::max(a, b))};
  }
  // The node of an id. Ids may share a key: the value tells whose it is.
  static Key IdKey(absl::string_view id) { return {absl::HashOf(id), kIdSlot}; }

  using Value = std::shared_ptr<const NodeValue>;
  using Ticket = uint64_t;

  struct Counts {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t bytes = 0;
    uint64_t entries = 0;
    // In queues, those of erased values included.
    uint64_t places = 0;
  };

  // Holds at most about `capacity_bytes`, the cache's own overhead included; with 0 it holds
  // nothing.
  explicit NodeCache(uint64_t capacity_bytes);
  NodeCache(const NodeCache&) = delete;
  NodeCache& operator=(const NodeCache&) = delete;

  uint64_t capacity_bytes() const { return capacity_bytes_; }
  bool enabled() const { return capacity_bytes_ != 0; }

  // To be taken before the view's snapshot.
  Ticket TakeTicket() const { return clock_.load(std::memory_order_seq_cst); }

  // The values at the snapshot with this sequence number; null where one is not here. Cheaper for
  // many keys at once than one by one: their misses of the processor's caches overlap.
  void Find(absl::Span<const Key> keys, uint64_t snapshot, std::vector<Value>* values);
  Value Find(const Key& key, uint64_t snapshot);

  // Keys that left the cache lately, or that somebody asked it to remember: they are worth more
  // work than what is seen for the first time.
  bool Remembers(const Key& key);
  void Remember(const Key& key);

  // Offers a value that was read at the view's snapshot; the cache takes it in or leaves it.
  void Insert(const Key& key, const Value& value, Ticket ticket, uint64_t snapshot);
  // The same with one that holds all that `before` does, which Find gave: it takes its place.
  void Replace(const Key& key, const Value& before, const Value& value, Ticket ticket,
               uint64_t snapshot);

  // Around the write of a batch that changes these keys. EndWrite must follow also when it failed.
  void BeginWrite(absl::Span<const Key> keys);
  void EndWrite(absl::Span<const Key> keys);
  // The same around a write that may change any key: everything is forgotten.
  void BeginWriteOfAll();
  void EndWriteOfAll();

  Counts counts() const;

 private:
  // Slots beyond every node: numbers of nodes are dense.
  static constexpr uint64_t kEntitySlot = UINT64_MAX;
  static constexpr uint64_t kListsSlot = UINT64_MAX - 1;
  static constexpr uint64_t kIdSlot = UINT64_MAX - 2;

  struct Item {
    Value value;
    uint64_t snapshot = 0;
    // Of its place in a queue: an older place of the same key is void.
    uint64_t place = 0;
    uint32_t charge = 0;
    // Reads since it came or was last passed over, at most kReadsMax.
    uint8_t reads = 0;
    bool in_main = false;
  };
  struct Place {
    Key key;
    uint64_t place = 0;
  };
  // Newest at the back.
  using Queue = std::deque<Place>;

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<Key, Item> items;
    Queue small;
    Queue main;
    uint64_t small_bytes = 0;
    uint64_t main_bytes = 0;
    uint64_t last_place = 0;
    // Keys that left the small queue lately, and those of Remember: when they come they go to the
    // main queue.
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

  static size_t ShardIndexOf(const Key& key) { return absl::HashOf(key) % kShards; }
  Shard& ShardOf(const Key& key) { return shards_[ShardIndexOf(key)]; }
  template <typename Change>
  void ForEachShardOf(absl::Span<const Key> keys, const Change& change);
  // REQUIRES, as all below: the shard's mutex is held.
  static Value FindIn(Shard& shard, const Key& key, uint64_t snapshot);
  static bool MayInsert(const Shard& shard, Ticket ticket) {
    return shard.writes_under_way == 0 && shard.last_write <= ticket;
  }
  // What a value costs; nothing when it is not to be held.
  std::optional<uint32_t> ChargeOf(const NodeValue& value) const;
  void Evict(Shard& shard);
  static void EvictFromSmall(Shard& shard);
  static void EvictFromMain(Shard& shard);
  static void Erase(Shard& shard, const Key& key);
  static void AddGhost(Shard& shard, const Key& key);
  static void Enqueue(Shard& shard, const Key& key, Item& item);
  // The item that the queue's oldest place is of, the place removed; null when it is void.
  static Item* TakeOldest(Shard& shard, Queue& queue, Key* key);
  static void DropVoidPlaces(Shard& shard);

  const uint64_t capacity_bytes_;
  std::atomic<uint64_t> clock_{1};
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace relations
