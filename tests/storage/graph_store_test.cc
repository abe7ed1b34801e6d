// The conformance suite of the GraphStore contract: one text, run over the RocksDB store and over
// the model.
#include "storage/graph_store.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/base/limits.h"
#include "storage/entity_wire.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// A store of one kind. Reopen gives the same store again, where the kind has a disk.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual GraphStore& store() = 0;
  virtual void Reopen() = 0;
};

class ModelSubject final : public Subject {
 public:
  GraphStore& store() override { return graph_; }
  void Reopen() override {}

 private:
  ModelGraph graph_;
};

class RocksSubject final : public Subject {
 public:
  RocksSubject() { Open(); }
  GraphStore& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    REQUIRE(database_->Close().ok());
    database_.reset();
    Open();
  }

 private:
  void Open() {
    auto database = RocksDatabase::Open({directory_.path(), OpenMode::kCreateIfMissing, 8 << 20});
    REQUIRE(database.ok());
    database_ = *std::move(database);
    auto store = RocksGraphStore::Open(database_.get());
    REQUIRE(store.ok());
    store_ = *std::move(store);
  }

  TempDir directory_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> store_;
};

std::unique_ptr<Subject> MakeSubject() {
  if (GENERATE(false, true)) return std::make_unique<RocksSubject>();
  return std::make_unique<ModelSubject>();
}

// An entry of a list, told by ids.
struct Entry {
  std::string neighbour;
  absl::Time last_seen;
  std::string type;
  Direction direction;

  bool operator==(const Entry& other) const {
    return neighbour == other.neighbour && last_seen == other.last_seen && type == other.type &&
           direction == other.direction;
  }
};

std::ostream& operator<<(std::ostream& out, const Entry& entry) {
  return out << entry.neighbour << "@" << absl::FormatTime(entry.last_seen) << " " << entry.type
             << (entry.direction == Direction::kOutgoing ? " out" : " in");
}

struct HeadSink : EntitySink {
  void OnEntity(size_t index, EntityRecord record) override {
    indexes.push_back(index);
    records.emplace_back(record.wire);
    ids.emplace_back(ReadEntityHead(record.wire)->id);
    classes.push_back(record.visibility);
  }
  std::vector<size_t> indexes;
  std::vector<std::string> records;
  std::vector<std::string> ids;
  std::vector<ClassId> classes;
};

std::string IdOf(GraphView& view, NodeId node) {
  HeadSink sink;
  REQUIRE(view.Get({&node, 1}, sink).ok());
  REQUIRE(sink.ids.size() == 1);
  return sink.ids[0];
}

NodeId NodeOf(GraphView& view, const std::string& id) {
  const auto node = view.Resolve(id);
  REQUIRE(node.ok());
  REQUIRE(node->has_value());
  return **node;
}

struct ChunkSink : ScanSink {
  void OnChunk(size_t request, RelationChunk relations, std::optional<ScanCursor> cursor) override {
    requests.push_back(request);
    chunks.emplace_back();
    for (size_t i = 0; i < relations.size(); ++i) {
      if (relations.visible(i)) chunks.back().push_back(relations[i]);
    }
    next.push_back(std::move(cursor));
  }
  std::vector<size_t> requests;
  std::vector<std::vector<AdjacentRelation>> chunks;
  std::vector<std::optional<ScanCursor>> next;
};

// The whole list of an entity for a holder of `groups`, read in chunks.
std::vector<Entry> List(GraphStore& store, const std::string& id, const GroupSet& groups,
                        size_t chunk = 1000) {
  const auto view = store.View();
  REQUIRE(view.ok());
  const auto visible = store.ClassesVisibleTo(groups);
  REQUIRE(visible.ok());
  std::vector<Entry> entries;
  std::optional<ScanCursor> cursor;
  do {
    const ScanRequest request{NodeOf(**view, id), chunk, cursor.has_value() ? &*cursor : nullptr};
    ChunkSink sink;
    REQUIRE((*view)->Scan({&request, 1}, **visible, sink).ok());
    REQUIRE(sink.chunks.size() == 1);
    CHECK(sink.chunks[0].size() <= chunk);
    for (const AdjacentRelation& entry : sink.chunks[0]) {
      const auto type = (*view)->LabelText(entry.type);
      REQUIRE(type.ok());
      entries.push_back(
          {IdOf(**view, entry.neighbour), entry.last_seen, std::string(*type), entry.direction});
    }
    cursor = std::move(sink.next[0]);
  } while (cursor.has_value());
  return entries;
}

