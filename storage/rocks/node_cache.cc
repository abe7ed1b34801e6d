#include "storage/rocks/node_cache.h"

#include <algorithm>
#include <array>

#include "absl/container/inlined_vector.h"

namespace relations {
namespace {

// The share of a shard's bytes that what was not read again may take.
constexpr uint64_t kSmallShare = 10;
// An item's places in the table (just grown) and in a queue, a ghost, and the value's control
// block; and what the allocator rounds up.
constexpr size_t kOverheadBytes = 320;
constexpr size_t kRoundingShare = 8;
// Find: keys that are asked for at once, at most nearly always; and shards that are locked at once,
// enough for the misses of their keys to overlap, few enough for others to get on.
constexpr size_t kKeysUsual = 128;
constexpr size_t kShardsAtOnce = 8;

// Tries before a thread sleeps. A shard is locked for about a microsecond, which is less than being
// put to sleep and woken costs.
constexpr int kTriesMax = 200;

std::unique_lock<std::mutex> LockSoon(std::mutex& mutex) {
  for (int i = 0; i < kTriesMax; ++i) {
    std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
    if (lock.owns_lock()) return lock;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return std::unique_lock<std::mutex>(mutex);
}

}  // namespace

NodeCache::NodeCache(uint64_t capacity_bytes)
    : capacity_bytes_(capacity_bytes), shards_(std::make_unique<Shard[]>(kShards)) {}

NodeCache::Value NodeCache::FindIn(Shard& shard, const Key& key, uint64_t snapshot) {
  const auto found = shard.items.find(key);
  if (found == shard.items.end() || found->second.snapshot > snapshot) {
    ++shard.misses;
    return nullptr;
  }
  Item& item = found->second;
  if (item.reads < kReadsMax) ++item.reads;
  ++shard.hits;
  return item.value;
}

NodeCache::Value NodeCache::Find(const Key& key, uint64_t snapshot) {
  if (!enabled()) return nullptr;
  Shard& shard = ShardOf(key);
  const std::unique_lock<std::mutex> lock = LockSoon(shard.mutex);
  return FindIn(shard, key, snapshot);
}

// A few shards at a time are locked together, in their order, so that each key costs one lock
// however often it is looked at; all else locks one shard at most.
void NodeCache::Find(absl::Span<const Key> keys, uint64_t snapshot, std::vector<Value>* values) {
  values->assign(keys.size(), nullptr);
  if (!enabled()) return;
  struct Wanted {
    size_t shard;
    size_t index;
  };
  absl::InlinedVector<Wanted, kKeysUsual> wanted;
  for (size_t i = 0; i < keys.size(); ++i) wanted.push_back({ShardIndexOf(keys[i]), i});
  std::sort(wanted.begin(), wanted.end(),
            [](const Wanted& a, const Wanted& b) { return a.shard < b.shard; });
  std::array<std::unique_lock<std::mutex>, kShardsAtOnce> locks;
  for (auto begin = wanted.begin(); begin != wanted.end();) {
    size_t locked = 0;
    auto end = begin;
    // First the table's slots of all keys, then the values, are fetched side by side.
    for (; end != wanted.end(); ++end) {
      Shard& shard = shards_[end->shard];
      if (end == begin || end->shard != (end - 1)->shard) {
        if (locked == kShardsAtOnce) break;
        locks[locked++] = LockSoon(shard.mutex);
      }
      shard.items.prefetch(keys[end->index]);
    }
    for (auto key = begin; key != end; ++key) {
      const auto& items = shards_[key->shard].items;
      const auto found = items.find(keys[key->index]);
      if (found == items.end()) continue;
      const auto* const value = reinterpret_cast<const char*>(found->second.value.get());
      // The count of owners stands before the value.
      __builtin_prefetch(value - 16, 1);
      __builtin_prefetch(value + 64);
    }
    for (auto key = begin; key != end; ++key) {
      (*values)[key->index] = FindIn(shards_[key->shard], keys[key->index], snapshot);
    }
    while (locked > 0) locks[--locked].unlock();
    begin = end;
  }
}

std::optional<uint32_t> NodeCache::ChargeOf(const NodeValue& value) const {
  const size_t charge = value.bytes() + value.bytes() / kRoundingShare + kOverheadBytes;
  // A value that would take a shard for itself is not worth what it drives out.
  if (!enabled() || charge > capacity_bytes_ / kShards / 4 || charge > UINT32_MAX) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(charge);
}

void NodeCache::Insert(const Key& key, const Value& value, Ticket ticket, uint64_t snapshot) {
  const std::optional<uint32_t> charge = ChargeOf(*value);
  if (!charge.has_value()) return;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  if (!MayInsert(shard, ticket) || shard.items.contains(key)) return;
  Item& item = shard.items[key];
  item.value = value;
  item.snapshot = snapshot;
  item.charge = *charge;
  item.in_main = shard.ghosts.erase(key) != 0;
  (item.in_main ? shard.main_bytes : shard.small_bytes) += *charge;
  Enqueue(shard, key, item);
  Evict(shard);
}

void NodeCache::Replace(const Key& key, const Value& before, const Value& value, Ticket ticket,
                        uint64_t snapshot) {
  const std::optional<uint32_t> charge = ChargeOf(*value);
  if (!charge.has_value()) return;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.items.find(key);
  if (!MayInsert(shard, ticket) || found == shard.items.end() || found->second.value != before) {
    return;
  }
  Item& item = found->second;
  uint64_t& bytes = item.in_main ? shard.main_bytes : shard.small_bytes;
  bytes += *charge;
  bytes -= item.charge;
  item.value = value;
  item.snapshot = snapshot;
  item.charge = *charge;
  Evict(shard);
}

void NodeCache::Enqueue(Shard& shard, const Key& key, Item& item) {
  item.place = ++shard.last_place;
  (item.in_main ? shard.main : shard.small).push_back({key, item.place});
}

NodeCache::Item* NodeCache::TakeOldest(Shard& shard, Queue& queue, Key* key) {
  const Place oldest = queue.front();
  queue.pop_front();
  const auto found = shard.items.find(oldest.key);
  if (found == shard.items.end() || found->second.place != oldest.place) return nullptr;
  *key = oldest.key;
  return &found->second;
}

void NodeCache::Evict(Shard& shard) {
  const uint64_t capacity = capacity_bytes_ / kShards;
  while (shard.small_bytes + shard.main_bytes > capacity) {
    if (shard.small_bytes * kSmallShare > capacity || shard.main_bytes == 0) {
      EvictFromSmall(shard);
    } else {
      EvictFromMain(shard);
    }
  }
}

void NodeCache::EvictFromSmall(Shard& shard) {
  Key key;
  Item* const oldest = TakeOldest(shard, shard.small, &key);
  if (oldest == nullptr) return;
  shard.small_bytes -= oldest->charge;
  if (oldest->reads > 0) {
    oldest->reads = 0;
    oldest->in_main = true;
    shard.main_bytes += oldest->charge;
    Enqueue(shard, key, *oldest);
    return;
  }
  AddGhost(shard, key);
  shard.items.erase(key);
}

void NodeCache::AddGhost(Shard& shard, const Key& key) {
  if (shard.ghosts.insert(key).second) shard.ghost_order.push_back(key);
  // As many ghosts as there are items: they must not outgrow what they serve.
  while (shard.ghost_order.size() > std::max<size_t>(64, shard.items.size())) {
    shard.ghosts.erase(shard.ghost_order.front());
    shard.ghost_order.pop_front();
  }
}

bool NodeCache::Remembers(const Key& key) {
  if (!enabled()) return false;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  return shard.ghosts.contains(key);
}

void NodeCache::Remember(const Key& key) {
  if (!enabled()) return;
  Shard& shard = ShardOf(key);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  AddGhost(shard, key);
}

void NodeCache::EvictFromMain(Shard& shard) {
  Key key;
  Item* const oldest = TakeOldest(shard, shard.main, &key);
  if (oldest == nullptr) return;
  if (oldest->reads > 0) {
    --oldest->reads;
    Enqueue(shard, key, *oldest);
    return;
  }
  shard.main_bytes -= oldest->charge;
  shard.items.erase(key);
}

void NodeCache::Erase(Shard& shard, const Key& key) {
  const auto found = shard.items.find(key);
  if (found == shard.items.end()) return;
  (found->second.in_main ? shard.main_bytes : shard.small_bytes) -= found->second.charge;
  shard.items.erase(found);
  DropVoidPlaces(shard);
}

// What is erased leaves its place in a queue behind. Where nothing is evicted, as everything fits,
// nobody else would take those away.
void NodeCache::DropVoidPlaces(Shard& shard) {
  if (shard.small.size() + shard.main.size() <= 2 * shard.items.size() + 64) return;
  const auto is_void = [&](const Place& place) {
    const auto found = shard.items.find(place.key);
    return found == shard.items.end() || found->second.place != place.place;
  };
  for (Queue* const queue : {&shard.small, &shard.main}) {
    queue->erase(std::remove_if(queue->begin(), queue->end(), is_void), queue->end());
  }
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
    counts.places += shard.small.size() + shard.main.size();
  }
  return counts;
}

}  // namespace relations
