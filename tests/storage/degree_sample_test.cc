#include "storage/rocks/degree_sample.h"

#include <memory>
#include <string>

#include "rocksdb/env.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

class Store {
 public:
  Store() : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) {
    auto database =
        RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env_.get()});
    REQUIRE(database.ok());
    database_ = *std::move(database);
    auto graph = RocksGraphStore::Open(database_.get());
    REQUIRE(graph.ok());
    graph_ = *std::move(graph);
  }

  void Apply(const Mutations& mutations) { REQUIRE(graph_->Apply(mutations).ok()); }
  DegreeStats Sample(size_t samples) {
    const auto stats = SampleDegrees(*database_, samples);
    REQUIRE(stats.ok());
    return *stats;
  }
  RocksDatabase& database() { return *database_; }

 private:
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> graph_;
};

// A hub with so many leaves, of which the first half see it as a tenant only.
Mutations Star(int leaves) {
  Mutations star;
  star.entities.push_back({TestEntity("hub-0", {"a", "public"})});
  for (int i = 0; i < leaves; ++i) {
    const std::string leaf = "ip-" + std::to_string(100'000 + i);
    star.entities.push_back({TestEntity(leaf, {"a", "public"})});
    star.relations.push_back(TestRelation("hub-0", leaf, i, {i < leaves / 2 ? "a" : "public"}));
  }
  return star;
}

TEST_CASE("a store without entities has no degrees") {
  Store store;
  const DegreeStats stats = store.Sample(10);
  CHECK(stats.sampled == 0);
  CHECK(stats.most == 0);
}

TEST_CASE("a small store is counted whole, all lists and blocks of an entity together") {
  Store store;
  store.Apply(Star(1000));
  const DegreeStats stats = store.Sample(2000);
  CHECK(stats.sampled == 1001);
  CHECK(stats.median == 1);
  CHECK(stats.p99 == 1);
  CHECK(stats.most == 1000);
}

TEST_CASE("percentiles stand where they should") {
  Store store;
  Mutations graph;
  // Entity i of 101 has i relations to later leaves of its own.
  for (int i = 0; i <= 100; ++i) {
    const std::string entity = "e-" + std::to_string(i);
    graph.entities.push_back({TestEntity(entity)});
  }
  for (int i = 0; i <= 100; ++i) {
    for (int k = 0; k < i; ++k) {
      graph.relations.push_back(TestRelation("e-" + std::to_string(i), "e-" + std::to_string(k)));
    }
  }
  store.Apply(graph);
  // A complete graph: everybody has 100.
  CHECK(store.Sample(500).median == 100);
  Mutations chain;
  for (int i = 0; i < 10; ++i) chain.entities.push_back({TestEntity("lone-" + std::to_string(i))});
  store.Apply(chain);
  const DegreeStats stats = store.Sample(500);
  CHECK(stats.sampled == 111);
  CHECK(stats.median == 100);
  CHECK(stats.p90 == 100);
}

TEST_CASE("a large store is sampled evenly and always alike") {
  Store store;
  store.Apply(Star(1000));
  const DegreeStats stats = store.Sample(100);
  CHECK(stats.sampled == 100);
  CHECK(stats.median == 1);
  CHECK(store.Sample(100).most == stats.most);
}

TEST_CASE("a damaged list is told") {
  Store store;
  store.Apply(Star(3));
  rocksdb::WriteBatch batch;
  REQUIRE(store.database()
              .ForEach(Family::kAdjacency, "",
                       [&](absl::string_view key, absl::string_view) {
                         batch.Put(store.database().family(Family::kAdjacency),
                                   rocksdb::Slice(key.data(), key.size()), "\x09");
                         return absl::OkStatus();
                       })
              .ok());
  REQUIRE(store.database().Write(batch).ok());
  CHECK(SampleDegrees(store.database(), 10).status().code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace relations
