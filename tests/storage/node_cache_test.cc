#include "storage/rocks/node_cache.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr uint64_t kPlenty = 64 << 20;

NodeCache::Value ValueOf(const std::string& record) {
  auto part = std::make_shared<NodePart>();
  part->record = record;
  return part;
}

NodeCache::Key KeyOf(uint64_t node) { return {NodeId{node}, NodeCache::kEntitySlot}; }

TEST_CASE("what was read at a snapshot is found at that and at later ones") {
  NodeCache cache(kPlenty);
  const NodeCache::Ticket ticket = cache.TakeTicket();
  CHECK(cache.Find(KeyOf(1), 10) == nullptr);
  cache.Insert(KeyOf(1), ValueOf("value"), ticket, 10);
  REQUIRE(cache.Find(KeyOf(1), 10) != nullptr);
  CHECK(cache.Find(KeyOf(1), 11)->record == "value");
  CHECK(cache.Find(KeyOf(1), 9) == nullptr);
  CHECK(cache.Find({NodeId{1}, NodeCache::kAllListsSlot}, 10) == nullptr);
  CHECK(cache.Find({NodeId{1}, ClassId{0}}, 10) == nullptr);
}

TEST_CASE("an empty value is a value") {
  NodeCache cache(kPlenty);
  cache.Insert(KeyOf(1), ValueOf(""), cache.TakeTicket(), 1);
  REQUIRE(cache.Find(KeyOf(1), 1) != nullptr);
  CHECK(cache.Find(KeyOf(1), 1)->record.empty());
}

TEST_CASE("a write drives out what it changes and nothing else") {
  NodeCache cache(kPlenty);
  cache.Insert(KeyOf(1), ValueOf("a"), cache.TakeTicket(), 1);
  cache.Insert(KeyOf(2), ValueOf("b"), cache.TakeTicket(), 1);
  const std::vector<NodeCache::Key> keys = {KeyOf(1)};
  cache.BeginWrite(keys);
  CHECK(cache.Find(KeyOf(1), 5) == nullptr);
  CHECK(cache.Find(KeyOf(2), 5) != nullptr);
  cache.EndWrite(keys);
  CHECK(cache.Find(KeyOf(1), 5) == nullptr);
}

TEST_CASE("a value that may be older than a write is not taken in") {
  NodeCache cache(kPlenty);
  const std::vector<NodeCache::Key> keys = {KeyOf(1), KeyOf(1)};
  const NodeCache::Ticket before = cache.TakeTicket();
  cache.BeginWrite(keys);
  const NodeCache::Ticket during = cache.TakeTicket();
  // While the write is under way, and after it for views that began before its end.
  for (const bool ended : {false, true}) {
    CAPTURE(ended);
    if (ended) cache.EndWrite(keys);
    cache.Insert(KeyOf(1), ValueOf("old"), before, 1);
    CHECK(cache.Find(KeyOf(1), 9) == nullptr);
    cache.Insert(KeyOf(1), ValueOf("old"), during, 1);
    CHECK(cache.Find(KeyOf(1), 9) == nullptr);
  }
  cache.Insert(KeyOf(1), ValueOf("new"), cache.TakeTicket(), 9);
  REQUIRE(cache.Find(KeyOf(1), 9) != nullptr);
  CHECK(cache.Find(KeyOf(1), 9)->record == "new");
}

TEST_CASE("the budget holds, overhead included") {
  NodeCache cache(1 << 20);
  for (uint64_t node = 1; node <= 50'000; ++node) {
    cache.Insert(KeyOf(node), ValueOf(std::string(100, 'x')), cache.TakeTicket(), 1);
  }
  CHECK(cache.counts().bytes <= 1 << 20);
  CHECK(cache.counts().entries > 1500);
  CHECK(cache.counts().entries < 1 << 20);
}

TEST_CASE("a value too large for its share is left out") {
  NodeCache cache(1 << 20);
  const std::string large(1 << 16, 'x');
  cache.Insert(KeyOf(1), ValueOf(large), cache.TakeTicket(), 1);
  CHECK(cache.Find(KeyOf(1), 1) == nullptr);
}

TEST_CASE("a scan does not drive out what is read again and again") {
  NodeCache cache(1 << 20);
  const std::string value(100, 'x');
  const auto read = [&](uint64_t node) {
    if (cache.Find(KeyOf(node), 1) != nullptr) return true;
    cache.Insert(KeyOf(node), ValueOf(value), cache.TakeTicket(), 1);
    return false;
  };
  for (int round = 0; round < 5; ++round) {
    for (uint64_t node = 1; node <= 500; ++node) read(node);
  }
  // Ten times what the cache holds, each once; the hot ones are read meanwhile.
  for (uint64_t node = 1000; node < 50'000; ++node) {
    read(node);
    read(1 + node % 500);
  }
  int hot = 0;
  for (uint64_t node = 1; node <= 500; ++node) hot += read(node) ? 1 : 0;
  CHECK(hot > 450);
}

TEST_CASE("a cache of no bytes holds nothing") {
  NodeCache cache(0);
  cache.Insert(KeyOf(1), ValueOf("value"), cache.TakeTicket(), 1);
  CHECK(cache.Find(KeyOf(1), 1) == nullptr);
  const std::vector<NodeCache::Key> keys = {KeyOf(1)};
  cache.BeginWrite(keys);
  cache.EndWrite(keys);
  CHECK(cache.counts().entries == 0);
}

TEST_CASE("hits and misses are counted") {
  NodeCache cache(kPlenty);
  cache.Find(KeyOf(1), 1);
  cache.Insert(KeyOf(1), ValueOf("value"), cache.TakeTicket(), 1);
  cache.Find(KeyOf(1), 1);
  cache.Find(KeyOf(1), 1);
  CHECK(cache.counts().misses == 1);
  CHECK(cache.counts().hits == 2);
}

}  // namespace
}  // namespace relations
