// A ring of entities is re-ordered again and again, each time in one request that removes relations
// and puts others, while readers walk it, and flushes, compactions and checks run beside. Whoever
// looks sees one ring of all its entities: never two, never a gap.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/env.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/traversal.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

// Half of it is within the deepest walk, in both directions.
constexpr int kLength = 10;
constexpr int kReaders = 2;

class Ring {
 public:
  explicit Ring(uint64_t seed) : random_(seed) {
    for (int i = 0; i < kLength; ++i) order_.push_back(absl::StrCat("ip-", 100 + i));
  }

  Mutations First() const {
    Mutations request;
    for (const std::string& id : order_) request.entities.push_back({TestEntity(id)});
    for (const auto& [from, to] : Edges()) request.relations.push_back(TestRelation(from, to));
    return request;
  }

  Mutations Next() {
    const auto before = Edges();
    std::shuffle(order_.begin(), order_.end(), random_);
    const auto after = Edges();
    Mutations request;
    for (const auto& edge : before) {
      if (after.contains(edge)) continue;
      request.deleted_relations.push_back({{edge.first, edge.second, "", std::nullopt}});
    }
    for (const auto& edge : after) {
      if (before.contains(edge)) continue;
      request.relations.push_back(
          TestRelation(edge.first, edge.second, static_cast<int64_t>(random_() % 100)));
    }
    return request;
  }

 private:
  std::set<std::pair<std::string, std::string>> Edges() const {
    std::set<std::pair<std::string, std::string>> edges;
    for (size_t i = 0; i < order_.size(); ++i) {
      edges.emplace(order_[i], order_[(i + 1) % order_.size()]);
    }
    return edges;
  }

  std::mt19937_64 random_;
  std::vector<std::string> order_;
};

// Whether an answer is one ring of all entities.
bool IsRing(const ExpandedGraph& graph) {
  if (graph.nodes.size() != kLength || graph.relations.size() != kLength) return false;
  std::vector<size_t> next(kLength, kLength);
  for (const ExpandedRelation& relation : graph.relations) {
    if (next[relation.source] != kLength) return false;
    next[relation.source] = relation.target;
  }
  size_t place = 0;
  for (int steps = 1; steps < kLength; ++steps) {
    place = next[place];
    if (place == 0) return false;
  }
  return next[place] == 0;
}

TEST_CASE("whoever looks sees one whole ring") {
  const CrashRun run;
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  const auto database =
      RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env.get()});
  REQUIRE(database.ok());
  const auto store = RocksGraphStore::Open(database->get(), {1 << 20});
  REQUIRE(store.ok());
  Ring ring(run.seed());
  REQUIRE((*store)->Apply(ring.First()).ok());

  std::atomic<bool> done = false;
  std::atomic<uint64_t> looks = 0;
  std::atomic<uint64_t> broken = 0;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      const ExpandParams params{absl::StrCat("ip-", 100 + reader), 100, 5, {}, {"public"}, {}};
      do {
        const absl::StatusOr<ExpandedGraph> graph = Expand(**store, params);
        if (!graph.ok() || !IsRing(*graph)) ++broken;
        ++looks;
      } while (!done);
    });
  }
  uint64_t unsound = 0;
  std::jthread maintenance([&] {
    do {
      (*database)->db().Flush(rocksdb::FlushOptions(), AllFamilies(**database));
      for (rocksdb::ColumnFamilyHandle* const family : AllFamilies(**database)) {
        (*database)->db().CompactRange(rocksdb::CompactRangeOptions(), family, nullptr, nullptr);
      }
      const auto report = CheckIntegrity(**database);
      if (!report.ok() || !report->clean()) ++unsound;
    } while (!done);
  });
  uint64_t turns = 0;
  uint64_t refused = 0;
  for (; run.HasTimeFor(turns); ++turns) {
    if (!(*store)->Apply(ring.Next()).ok()) ++refused;
  }
  done = true;
  for (std::jthread& reader : readers) reader.join();
  maintenance.join();
  WARN(turns << " turns, " << looks << " looks");
  CHECK(refused == 0);
  CHECK(broken == 0);
  CHECK(unsound == 0);
}

}  // namespace
}  // namespace relations
