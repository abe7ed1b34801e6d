#include "storage/store_import.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "storage/consolidation.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/reference_walk.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

ImportedRelation Relation(const std::string& source, const std::string& target) {
  return {source, target, "uses", RelationMode::kAssociation, std::nullopt, std::nullopt};
}

struct Import {
  explicit Import(GraphStore* store, bool strict = false)
      : sink(store,
             {directory.path(),
              [this](const ImportPosition& position, absl::string_view reason) {
                rejections.push_back(absl::StrCat(position.file, ":", position.line, ": ", reason));
              },
              strict}) {}
  TempDir directory;
  std::vector<std::string> rejections;
  StoreImport sink;
};

TEST_CASE("relations may come before their ends") {
  ModelGraph graph;
  Import import(&graph);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {"a", 1, ""}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {"a", 2, ""}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {"a", 3, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 2);
  CHECK(counts->relations == 1);
  CHECK(counts->rejected == 0);
  CHECK(graph.state().relations.size() == 1);
}

TEST_CASE("what is said twice counts once, also over imports") {
  const TempDir directory;
  const auto database =
      RocksDatabase::Open({directory.path(), OpenMode::kCreateIfMissing, 8 << 20});
  REQUIRE(database.ok());
  const auto store = RocksGraphStore::Open(database->get());
  REQUIRE(store.ok());
  for (int round = 0; round < 2; ++round) {
    Import import(store->get());
    for (int i = 0; i < 2; ++i) {
      REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
      REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {}).ok());
      REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
    }
    const auto counts = import.sink.Finish();
    REQUIRE(counts.ok());
    CHECK(counts->entities == 2);
    CHECK(counts->relations == 1);
    const auto stats = (*store)->Stats();
    REQUIRE(stats.ok());
    CHECK(stats->entities == 2);
    CHECK(stats->relations == 1);
  }
}

TEST_CASE("a relation without a time is as fresh as the staler of its ends") {
  ModelGraph graph;
  Import import(&graph);
  v1::Entity fresh = TestEntity("ip-1");
  *fresh.mutable_last_seen() = TimestampOf(TestTime(100));
  REQUIRE(import.sink.OnEntity(fresh, {}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  REQUIRE(import.sink.Finish().ok());
  CHECK(graph.state().relations.begin()->second.last_seen == TestTime(0));
}

TEST_CASE("a relation is visible to what both ends share, and never to more") {
  ModelGraph graph;
  Import import(&graph);
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1", {"a", "b", "c"}), {}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2", {"b", "c", "d"}), {}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-3", {"e"}), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  ImportedRelation narrow = Relation("ip-2", "ip-1");
  narrow.visible_by = GroupSet{"a", "c", "public"};
  REQUIRE(import.sink.OnRelation(narrow, {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-3"), {"f", 7, ""}).ok());
  ImportedRelation alien = Relation("ip-1", "ip-2");
  alien.visible_by = GroupSet{"public"};
  REQUIRE(import.sink.OnRelation(alien, {"f", 8, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->rejected == 2);
  REQUIRE(import.rejections.size() == 2);
  CHECK(absl::StartsWith(import.rejections[0], "f:7: nobody could see"));
  CHECK(absl::StartsWith(import.rejections[1], "f:8: nobody could see"));
  const ModelGraph::State state = graph.state();
  REQUIRE(state.relations.size() == 2);
  CHECK(state.relations.at({"ip-1", "ip-2", "uses", RelationMode::kAssociation}).visible_by ==
        GroupSet{"b", "c"});
  CHECK(state.relations.at({"ip-2", "ip-1", "uses", RelationMode::kAssociation}).visible_by ==
        GroupSet{"c"});
}

TEST_CASE("a relation said again moves forward and is seen by more") {
  ModelGraph graph;
  const auto import_with = [&](absl::Time time, GroupSet groups) {
    Import import(&graph);
    REQUIRE(import.sink.OnEntity(TestEntity("ip-1", {"a", "b"}), {}).ok());
    REQUIRE(import.sink.OnEntity(TestEntity("ip-2", {"a", "b"}), {}).ok());
    ImportedRelation relation = Relation("ip-1", "ip-2");
    relation.last_seen = time;
    relation.visible_by = std::move(groups);
    REQUIRE(import.sink.OnRelation(relation, {}).ok());
    REQUIRE(import.sink.Finish().ok());
  };
  import_with(TestTime(5), {"a"});
  import_with(TestTime(3), {"b"});
  const PutRelation stored = graph.state().relations.begin()->second;
  CHECK(stored.last_seen == TestTime(5));
  CHECK(stored.visible_by == GroupSet{"a", "b"});
}

TEST_CASE("a relation to an unknown entity is rejected where it stands") {
  ModelGraph graph;
  Import import(&graph);
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-9"), {"rel.jsonl", 3, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->relations == 0);
  CHECK(counts->rejected == 1);
  REQUIRE(import.rejections.size() == 1);
  CHECK(absl::StartsWith(import.rejections[0], "rel.jsonl:3: there is no entity ip-9"));
}

TEST_CASE("a strict import ends at the first rejection") {
  ModelGraph graph;
  Import import(&graph, /*strict=*/true);
  CHECK(import.sink.OnRejected({"x.json", 0, "object 1"}, "broken").code() ==
        absl::StatusCode::kInvalidArgument);
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-9"), {"rel.jsonl", 3, ""}).ok());
  CHECK(import.sink.Finish().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("an import leaves no scratch file behind") {
  ModelGraph graph;
  Import import(&graph);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  CHECK(std::filesystem::is_empty(import.directory.path()));
}

TEST_CASE("ends that only the store knows are found") {
  ModelGraph graph;
  Mutations mutations;
  mutations.entities = {{TestEntity("ip-1")}, {TestEntity("ip-2")}};
  REQUIRE(graph.Apply(mutations).ok());
  Import import(&graph);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 0);
  CHECK(counts->relations == 1);
}

}  // namespace
}  // namespace relations
