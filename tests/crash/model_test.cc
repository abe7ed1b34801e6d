// Random requests to a store and to a model of it: the same are refused, and again and again the
// records, the invariants and the answers of walks are compared, across views that were taken
// before, flushes, compactions and reopening.
#include <memory>
#include <string>

#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/reference_walk.h"

namespace relations {
namespace {

constexpr int kSteps = 150;
constexpr int kStepsBetweenComparisons = 50;

// A view of the past: it must go on answering as the store did when it was taken.
struct Past {
  std::unique_ptr<GraphView> view;
  ModelGraph::State state;
};

class Records final : public EntitySink {
 public:
  void OnEntity(size_t /*index*/, EntityRecord record) override {
    text_ += std::string(record.wire);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Each entity of the past is found, and none that came later.
void CheckPast(const Past& past, SeededWorkload& random) {
  for (int i = 0; i < 20; ++i) {
    const std::string id = random.AnyId();
    const auto node = past.view->Resolve(id);
    REQUIRE(node.ok());
    const auto expected = past.state.entities.find(id);
    REQUIRE(node->has_value() == (expected != past.state.entities.end()));
    if (!node->has_value()) continue;
    Records records;
    const NodeId nodes[] = {**node};
    REQUIRE(past.view->Get(nodes, records).ok());
    v1::Entity entity;
    REQUIRE(entity.ParseFromString(records.text()));
    v1::Entity wanted = expected->second;
    wanted.clear_visible_by();
    CHECK(entity.DebugString() == wanted.DebugString());
  }
}

void Round(uint64_t seed, uint64_t node_cache_bytes) {
  CAPTURE(seed, node_cache_bytes);
  SeededWorkload workload(seed);
  SeededWorkload random(~seed);
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  JudgedStore store("/store", env.get(), node_cache_bytes);
  REQUIRE(store.Open().ok());
  Past past;
  for (int step = 1; step <= kSteps; ++step) {
    const Mutations request = workload.Next();
    const absl::Status status = store.Apply(request);
    CAPTURE(step, status.ToString());
    if (!status.ok()) {
      REQUIRE(IsRefusal(status));
      REQUIRE(store.model().Apply(request).code() == status.code());
    }
    if (step == kSteps / 3) past = {*store.graph().View(), store.model().state()};
    if (step % 40 == 0) REQUIRE(store.Flush().ok());
    if (step % 70 == 0) REQUIRE(store.Compact().ok());
    if (step % kStepsBetweenComparisons == 0) {
      CHECK(store.Compare() == "");
      CHECK(store.CompareWalks(random, 10) == "");
    }
  }
  CheckPast(past, random);
  past.view.reset();
  store.Drop();
  REQUIRE(store.Open().ok());
  CHECK(store.Compare() == "");
  CHECK(store.CompareWalks(random, 10) == "");
}

TEST_CASE("a store holds and answers what a model of it does") {
  const CrashRun run;
  uint64_t round = 0;
  for (; run.HasTimeFor(round); ++round) {
    // Without a node cache, with one that always evicts, with one that holds everything.
    constexpr uint64_t kCaches[] = {0, 64 << 10, 16 << 20};
    Round(run.SeedOf(round), kCaches[round % 3]);
  }
  WARN(round << " histories");
}

}  // namespace
}  // namespace relations