void Apply(GraphStore& store, std::vector<v1::Entity> entities,
           std::vector<PutRelation> relations) {
  Mutations mutations;
  for (v1::Entity& entity : entities) mutations.entities.push_back({std::move(entity)});
  mutations.relations = std::move(relations);
  const absl::Status status = store.Apply(mutations);
  CAPTURE(status.ToString());
  REQUIRE(status.ok());
}

TEST_CASE("an entity that was put is found, others are not") {
  const auto subject = MakeSubject();
  Apply(subject->store(), {TestEntity("ip-1", {"g1", "g2"})}, {});
  subject->Reopen();
  const auto view = subject->store().View();
  REQUIRE(view.ok());
  CHECK(IdOf(**view, NodeOf(**view, "ip-1")) == "ip-1");
  for (const char* id : {"ip-2", "ip-11", "IP-1", "ip-"}) {
    const auto none = (*view)->Resolve(id);
    REQUIRE(none.ok());
    CHECK_FALSE(none->has_value());
  }
}

TEST_CASE("Get tells whose record it gives and passes over nodes that do not exist") {
  const auto subject = MakeSubject();
  Apply(subject->store(), {TestEntity("ip-1"), TestEntity("ip-2", {"g1"})}, {});
  const auto view = subject->store().View();
  REQUIRE(view.ok());
  const std::vector<NodeId> nodes = {NodeOf(**view, "ip-2"), NodeId{0}, NodeId{999},
                                     NodeOf(**view, "ip-1")};
  HeadSink sink;
  REQUIRE((*view)->Get(nodes, sink).ok());
  CHECK(sink.indexes == std::vector<size_t>{0, 3});
  CHECK(sink.ids == std::vector<std::string>{"ip-2", "ip-1"});
  const auto groups = (*view)->ClassGroups(sink.classes[0]);
  REQUIRE(groups.ok());
  CHECK(**groups == GroupSet{"g1"});
}

TEST_CASE("putting an entity again replaces its record and keeps its node and relations") {
  const auto subject = MakeSubject();
  Apply(subject->store(), {TestEntity("ip-1"), TestEntity("ip-2")}, {TestRelation("ip-1", "ip-2")});
  v1::Entity changed = TestEntity("ip-1", {"g1"});
  changed.set_reputation(-3);
  Apply(subject->store(), {changed}, {});
  const auto view = subject->store().View();
  REQUIRE(view.ok());
  const NodeId node = NodeOf(**view, "ip-1");
  HeadSink sink;
  REQUIRE((*view)->Get({&node, 1}, sink).ok());
  v1::Entity stored;
  REQUIRE(stored.ParseFromString(sink.records[0]));
  CHECK(stored.reputation() == -3);
  CHECK(List(subject->store(), "ip-1", {"public"}).size() == 1);
  const auto stats = subject->store().Stats();
  REQUIRE(stats.ok());
  CHECK(stats->entities == 2);
}

TEST_CASE("a list holds both directions, newest first, ties by id") {
  const auto subject = MakeSubject();
  Apply(subject->store(),
        {TestEntity("ip-0"), TestEntity("b-1"), TestEntity("a-2"), TestEntity("c-3"),
         TestEntity("d-4")},
        {TestRelation("ip-0", "b-1", 5), TestRelation("a-2", "ip-0", 5),
         TestRelation("c-3", "ip-0", 9), TestRelation("ip-0", "d-4", 1)});
  subject->Reopen();
  const std::vector<Entry> expected = {{"c-3", TestTime(9), "related-to", Direction::kIncoming},
                                       {"a-2", TestTime(5), "related-to", Direction::kIncoming},
                                       {"b-1", TestTime(5), "related-to", Direction::kOutgoing},
                                       {"d-4", TestTime(1), "related-to", Direction::kOutgoing}};
  CHECK(List(subject->store(), "ip-0", {"public"}) == expected);
  CHECK(List(subject->store(), "ip-0", {"public"}, 1) == expected);
  CHECK(List(subject->store(), "ip-0", {"public"}, 3) == expected);
}

