// Readers walk while a writer changes the graph: every answer must be that of one moment. Each
// batch keeps two sums as they are: how many relations of the hub can be seen, and that all
// entities carry the same reputation. An answer mixed from two moments breaks one of them. Free of
// gRPC and of absl::Mutex, so that ThreadSanitizer sees all of it.
#include <rocksdb/env.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocks/database.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/traversal.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

constexpr int kLeaves = 60;
constexpr int kVisible = 20;
constexpr int kBatches = 400;
constexpr int kReaders = 3;

std::string Leaf(int number) { return absl::StrCat("ip-", 100 + number); }

PutRelation Spoke(int leaf, bool visible, int64_t seconds) {
  return TestRelation("hub-0", Leaf(leaf), seconds, {visible ? "public" : "secret"});
}

// The leaves that can be seen now; each batch hides one and shows another.
class Rotation {
 public:
  explicit Rotation(uint64_t seed) : random_(seed) {
    for (int leaf = 0; leaf < kLeaves; ++leaf) visible_.push_back(leaf < kVisible);
  }

  Mutations First() const {
    Mutations mutations;
    mutations.entities.push_back({Entity("hub-0", 0)});
    for (int leaf = 0; leaf < kLeaves; ++leaf) {
      mutations.entities.push_back({Entity(Leaf(leaf), 0)});
      mutations.relations.push_back(Spoke(leaf, visible_[static_cast<size_t>(leaf)], leaf));
    }
    return mutations;
  }

  Mutations Next(int number) {
    Mutations mutations;
    mutations.relations.push_back(Flip(true, number));
    mutations.relations.push_back(Flip(false, number));
    mutations.entities.push_back({Entity("hub-0", number)});
    for (int leaf = 0; leaf < kLeaves; ++leaf) {
      mutations.entities.push_back({Entity(Leaf(leaf), number)});
    }
    return mutations;
  }

 private:
  static v1::Entity Entity(const std::string& id, int reputation) {
    v1::Entity entity = TestEntity(id, {"public", "secret"});
    entity.set_reputation(reputation);
    return entity;
  }

  PutRelation Flip(bool visible, int number) {
    size_t leaf = 0;
    do {
      leaf = random_() % kLeaves;
    } while (visible_[leaf] != visible);
    visible_[leaf] = !visible;
    return Spoke(static_cast<int>(leaf), !visible, number);
  }

  std::mt19937_64 random_;
  std::vector<bool> visible_;
};

TEST_CASE("every answer is that of one moment, whatever is written meanwhile") {
  // Without a cache, with one that holds everything, with one that always evicts.
  const uint64_t cache_bytes = GENERATE(uint64_t{0}, uint64_t{8} << 20, uint64_t{256} << 10);
  CAPTURE(cache_bytes);
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  const auto database =
      RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env.get()});
  REQUIRE(database.ok());
  const auto store = RocksGraphStore::Open(database->get(), {cache_bytes});
  REQUIRE(store.ok());
  Rotation rotation(20231);
  REQUIRE((*store)->Apply(rotation.First()).ok());

  std::atomic<bool> done = false;
  std::atomic<int> answers = 0;
  std::atomic<int> wrong_counts = 0;
  std::atomic<int> mixed_moments = 0;
  std::atomic<int> went_back = 0;
  std::atomic<int> failures = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&] {
      const ExpandParams params{"hub-0", 100, 2, {}, {"public"}, {}};
      int last = 0;
      do {
        const absl::StatusOr<ExpandedGraph> graph = Expand(**store, params);
        if (!graph.ok()) {
          ++failures;
          continue;
        }
        ++answers;
        if (graph->nodes.size() != kVisible + 1 || graph->relations.size() != kVisible) {
          ++wrong_counts;
        }
        v1::Entity entity;
        entity.ParseFromString(graph->nodes[0].Wire());
        const int moment = entity.reputation();
        if (moment < last) ++went_back;
        last = moment;
        for (const ExpandedEntity& node : graph->nodes) {
          entity.ParseFromString(node.Wire());
          if (entity.reputation() != moment) ++mixed_moments;
        }
      } while (!done);
    });
  }
  for (int batch = 1; batch <= kBatches; ++batch) {
    const absl::Status status = (*store)->Apply(rotation.Next(batch));
    if (!status.ok()) ++failures;
    if (batch % 100 == 0) (*database)->db().Flush(rocksdb::FlushOptions());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();

  CHECK(failures == 0);
  CHECK(answers > 0);
  CHECK(wrong_counts == 0);
  CHECK(mixed_moments == 0);
  CHECK(went_back == 0);
  const auto report = CheckIntegrity(**database);
  REQUIRE(report.ok());
  CHECK(report->clean());
}

}  // namespace
}  // namespace relations
