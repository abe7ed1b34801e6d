// A process that writes is killed at a random moment, again and again over the same store. What it
// told to be durable is there, whole; of what it had not answered yet a beginning may be; `check`
// finds nothing. What it was killed in: opening, writing in groups, flushing, compacting.
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "storage/base/limits.h"
#include "storage/rocks/integrity.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/reference_import.h"

namespace relations {
namespace {

// A history over one store ends after so many kills; another begins.
constexpr int kKillsOfHistory = 20;

class History {
 public:
  explicit History(uint64_t seed) : seed_(seed), random_(~seed), workload_(seed) {}

  // Runs a writer, kills it, and compares. Returns how many requests were acknowledged.
  uint64_t Kill() {
    ProcessUnderTest writer(RELATIONS_TEST_BINARY_DIR "/crash_writer",
                            {directory_.path(), absl::StrCat(seed_), absl::StrCat(done_)});
    // Dies after some line, and some microseconds later; at once now and then, while it opens.
    uint64_t acknowledged = 0;
    const uint64_t lines = random_() % 10 == 0 ? 0 : 1 + random_() % 60;
    for (uint64_t i = 0; i < lines; ++i) acknowledged += Take(writer.ReadLine());
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 3000));
    writer.Signal(SIGKILL);
    // What it told before it died counts.
    for (std::string line = writer.ReadLine(); !line.empty(); line = writer.ReadLine()) {
      acknowledged += Take(line);
    }
    CAPTURE(writer.Errors());
    REQUIRE(writer.Wait() == -SIGKILL);
    Compare();
    return acknowledged;
  }

 private:
  // 1 for a request that was acknowledged.
  uint64_t Take(const std::string& line) {
    absl::string_view rest = line;
    const bool taken = absl::ConsumePrefix(&rest, "ok ");
    if (!taken && !absl::ConsumePrefix(&rest, "no ")) return 0;
    uint64_t number = 0;
    REQUIRE(absl::SimpleAtoi(rest, &number));
    // Acknowledged in the order of the history.
    REQUIRE(number == done_);
    ++done_;
    REQUIRE(model_.Apply(workload_.Next()).ok() == taken);
    return taken ? 1 : 0;
  }

  void Compare() {
    JudgedStore store(directory_.path(), nullptr, 0);
    const absl::Status opened = store.Open();
    CAPTURE(opened.ToString());
    REQUIRE(opened.ok());
    const ModelGraph::State found = StateOf(store.database());
    // The group that was being written may be there: then it is the model's next few requests.
    std::string difference = Difference(model_.state(), found);
    for (size_t ahead = 0; !difference.empty() && ahead < kGroupMax; ++ahead) {
      ++done_;
      model_.Apply(workload_.Next()).IgnoreError();
      if (ClockOf(model_.state()) > ClockOf(found)) break;
      difference = Difference(model_.state(), found);
    }
    REQUIRE(difference == "");
    const auto report = CheckIntegrity(store.database());
    REQUIRE(report.ok());
    REQUIRE(absl::StrJoin(report->findings, "\n") == "");
  }

  static int ClockOf(const ModelGraph::State& state) {
    const auto clock = state.entities.find("clock-0");
    return clock == state.entities.end() ? 0 : clock->second.reputation();
  }

  // More than a queue holds.
  static constexpr size_t kGroupMax = 2 * limits::kWriteQueueRequestsMax;

  const uint64_t seed_;
  std::mt19937_64 random_;
  SeededWorkload workload_;
  TempDir directory_;
  ModelGraph model_;
  // Requests of the history that are decided.
  uint64_t done_ = 0;
};

TEST_CASE("a process that is killed loses nothing that it acknowledged") {
  const CrashRun run;
  uint64_t round = 0;
  uint64_t kills = 0;
  uint64_t acknowledged = 0;
  for (; run.HasTimeFor(round); ++round) {
    const uint64_t seed = run.SeedOf(round);
    CAPTURE(seed);
    History history(seed);
    for (int i = 0; i < kKillsOfHistory && run.HasTimeFor(round); ++i) {
      CAPTURE(i);
      acknowledged += history.Kill();
      ++kills;
    }
  }
  WARN(kills << " kills, " << acknowledged << " acknowledged requests, seeds " << run.seed()
             << " to " << run.SeedOf(round - 1));
  CHECK(acknowledged > 0);
}

}  // namespace
}  // namespace relations