TEST_CASE("a list merges the visible classes and passes over the others") {
  const auto subject = MakeSubject();
  std::vector<v1::Entity> entities = {TestEntity("ip-0")};
  std::vector<PutRelation> relations;
  std::vector<Entry> expected;
  // Nine classes, so that both ways of finding a node's classes are taken.
  for (int i = 0; i < 90; ++i) {
    const std::string id = "n-" + std::to_string(100 + i);
    const GroupSet groups = {"g" + std::to_string(i % 9)};
    entities.push_back(TestEntity(id));
    relations.push_back(TestRelation("ip-0", id, i / 30, groups));
  }
  Apply(subject->store(), entities, relations);
  for (int second = 2; second >= 0; --second) {
    for (int i = 0; i < 90; ++i) {
      if (i / 30 != second || i % 9 % 2 != 0) continue;
      expected.push_back(
          {"n-" + std::to_string(100 + i), TestTime(second), "related-to", Direction::kOutgoing});
    }
  }
  const size_t chunk = GENERATE(1, 7, 100);
  CHECK(List(subject->store(), "ip-0", {"g0", "g2", "g4", "g6", "g8"}, chunk) == expected);
  CHECK(List(subject->store(), "ip-0", {"g1"}, chunk).size() == 10);
  CHECK(List(subject->store(), "ip-0", {"public"}, chunk).empty());
  CHECK(List(subject->store(), "ip-0", {}, chunk).empty());
}

TEST_CASE("a hub's list stays whole and in order however it grew") {
  const auto subject = MakeSubject();
  Apply(subject->store(), {TestEntity("ip-0")}, {});
  std::set<std::pair<int64_t, std::string>> model;
  uint64_t random = 12345;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<v1::Entity> entities;
    std::vector<PutRelation> relations;
    for (int i = 0; i < 40; ++i) {
      random = random * 6364136223846793005 + 1442695040888963407;
      const std::string id = "n-" + std::to_string(random >> 33);
      // Few distinct times make many ties.
      const auto seconds = static_cast<int64_t>((random >> 20) % 5);
      entities.push_back(TestEntity(id));
      relations.push_back(TestRelation("ip-0", id, seconds));
      model.emplace(-seconds, id);
    }
    Apply(subject->store(), entities, relations);
  }
  subject->Reopen();
  std::vector<Entry> expected;
  for (const auto& [seconds, id] : model) {
    expected.push_back({id, TestTime(-seconds), "related-to", Direction::kOutgoing});
  }
  CHECK(expected.size() > 1000);
  // Chunks within a block, over several, and beyond what is read of a list at first.
  for (const size_t chunk : {57, 300, 1000}) {
    CAPTURE(chunk);
    CHECK(List(subject->store(), "ip-0", {"public"}, chunk) == expected);
  }
}

TEST_CASE("putting a relation again moves it to its new time and class") {
  const auto subject = MakeSubject();
  GraphStore& store = subject->store();
  Apply(store, {TestEntity("ip-1"), TestEntity("ip-2"), TestEntity("ip-3")},
        {TestRelation("ip-1", "ip-2", 5), TestRelation("ip-1", "ip-3", 6)});
  Apply(store, {}, {TestRelation("ip-1", "ip-2", 7)});
  CHECK(List(store, "ip-1", {"public"})[0].neighbour == "ip-2");
  Apply(store, {}, {TestRelation("ip-1", "ip-2", 7, {"g1"})});
  CHECK(List(store, "ip-1", {"public"}).size() == 1);
  CHECK(List(store, "ip-2", {"public"}).empty());
  CHECK(List(store, "ip-2", {"g1"}).size() == 1);
  const auto stats = store.Stats();
  REQUIRE(stats.ok());
  CHECK(stats->relations == 2);
}

