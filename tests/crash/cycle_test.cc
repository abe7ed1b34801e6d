// A ring of entities is re-ordered again and again, each time in one request that removes relations
// and puts others, while readers walk it, and flushes, compactions and checks run beside. Whoever
// looks sees one ring of all its entities: never two, never a gap.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "rocksdb/env.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/traversal.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/turning_ring.h"

namespace relations {
namespace {

constexpr int kReaders = 2;

TEST_CASE("whoever looks sees one whole ring") {
  const CrashRun run;
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  const auto database =
      RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env.get()});
  REQUIRE(database.ok());
  const auto store = RocksGraphStore::Open(database->get(), {1 << 20});
  REQUIRE(store.ok());
  TurningRing ring(run.seed());
  REQUIRE((*store)->Apply(ring.First()).ok());

  std::atomic<bool> done = false;
  std::atomic<uint64_t> looks = 0;
  std::atomic<uint64_t> broken = 0;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      const ExpandParams params{TurningRing::Id(reader), 100, 5, {}, {"public"}, {}};
      do {
        const absl::StatusOr<ExpandedGraph> graph = Expand(**store, params);
        if (!graph.ok() || !TurningRing::IsWhole(*graph)) ++broken;
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
