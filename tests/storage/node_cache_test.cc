#include "storage/rocks/node_cache.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr uint64_t kPlenty = 64 << 20;

NodeCache::Value ValueOf(const std::string& record) { return NodeValue::OfRecord(record); }

NodeCache::Key KeyOf(uint64_t node) { return NodeCache::EntityKey(NodeId{node}); }

TEST_CASE("what was read at a snapshot is found at that and at later ones") {
  NodeCache cache(kPlenty);
  const NodeCache::Ticket ticket = cache.TakeTicket();
  CHECK(cache.Find(KeyOf(1), 10) == nullptr);
  cache.Insert(KeyOf(1), ValueOf("value"), ticket, 10);
  REQUIRE(cache.Find(KeyOf(1), 10) != nullptr);
  CHECK(cache.Find(KeyOf(1), 11)->record() == "value");
  CHECK(cache.Find(KeyOf(1), 9) == nullptr);
  CHECK(cache.Find(NodeCache::ListsKey(NodeId{1}), 10) == nullptr);
  CHECK(cache.Find(NodeCache::PairKey(NodeId{1}, NodeId{0}), 10) == nullptr);
}

TEST_CASE("many are found at once as one by one") {
  NodeCache cache(kPlenty);
  for (uint64_t node = 1; node <= 100; node += 2) {
    cache.Insert(KeyOf(node), ValueOf("value " + std::to_string(node)), cache.TakeTicket(),
                 node < 50 ? 1 : 9);
  }
  std::vector<NodeCache::Key> keys;
  for (uint64_t node = 1; node <= 100; ++node) keys.push_back(KeyOf(node));
  std::vector<NodeCache::Value> values = {ValueOf("of an earlier call")};
  cache.Find(keys, 5, &values);
  REQUIRE(values.size() == 100);
  for (uint64_t node = 1; node <= 100; ++node) {
    CAPTURE(node);
    const NodeCache::Value& value = values[node - 1];
    REQUIRE((value != nullptr) == (node % 2 == 1 && node < 50));
    if (value != nullptr) CHECK(value->record() == "value " + std::to_string(node));
  }
  CHECK(cache.counts().hits == 25);
  CHECK(cache.counts().misses == 75);
}

TEST_CASE("a pair has one key, whichever node comes first") {
  CHECK(NodeCache::PairKey(NodeId{1}, NodeId{2}) == NodeCache::PairKey(NodeId{2}, NodeId{1}));
  CHECK_FALSE(NodeCache::PairKey(NodeId{1}, NodeId{2}) == NodeCache::PairKey(NodeId{1}, NodeId{3}));
}

