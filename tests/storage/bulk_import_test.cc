// The bulk import's behaviour, case by case; bulk_import_property_test.cc compares it with a
// reference on random input.
#include "storage/rocks/bulk_import.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rocksdb/env.h"
#include "storage/consolidation.h"
#include "storage/rocks/database.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/reference_import.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// What a process that dies on purpose exits with.
constexpr int kDied = 42;

ImportedRelation Relation(const std::string& source, const std::string& target) {
  return {source, target, "uses", RelationMode::kAssociation, std::nullopt, std::nullopt};
}

class Store {
 public:
  explicit Store(rocksdb::Env* env = nullptr) {
    DatabaseOptions options{directory.path(), OpenMode::kCreateIfMissing, 8 << 20};
    options.env = env;
    database = *RocksDatabase::Open(options);
    graph = *RocksGraphStore::Open(database.get());
  }

  ModelGraph::State state() const { return StateOf(*database); }
  void RequireSound() const {
    const auto report = CheckIntegrity(*database);
    REQUIRE(report.ok());
    CAPTURE(absl::StrJoin(report->findings, "\n"));
    REQUIRE(report->clean());
  }
  bool has_scratch() const { return std::filesystem::exists(directory / "import.tmp"); }

  TempDir directory;
  std::unique_ptr<RocksDatabase> database;
  std::unique_ptr<RocksGraphStore> graph;
};

struct Import {
  explicit Import(Store& store, bool strict = false, uint64_t memory_bytes = 1 << 20)
      : sink(store.graph.get(),
             {.memory_bytes = memory_bytes,
              .on_rejected =
                  [this](const ImportPosition& position, absl::string_view reason) {
                    rejections.push_back(
                        absl::StrCat(position.file, ":", position.line, ": ", reason));
                  },
              .on_step = {},
              .strict = strict}) {}
  std::vector<std::string> rejections;
  BulkImport sink;
};

TEST_CASE("relations may come before their ends") {
  Store store;
  Import import(store);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {"a", 1, ""}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {"a", 2, ""}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {"a", 3, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 2);
  CHECK(counts->relations == 1);
  CHECK(counts->rejected == 0);
  CHECK(store.state().relations.size() == 1);
  store.RequireSound();
}

TEST_CASE("what is said twice counts once, also over imports") {
  Store store;
  for (int round = 0; round < 2; ++round) {
    Import import(store);
    for (int i = 0; i < 2; ++i) {
      REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
      REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {}).ok());
      REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
    }
    const auto counts = import.sink.Finish();
    REQUIRE(counts.ok());
    CHECK(counts->entities == 2);
    CHECK(counts->relations == 1);
    const auto stats = store.graph->Stats();
    REQUIRE(stats.ok());
    CHECK(stats->entities == 2);
    CHECK(stats->entities_by_type.at("ip") == 2);
    CHECK(stats->relations == 1);
  }
  store.RequireSound();
}

