#include "storage/rocks/node_cache.h"

#include <algorithm>
#include <iterator>

namespace relations {
namespace {

// The share of a shard's bytes that what was not read again may take.
constexpr uint64_t kSmallShare = 10;
// An item, its two list pointers, its place in the table and the value's fixed part.
constexpr size_t kOverheadBytes = 320;

}  // namespace

NodeCache::NodeCache(uint64_t capacity_bytes)
    : capacity_bytes_(capacity_bytes), shards_(std::make_unique<Shard[]>(kShards)) {}

NodeCache::Value NodeCache::Find(const Key& key, uint64_t snapshot) {
  if (!enabled()) return nullptr;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.items.find(key);
  if (found == shard.items.end() || found->second->snapshot > snapshot) {
    ++shard.misses;
    return nullptr;
  }
  Item& item = *found->second;
  if (item.reads < kReadsMax) ++item.reads;
  ++shard.hits;
  return item.value;
}

void NodeCache::Insert(const Key& key, const Value& value, Ticket ticket, uint64_t snapshot) {
  const size_t charge = value->Bytes() + kOverheadBytes;
  // A value that would take a shard for itself is not worth what it drives out.
  if (!enabled() || charge > capacity_bytes_ / kShards / 4) return;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  if (shard.writes_under_way != 0 || shard.last_write > ticket || shard.items.contains(key)) {
    return;
  }
  const bool came_back = shard.ghosts.erase(key) != 0;
  Queue& queue = came_back ? shard.main : shard.small;
  queue.push_front(Item{key, value, snapshot, charge, 0, came_back});
  (came_back ? shard.main_bytes : shard.small_bytes) += charge;
  shard.items.emplace(key, queue.begin());
  Evict(shard);
}

void NodeCache::Evict(Shard& shard) {
  const uint64_t capacity = capacity_bytes_ / kShards;
  while (shard.small_bytes + shard.main_bytes > capacity) {
    if (shard.small_bytes * kSmallShare > capacity || shard.main.empty()) {
      EvictFromSmall(shard);
    } else {
      EvictFromMain(shard);
    }
  }
}

void NodeCache::EvictFromSmall(Shard& shard) {
  const Queue::iterator oldest = std::prev(shard.small.end());
  shard.small_bytes -= oldest->charge;
  if (oldest->reads > 0) {
    oldest->reads = 0;
    oldest->in_main = true;
    shard.main_bytes += oldest->charge;
    shard.main.splice(shard.main.begin(), shard.small, oldest);
    return;
  }
  if (shard.ghosts.insert(oldest->key).second) shard.ghost_order.push_back(oldest->key);
  // As many ghosts as there are items: they must not outgrow what they serve.
  while (shard.ghost_order.size() > std::max<size_t>(64, shard.items.size())) {
    shard.ghosts.erase(shard.ghost_order.front());
    shard.ghost_order.pop_front();
  }
  shard.items.erase(oldest->key);
  shard.small.erase(oldest);
}

void NodeCache::EvictFromMain(Shard& shard) {
  const Queue::iterator oldest = std::prev(shard.main.end());
  if (oldest->reads > 0) {
    --oldest->reads;
    shard.main.splice(shard.main.begin(), shard.main, oldest);
    return;
  }
  shard.main_bytes -= oldest->charge;
  shard.items.erase(oldest->key);
  shard.main.erase(oldest);
}

void NodeCache::Erase(Shard& shard, const Key& key) {
  const auto found = shard.items.find(key);
  if (found == shard.items.end()) return;
  const Queue::iterator item = found->second;
  (item->in_main ? shard.main_bytes : shard.small_bytes) -= item->charge;
  (item->in_main ? shard.main : shard.small).erase(item);
  shard.items.erase(found);
}

template <typename Change>
void NodeCache::ForEachShardOf(absl::Span<const Key> keys, const Change& change) {
  const uint64_t now = clock_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (const Key& key : keys) {
    Shard& shard = ShardOf(key);
    const std::lock_guard<std::mutex> lock(shard.mutex);
    shard.last_write = now;
    change(shard, key);
  }
}

void NodeCache::BeginWrite(absl::Span<const Key> keys) {
  if (!enabled()) return;
  ForEachShardOf(keys, [](Shard& shard, const Key& key) {
    // Once for each key: EndWrite takes as many away.
    ++shard.writes_under_way;
    Erase(shard, key);
  });
}

void NodeCache::EndWrite(absl::Span<const Key> keys) {
  if (!enabled()) return;
  ForEachShardOf(keys, [](Shard& shard, const Key& /*key*/) { --shard.writes_under_way; });
}

void NodeCache::BeginWriteOfAll() {
  if (!enabled()) return;
  const uint64_t now = clock_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[i];
    const std::lock_guard<std::mutex> lock(shard.mutex);
    shard.last_write = now;
    ++shard.writes_under_way;
    shard.items.clear();
    shard.small.clear();
    shard.main.clear();
    shard.small_bytes = 0;
    shard.main_bytes = 0;
  }
}

void NodeCache::EndWriteOfAll() {
  if (!enabled()) return;
  const uint64_t now = clock_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[i];
    const std::lock_guard<std::mutex> lock(shard.mutex);
    shard.last_write = now;
    --shard.writes_under_way;
  }
}

NodeCache::Counts NodeCache::counts() const {
  Counts counts;
  for (size_t i = 0; i < kShards; ++i) {
    const Shard& shard = shards_[i];
    const std::lock_guard<std::mutex> lock(shard.mutex);
    counts.hits += shard.hits;
    counts.misses += shard.misses;
    counts.bytes += shard.small_bytes + shard.main_bytes;
    counts.entries += shard.items.size();
  }
  return counts;
}

}  // namespace relations