TEST_CASE("the head of lists keeps every entry and where each list ends") {
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000) + absl::Nanoseconds(123'456'789);
  NodeValue::Head head;
  head.lists = {
      {ClassId{0}, 2, 0, 0, false}, {ClassId{7}, 1, 0, 0, true}, {ClassId{9}, 0, 0, 0, true}};
  head.entries = {
      {time, NodeId{4}, LabelId{70'000}, Direction::kIncoming, RelationMode::kAggregation, true},
      {absl::FromUnixSeconds(-62'135'596'800), NodeId{1}, LabelId{0}, Direction::kOutgoing,
       RelationMode::kAssociation, false},
      {absl::FromUnixSeconds(253'402'300'799), NodeId{uint64_t{1} << 40}, LabelId{1},
       Direction::kIncoming, RelationMode::kAssociation, false}};
  head.list_of_entry = {0, 1, 0};
  const NodeCache::Value value = NodeValue::OfHead(head);
  REQUIRE(value->size() == 3);
  CHECK(value->record().empty());
  const RelationChunk chunk(value->neighbours(), value->details(), {}, value);
  for (size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    const AdjacentRelation entry = chunk[i];
    CHECK(entry.last_seen == head.entries[i].last_seen);
    CHECK(entry.neighbour == head.entries[i].neighbour);
    CHECK(entry.type == head.entries[i].type);
    CHECK(entry.direction == head.entries[i].direction);
    CHECK(entry.mode == head.entries[i].mode);
    CHECK(entry.sole == head.entries[i].sole);
    CHECK(value->list_of_entry()[i] == head.list_of_entry[i]);
  }
  REQUIRE(value->lists().size() == 3);
  CHECK(value->lists()[0].end == 3);
  CHECK(value->lists()[1].end == 2);
  CHECK(value->lists()[2].end == 0);
  CHECK(value->lists()[1].visibility == ClassId{7});
  CHECK(value->lists()[2].more);
  const auto positions = [&](size_t list) {
    const absl::Span<const uint16_t> found = value->positions(value->lists()[list]);
    return std::vector<uint16_t>(found.begin(), found.end());
  };
  CHECK(positions(0) == std::vector<uint16_t>{0, 2});
  CHECK(positions(1) == std::vector<uint16_t>{1});
  CHECK(positions(2).empty());
}

TEST_CASE("the entries of a short list of a long head also stand by themselves") {
  NodeValue::Head head;
  head.lists = {{ClassId{0}, 198, 0, 0, false}, {ClassId{1}, 2, 0, 0, false}};
  for (uint64_t i = 0; i < 200; ++i) {
    head.entries.push_back({absl::FromUnixSeconds(static_cast<int64_t>(1000 - i)),
                            NodeId{i + 1},
                            {},
                            {},
                            {},
                            i == 150});
    head.list_of_entry.push_back(i == 70 || i == 150 ? 1 : 0);
  }
  const NodeCache::Value value = NodeValue::OfHead(head);
  REQUIRE(value->lists().size() == 2);
  CHECK_FALSE(value->lists()[0].stands_apart);
  const NodeValue::List& list = value->lists()[1];
  REQUIRE(list.stands_apart);
  REQUIRE(value->neighbours_of(list).size() == 2);
  CHECK(value->neighbours_of(list)[0] == NodeId{71});
  CHECK(value->neighbours_of(list)[1] == NodeId{151});
  CHECK_FALSE(value->details_of(list)[0].sole());
  CHECK(value->details_of(list)[1].sole());
  CHECK(value->details_of(list)[1].last_seen() == absl::FromUnixSeconds(850));
  CHECK(value->neighbours()[70] == NodeId{71});
}

TEST_CASE("a node with too many lists keeps a head for each of its callers, the latest ones") {
  const auto head_of = [](uint64_t neighbour) {
    NodeValue::Head head;
    head.lists = {{ClassId{0}, 1, 0, 0, false}};
    head.entries = {{absl::FromUnixSeconds(1000), NodeId{neighbour}, {}, {}, {}, false}};
    head.list_of_entry = {0};
    return NodeValue::OfHead(std::move(head));
  };
  NodeCache::Value value;
  for (uint64_t caller = 1; caller <= NodeValue::kCallersMax + 1; ++caller) {
    value = NodeValue::WithCallersHead(value.get(), {caller, head_of(caller + 100)});
  }
  CHECK(value->too_many_lists());
  CHECK(value->HeadFor(1) == nullptr);
  for (uint64_t caller = 2; caller <= NodeValue::kCallersMax + 1; ++caller) {
    REQUIRE(value->HeadFor(caller) != nullptr);
    CHECK(value->HeadFor(caller)->neighbours()[0] == NodeId{caller + 100});
  }
  CHECK(value->bytes() > NodeValue::kCallersMax * head_of(1)->bytes());
}

TEST_CASE("a value takes the place of the one that it grew from, and of no other") {
  NodeCache cache(kPlenty);
  const NodeCache::Ticket ticket = cache.TakeTicket();
  const NodeCache::Value first = ValueOf("first");
  const NodeCache::Value larger = ValueOf("first and more");
  cache.Replace(KeyOf(1), first, larger, ticket, 10);
  CHECK(cache.Find(KeyOf(1), 10) == nullptr);
  cache.Insert(KeyOf(1), first, ticket, 10);
  cache.Replace(KeyOf(1), ValueOf("first"), larger, ticket, 11);
  CHECK(cache.Find(KeyOf(1), 11) == first);
  const uint64_t bytes_before = cache.counts().bytes;
  cache.Replace(KeyOf(1), first, larger, ticket, 11);
  CHECK(cache.Find(KeyOf(1), 10) == nullptr);
  CHECK(cache.Find(KeyOf(1), 11) == larger);
  CHECK(cache.counts().bytes > bytes_before);
  CHECK(cache.counts().entries == 1);
  // Nothing read before a write takes the place of what is there after it.
  const std::vector<NodeCache::Key> keys = {KeyOf(1)};
  cache.BeginWrite(keys);
  cache.EndWrite(keys);
  CHECK(cache.counts().bytes == 0);
  cache.Insert(KeyOf(1), first, cache.TakeTicket(), 12);
  cache.Replace(KeyOf(1), first, larger, ticket, 12);
  CHECK(cache.Find(KeyOf(1), 12) == first);
}

TEST_CASE("what is written again and again leaves nothing behind") {
  NodeCache cache(kPlenty);
  const std::vector<NodeCache::Key> keys = {KeyOf(1)};
  for (int time = 0; time < 100'000; ++time) {
    cache.Insert(KeyOf(1), ValueOf("value"), cache.TakeTicket(), 1);
    cache.BeginWrite(keys);
    cache.EndWrite(keys);
  }
  CHECK(cache.counts().entries == 0);
  CHECK(cache.counts().bytes == 0);
  CHECK(cache.counts().places < 100);
}

TEST_CASE("a key that is to be remembered is, until as many others are") {
  NodeCache cache(kPlenty);
  CHECK_FALSE(cache.Remembers(KeyOf(1)));
  cache.Remember(KeyOf(1));
  CHECK(cache.Remembers(KeyOf(1)));
  CHECK(cache.Find(KeyOf(1), 1) == nullptr);
  // 64 of each of 64 shards are enough to drive it out.
  for (uint64_t node = 2; node < 50'000; ++node) cache.Remember(KeyOf(node));
  CHECK_FALSE(cache.Remembers(KeyOf(1)));
}

TEST_CASE("keys asked for at once give each its own value, also one that stands there twice") {
  NodeCache cache(kPlenty);
  std::vector<NodeCache::Key> keys;
  for (uint64_t node = 1; node <= 500; ++node) {
    if (node % 3 != 0) {
      cache.Insert(KeyOf(node), ValueOf(std::to_string(node)), cache.TakeTicket(), 1);
    }
    keys.push_back(KeyOf(node));
  }
  keys.push_back(KeyOf(1));
  std::vector<NodeCache::Value> values(3);
  cache.Find(keys, 1, &values);
  REQUIRE(values.size() == keys.size());
  for (uint64_t node = 1; node <= 500; ++node) {
    CAPTURE(node);
    const NodeCache::Value& value = values[node - 1];
    CHECK((value == nullptr) == (node % 3 == 0));
    if (value != nullptr) CHECK(value->record() == std::to_string(node));
  }
  REQUIRE(values.back() != nullptr);
  CHECK(values.back() == values.front());
}

TEST_CASE("an empty value is a value") {
  NodeCache cache(kPlenty);
  cache.Insert(KeyOf(1), ValueOf(""), cache.TakeTicket(), 1);
  REQUIRE(cache.Find(KeyOf(1), 1) != nullptr);
  CHECK(cache.Find(KeyOf(1), 1)->record().empty());
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
  CHECK(cache.Find(KeyOf(1), 9)->record() == "new");
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