TEST_CASE("a relation without a time is as fresh as the staler of its ends") {
  Store store;
  Import import(store);
  v1::Entity fresh = TestEntity("ip-1");
  *fresh.mutable_last_seen() = TimestampOf(TestTime(100));
  REQUIRE(import.sink.OnEntity(fresh, {}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  REQUIRE(import.sink.Finish().ok());
  CHECK(store.state().relations.begin()->second.last_seen == TestTime(0));
}

TEST_CASE("a relation is visible to what both ends share, and never to more") {
  Store store;
  Import import(store);
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
  const ModelGraph::State state = store.state();
  REQUIRE(state.relations.size() == 2);
  CHECK(state.relations.at({"ip-1", "ip-2", "uses", RelationMode::kAssociation}).visible_by ==
        GroupSet{"b", "c"});
  CHECK(state.relations.at({"ip-2", "ip-1", "uses", RelationMode::kAssociation}).visible_by ==
        GroupSet{"c"});
  store.RequireSound();
}

TEST_CASE("a relation said again moves forward and is seen by more") {
  Store store;
  const auto import_with = [&](absl::Time time, GroupSet groups) {
    Import import(store);
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
  const PutRelation stored = store.state().relations.begin()->second;
  CHECK(stored.last_seen == TestTime(5));
  CHECK(stored.visible_by == GroupSet{"a", "b"});
  store.RequireSound();
}

TEST_CASE("a relation to an unknown entity is rejected where it stands") {
  Store store;
  Import import(store);
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-9"), {"rel.jsonl", 3, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->relations == 0);
  CHECK(counts->rejected == 1);
  REQUIRE(import.rejections.size() == 1);
  CHECK(absl::StartsWith(import.rejections[0], "rel.jsonl:3: there is no entity ip-9"));
  CHECK(store.state().entities.size() == 1);
}

TEST_CASE("a strict import ends at the first rejection and leaves the store as it was") {
  Store store;
  Import import(store, /*strict=*/true);
  CHECK(import.sink.OnRejected({"x.json", 0, "object 1"}, "broken").code() ==
        absl::StatusCode::kInvalidArgument);
  REQUIRE(import.sink.OnEntity(TestEntity("ip-1"), {}).ok());
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-9"), {"rel.jsonl", 3, ""}).ok());
  CHECK(import.sink.Finish().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(store.state().entities.empty());
  CHECK_FALSE(store.has_scratch());
}

TEST_CASE("a record that breaks a limit is rejected and the import goes on") {
  Store store;
  Import import(store);
  v1::Entity nameless = TestEntity("ip-1");
  nameless.set_id("-");
  v1::Entity unseen = TestEntity("ip-1");
  unseen.clear_visible_by();
  ImportedRelation untyped = Relation("ip-1", "ip-2");
  untyped.type.clear();
  REQUIRE(import.sink.OnEntity(nameless, {"a", 1, ""}).ok());
  REQUIRE(import.sink.OnEntity(unseen, {"a", 2, ""}).ok());
  REQUIRE(import.sink.OnRelation(untyped, {"a", 3, ""}).ok());
  REQUIRE(import.sink.OnEntity(TestEntity("ip-2"), {"a", 4, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 1);
  CHECK(counts->rejected == 3);
  REQUIRE(import.rejections.size() == 3);
  store.RequireSound();
}

TEST_CASE("reports that together break a limit are rejected where the last of them stands") {
  Store store;
  const auto with_tags = [](int first) {
    v1::Entity entity = TestEntity("ip-1");
    for (int i = 0; i < 40; ++i) entity.add_tags(absl::StrCat("tag", first + i));
    return entity;
  };
  {
    Import import(store);
    REQUIRE(import.sink.OnEntity(with_tags(0), {"a", 1, ""}).ok());
    REQUIRE(import.sink.OnEntity(with_tags(100), {"a", 2, ""}).ok());
    const auto counts = import.sink.Finish();
    REQUIRE(counts.ok());
    CHECK(counts->entities == 1);
    REQUIRE(import.rejections.size() == 1);
    CHECK(absl::StartsWith(import.rejections[0], "a:2: together with what is known"));
  }
  Import import(store);
  REQUIRE(import.sink.OnEntity(with_tags(200), {"b", 1, ""}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 0);
  REQUIRE(import.rejections.size() == 1);
  CHECK(absl::StartsWith(import.rejections[0], "b:1: together with what is known"));
  CHECK(store.state().entities.at("ip-1").tags_size() == 40);
  store.RequireSound();
}

TEST_CASE("ends that only the store knows are found") {
  Store store;
  Mutations mutations;
  mutations.entities = {{TestEntity("ip-1")}, {TestEntity("ip-2")}};
  REQUIRE(store.graph->Apply(mutations).ok());
  Import import(store);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 0);
  CHECK(counts->relations == 1);
  store.RequireSound();
}

TEST_CASE("an import of nothing changes nothing") {
  Store store;
  Import import(store);
  const auto counts = import.sink.Finish();
  REQUIRE(counts.ok());
  CHECK(counts->entities == 0);
  CHECK_FALSE(store.has_scratch());
}

// A hub with neighbours around it, in the order of `numbers`.
void GiveHub(BulkImport& sink, const std::vector<int>& numbers) {
  REQUIRE(sink.OnEntity(TestEntity("hub-0"), {}).ok());
  for (const int number : numbers) {
    const std::string id = absl::StrCat("ip-", number);
    REQUIRE(sink.OnEntity(TestEntity(id), {}).ok());
    ImportedRelation relation = Relation("hub-0", id);
    // Many share an instant: their ids decide.
    relation.last_seen = TestTime(number % 3);
    REQUIRE(sink.OnRelation(relation, {}).ok());
  }
}

TEST_CASE("hubs are split into blocks, grow by further imports, and take writes between") {
  Store store;
  ModelGraph::State expected;
  for (int round = 0; round < 4; ++round) {
    // The last round says again what the first one said.
    const int first = round == 3 ? 0 : round * 211;
    std::vector<int> numbers;
    for (int i = 0; i < 700; ++i) numbers.push_back(1000 + (first + i * 7) % 1500);
    // With the small budget the hub's entries go through scratch.
    Import import(store, false, round % 2 == 0 ? 1 << 20 : 2000);
    GiveHub(import.sink, numbers);
    REQUIRE(import.sink.Finish().ok());
    ReferenceImport reference;
    for (const int number : numbers) {
      const std::string id = absl::StrCat("ip-", number);
      REQUIRE(reference.OnEntity(TestEntity(id), {}).ok());
      ImportedRelation relation = Relation("hub-0", id);
      relation.last_seen = TestTime(number % 3);
      REQUIRE(reference.OnRelation(relation, {}).ok());
    }
    REQUIRE(reference.OnEntity(TestEntity("hub-0"), {}).ok());
    reference.Finish(&expected);
    CHECK(Difference(expected, store.state()) == "");
    store.RequireSound();
    Mutations mutations;
    for (int i = 0; i < 150; ++i) {
      const std::string id = absl::StrCat("domain-", round * 1000 + i);
      mutations.entities.push_back({TestEntity(id)});
      mutations.relations.push_back(TestRelation(id, "hub-0", i % 4));
      expected.entities[id] = TestEntity(id);
      expected.relations[{id, "hub-0", "related-to", RelationMode::kAssociation}] =
          mutations.relations.back();
    }
    REQUIRE(store.graph->Apply(mutations).ok());
    store.RequireSound();
  }
}

TEST_CASE("a reader keeps its moment, and the next one sees the import, cached or not") {
  Store store;
  const auto neighbours = [&](GraphView& view) {
    class Counter : public ScanSink {
     public:
      void OnChunk(size_t, RelationChunk relations, std::optional<ScanCursor>) override {
        count = relations.size();
      }
      size_t count = 0;
    } counter;
    const auto node = view.Resolve("ip-1");
    REQUIRE(node.ok());
    REQUIRE(node->has_value());
    const auto visible = store.graph->ClassesVisibleTo({"public"});
    REQUIRE(visible.ok());
    const ScanRequest request{**node, 100, nullptr};
    REQUIRE(view.Scan({&request, 1}, **visible, counter).ok());
    return counter.count;
  };
  Mutations mutations;
  mutations.entities = {{TestEntity("ip-1")}, {TestEntity("ip-2")}};
  REQUIRE(store.graph->Apply(mutations).ok());
  const auto before = store.graph->View();
  REQUIRE(before.ok());
  CHECK(neighbours(**before) == 0);
  Import import(store);
  REQUIRE(import.sink.OnRelation(Relation("ip-1", "ip-2"), {}).ok());
  REQUIRE(import.sink.Finish().ok());
  const auto after = store.graph->View();
  REQUIRE(after.ok());
  CHECK(neighbours(**after) == 1);
  CHECK(neighbours(**before) == 0);
  CHECK(neighbours(**after) == 1);
}

TEST_CASE("an import that is given up leaves the store as it was") {
  Store store;
  Mutations mutations;
  mutations.entities = {{TestEntity("ip-1")}};
  REQUIRE(store.graph->Apply(mutations).ok());
  const ModelGraph::State before = store.state();
  {
    Import import(store, false, 1000);
    GiveHub(import.sink, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  }
  CHECK(Difference(before, store.state()) == "");
  CHECK_FALSE(store.has_scratch());
}

// Fails every creation of a file from the n-th sorted file on.
class FailingEnv : public rocksdb::EnvWrapper {
 public:
  explicit FailingEnv() : EnvWrapper(rocksdb::Env::Default()) {}
  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    if (absl::StrContains(name, "import.tmp") && files_left-- <= 0) {
      return rocksdb::Status::IOError("made up");
    }
    return EnvWrapper::NewWritableFile(name, file, options);
  }
  int files_left = 0;
};

TEST_CASE("an import that fails at any of its files can be run again") {
  FailingEnv env;
  Store store(&env);
  int failures = 0;
  for (int files = 0;; ++files) {
    env.files_left = files;
    Import import(store);
    GiveHub(import.sink, {1, 2, 3, 4, 5});
    const auto counts = import.sink.Finish();
    if (counts.ok()) {
      CHECK(counts->relations == 5);
      break;
    }
    ++failures;
    CHECK(store.state().entities.empty());
    CHECK(store.state().relations.empty());
    CHECK_FALSE(store.has_scratch());
    REQUIRE(files < 20);
  }
  // Entities, ids, relations, adjacency, meta.
  CHECK(failures == 5);
  CHECK(store.state().relations.size() == 5);
  store.RequireSound();
}

// Run in a process of its own by the test below: RocksDB's threads do not survive a fork.
TEST_CASE("imports into the store named by the environment until a step begins", "[.dies]") {
  const char* const directory = std::getenv("RELATIONS_TEST_STORE");
  const char* const step = std::getenv("RELATIONS_TEST_STEP");
  REQUIRE(directory != nullptr);
  REQUIRE(step != nullptr);
  const auto database = RocksDatabase::Open({directory, OpenMode::kCreateIfMissing, 8 << 20});
  REQUIRE(database.ok());
  const auto graph = RocksGraphStore::Open(database->get());
  REQUIRE(graph.ok());
  BulkImport::Options options;
  options.memory_bytes = 10'000;
  options.on_step = [&](absl::string_view name) {
    if (name == step) _exit(kDied);
  };
  BulkImport sink(graph->get(), std::move(options));
  GiveHub(sink, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  REQUIRE(sink.Finish().ok());
}

TEST_CASE("an import whose process dies leaves the store as it was, and runs again") {
  const TempDir directory;
  for (const std::string step :
       {"merging the entities", "linking the relations", "writing the lists", "taking it all in"}) {
    CAPTURE(step);
    std::string program = "/proc/self/exe";
    std::string tests = "[.dies]";
    std::string store_setting = absl::StrCat("RELATIONS_TEST_STORE=", directory.path());
    std::string step_setting = absl::StrCat("RELATIONS_TEST_STEP=", step);
    char* const arguments[] = {program.data(), tests.data(), nullptr};
    char* const environment[] = {store_setting.data(), step_setting.data(), nullptr};
    pid_t child = 0;
    REQUIRE(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment) == 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == kDied);
    CHECK(std::filesystem::exists(directory / "import.tmp"));
    const auto database = RocksDatabase::Open({directory.path(), OpenMode::kExisting, 8 << 20});
    REQUIRE(database.ok());
    CHECK(StateOf(**database).entities.empty());
    CHECK(StateOf(**database).relations.empty());
  }
  const auto database = RocksDatabase::Open({directory.path(), OpenMode::kExisting, 8 << 20});
  REQUIRE(database.ok());
  const auto graph = RocksGraphStore::Open(database->get());
  REQUIRE(graph.ok());
  BulkImport sink(graph->get(), {});
  GiveHub(sink, {1, 2, 3});
  REQUIRE(sink.Finish().ok());
  CHECK(StateOf(**database).relations.size() == 3);
  CHECK_FALSE(std::filesystem::exists(directory / "import.tmp"));
}

TEST_CASE("an import is there after the store is opened again") {
  Store store;
  {
    Import import(store);
    GiveHub(import.sink, {1, 2, 3});
    REQUIRE(import.sink.Finish().ok());
  }
  const ModelGraph::State before = store.state();
  store.graph.reset();
  REQUIRE(store.database->Close().ok());
  store.database.reset();
  store.database = *RocksDatabase::Open({store.directory.path(), OpenMode::kExisting, 8 << 20});
  store.graph = *RocksGraphStore::Open(store.database.get());
  CHECK(Difference(before, store.state()) == "");
  store.RequireSound();
}

}  // namespace
}  // namespace relations
