// Backups that are taken while a writer writes, files are flushed and compacted: each restores to a
// sound store that holds a beginning of the history, at least what was acknowledged before the
// backup began.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "storage/rocks/backup.h"
#include "storage/rocks/integrity.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/reference_import.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

constexpr int kBackups = 4;

int ClockOf(const ModelGraph::State& state) {
  const auto clock = state.entities.find("clock-0");
  return clock == state.entities.end() ? 0 : clock->second.reputation();
}

// The store of a backup is what the history was at some request from `at_least` on.
void CheckRestored(const std::string& directory, uint64_t seed, int at_least) {
  const auto database = RocksDatabase::Open({.directory = directory, .cache_bytes = 8 << 20});
  REQUIRE(database.ok());
  const auto report = CheckIntegrity(**database);
  REQUIRE(report.ok());
  CHECK(report->clean());
  const ModelGraph::State found = StateOf(**database);
  CHECK(ClockOf(found) >= at_least);
  SeededWorkload workload(seed);
  ModelGraph model;
  while (ClockOf(model.state()) < ClockOf(found)) model.Apply(workload.Next()).IgnoreError();
  CHECK(Difference(model.state(), found) == "");
}

TEST_CASE("a backup taken under writes restores to a beginning of them") {
  const CrashRun run;
  const TempDir directory;
  uint64_t round = 0;
  for (; run.HasTimeFor(round); ++round) {
    const uint64_t seed = run.SeedOf(round);
    CAPTURE(seed);
    const std::string place = directory / absl::StrCat(round);
    JudgedStore store(place, nullptr, 1 << 20);
    REQUIRE(store.Open().ok());
    std::atomic<int> acknowledged = 0;
    std::atomic<int> failed = 0;
    std::jthread writer([&](const std::stop_token& stop) {
      SeededWorkload workload(seed);
      for (int step = 1; !stop.stop_requested(); ++step) {
        const absl::Status status = store.graph().Apply(workload.Next());
        if (status.ok()) acknowledged = step;
        if (!status.ok() && !IsRefusal(status)) ++failed;
        if (step % 50 == 0 && !store.Flush().ok()) ++failed;
      }
    });
    const std::string backups = absl::StrCat(place, ".backups");
    for (int i = 1; i <= kBackups; ++i) {
      const int at_least = acknowledged;
      const auto backup = CreateBackup(store.database(), backups);
      INFO(backup.status().ToString());
      REQUIRE(backup.ok());
      const std::string restored = absl::StrCat(place, ".restored", i);
      REQUIRE(RestoreBackup(backups, backup->id, restored).ok());
      CheckRestored(restored, seed, at_least);
    }
    writer.request_stop();
    writer.join();
    CHECK(failed == 0);
    store.Drop();
  }
  WARN(round * kBackups << " backups");
}

}  // namespace
}  // namespace relations