TEST_CASE("relations of other type, mode or direction between the same two are others") {
  const auto subject = MakeSubject();
  PutRelation aggregation = TestRelation("ip-1", "ip-2", 1);
  aggregation.mode = RelationMode::kAggregation;
  Apply(subject->store(), {TestEntity("ip-1"), TestEntity("ip-2")},
        {TestRelation("ip-1", "ip-2", 1), aggregation,
         TestRelation("ip-1", "ip-2", 1, {"g1"}, "uses"), TestRelation("ip-2", "ip-1", 1)});
  CHECK(List(subject->store(), "ip-1", {"g1", "public"}).size() == 4);
  CHECK(List(subject->store(), "ip-2", {"public"}).size() == 3);

  const auto view = subject->store().View();
  REQUIRE(view.ok());
  struct Sink : PairSink {
    void OnPair(size_t index, Direction direction,
                absl::Span<const PairRelation> relations) override {
      sizes.emplace_back(index, direction, relations.size());
    }
    std::vector<std::tuple<size_t, Direction, size_t>> sizes;
  } sink;
  const NodeId one = NodeOf(**view, "ip-1");
  const NodeId two = NodeOf(**view, "ip-2");
  const std::vector<NodePair> pairs = {{one, two}, {one, one}, {two, one}};
  const std::vector<std::tuple<size_t, Direction, size_t>> expected = {
      {0, Direction::kOutgoing, 3},
      {0, Direction::kIncoming, 1},
      {2, Direction::kOutgoing, 1},
      {2, Direction::kIncoming, 3}};
  // The second time from the cache, where there is one.
  for (int time = 0; time < 2; ++time) {
    sink.sizes.clear();
    REQUIRE((*view)->GetPairs(pairs, sink).ok());
    CHECK(sink.sizes == expected);
  }
}

TEST_CASE("an entry that calls itself sole is the only relation of the two") {
  const auto subject = MakeSubject();
  GraphStore& store = subject->store();
  const auto sole = [&](const std::string& id) {
    const auto view = store.View();
    const auto visible = store.ClassesVisibleTo({"g1", "public"});
    const ScanRequest request{NodeOf(**view, id), 10, nullptr};
    ChunkSink sink;
    REQUIRE((*view)->Scan({&request, 1}, **visible, sink).ok());
    size_t count = 0;
    for (const AdjacentRelation& entry : sink.chunks[0]) count += entry.sole ? 1 : 0;
    return count;
  };
  Apply(store, {TestEntity("ip-1"), TestEntity("ip-2")}, {TestRelation("ip-1", "ip-2", 1)});
  CHECK(sole("ip-1") <= 1);
  CHECK(sole("ip-1") == sole("ip-2"));
  Apply(store, {}, {TestRelation("ip-2", "ip-1", 2, {"g1"})});
  CHECK(sole("ip-1") == 0);
  CHECK(sole("ip-2") == 0);
  CHECK(List(store, "ip-1", {"g1", "public"}).size() == 2);
}

TEST_CASE("a view does not see what is applied after it") {
  const auto subject = MakeSubject();
  GraphStore& store = subject->store();
  Apply(store, {TestEntity("ip-1"), TestEntity("ip-2")}, {TestRelation("ip-1", "ip-2", 1)});
  const auto view = store.View();
  REQUIRE(view.ok());
  Apply(store, {TestEntity("ip-3")}, {TestRelation("ip-1", "ip-3", 2)});
  const auto visible = store.ClassesVisibleTo({"public"});
  const ScanRequest request{NodeOf(**view, "ip-1"), 10, nullptr};
  ChunkSink sink;
  REQUIRE((*view)->Scan({&request, 1}, **visible, sink).ok());
  CHECK(sink.chunks[0].size() == 1);
  const auto later = (*view)->Resolve("ip-3");
  REQUIRE(later.ok());
  CHECK_FALSE(later->has_value());
}

TEST_CASE("a batch with a fault changes nothing and names the fault") {
  const auto subject = MakeSubject();
  GraphStore& store = subject->store();
  Apply(store, {TestEntity("ip-1")}, {});
  const auto refused = [&](v1::Entity entity, std::vector<PutRelation> relations,
                           absl::StatusCode code) {
    Mutations mutations;
    mutations.entities = {{TestEntity("new-1")}, {std::move(entity)}};
    mutations.relations = std::move(relations);
    CHECK(store.Apply(mutations).code() == code);
    const auto view = store.View();
    REQUIRE(view.ok());
    CHECK_FALSE((*view)->Resolve("new-1")->has_value());
    CHECK(store.Stats()->entities == 1);
    CHECK(store.Stats()->relations == 0);
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  const auto precondition = absl::StatusCode::kFailedPrecondition;
  refused(TestEntity("noid"), {}, invalid);
  v1::Entity nobody = TestEntity("ip-2");
  nobody.clear_visible_by();
  refused(nobody, {}, invalid);
  v1::Entity many = TestEntity("ip-2");
  many.clear_visible_by();
  for (size_t i = 0; i <= limits::kVisibleByMax; ++i)
    many.add_visible_by("g" + std::to_string(100 + i));
  refused(many, {}, invalid);
  v1::Entity typeless = TestEntity("ip-2");
  typeless.clear_type();
  refused(typeless, {}, invalid);
  const v1::Entity good = TestEntity("ip-2");
  refused(good, {TestRelation("ip-1", "ip-9")}, precondition);
  refused(good, {TestRelation("ip-9", "ip-1")}, precondition);
  refused(good, {TestRelation("ip-1", "ip-1")}, precondition);
  refused(good, {TestRelation("ip-1", "ip-2", 0, {"public"}, "")}, invalid);
  refused(good, {TestRelation("ip-1", "ip-2", 0, {})}, invalid);
  PutRelation timeless = TestRelation("ip-1", "ip-2");
  timeless.last_seen = absl::InfiniteFuture();
  refused(good, {timeless}, invalid);
}

TEST_CASE("statistics count entities by type and relations") {
  const auto subject = MakeSubject();
  Apply(subject->store(), {TestEntity("ip-1"), TestEntity("ip-2"), TestEntity("domain-1")},
        {TestRelation("ip-1", "ip-2"), TestRelation("ip-1", "domain-1")});
  v1::Entity retyped = TestEntity("ip-2");
  retyped.set_type("cidr");
  Apply(subject->store(), {retyped}, {TestRelation("ip-1", "ip-2")});
  subject->Reopen();
  const auto stats = subject->store().Stats();
  REQUIRE(stats.ok());
  CHECK(stats->entities == 3);
  CHECK(stats->relations == 2);
  CHECK(stats->entities_by_type ==
        std::map<std::string, uint64_t>{{"ip", 1}, {"cidr", 1}, {"domain", 1}});
}

TEST_CASE("more relations of two entities than the limit are refused") {
  RocksSubject subject;
  std::vector<PutRelation> relations;
  for (size_t i = 0; i < limits::kRelationsPerPairMax; ++i) {
    relations.push_back(TestRelation("ip-1", "ip-2", 0, {"public"}, "t" + std::to_string(i)));
  }
  Apply(subject.store(), {TestEntity("ip-1"), TestEntity("ip-2")}, relations);
  std::vector<PutRelation> reverse = relations;
  for (PutRelation& relation : reverse) std::swap(relation.source, relation.target);
  Apply(subject.store(), {}, reverse);
  CHECK(List(subject.store(), "ip-1", {"public"}).size() == 2 * limits::kRelationsPerPairMax);
  Mutations one_more;
  one_more.relations = {TestRelation("ip-1", "ip-2", 0, {"public"}, "another")};
  CHECK(subject.store().Apply(one_more).code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relations
