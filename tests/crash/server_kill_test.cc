// A relations-server under load is killed at random moments, again and again over the same store,
// while it takes reports from a stream, deletes and narrows, takes backups, opens; an import is
// killed, and so is the upgrade of a store of an older format. What was acknowledged is there,
// whole; nothing is there by half; `check` finds nothing; the feed of changes goes on from where it
// was left and tells of exactly what is there; backups restore.
#include <csignal>
#include <filesystem>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/rocks/integrity.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/served_history.h"
#include "tests/support/catch.h"
#include "tests/support/reference_import.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

// A history over one store ends after so many kills; another begins.
constexpr int kKillsOfHistory = 25;

TEST_CASE("a server that is killed loses nothing that it acknowledged") {
  const CrashRun run;
  uint64_t round = 0;
  uint64_t kills = 0;
  uint64_t acknowledged = 0;
  for (; run.HasTimeFor(round); ++round) {
    const uint64_t seed = run.SeedOf(round);
    CAPTURE(seed);
    std::mt19937_64 random(~seed);
    ServedHistory history(seed);
    for (int i = 0; i < kKillsOfHistory && run.HasTimeFor(round); ++i) {
      CAPTURE(i);
      switch (random() % 8) {
        case 0:
          history.KillImport();
          break;
        case 1:
        case 2:
          history.KillUnderWithdrawals();
          break;
        default:
          history.KillUnderReports();
          break;
      }
      ++kills;
      if (random() % 6 == 0) history.CheckBackup();
    }
    history.CheckBackup();
    acknowledged += history.acknowledged();
  }
  WARN(kills << " kills, " << acknowledged << " acknowledged requests, seeds " << run.seed()
             << " to " << run.SeedOf(round - 1));
  CHECK(acknowledged > 0);
}

TEST_CASE("an upgrade that is killed is made by the next opening") {
  const CrashRun run;
  std::mt19937_64 random(run.seed());
  for (const char* const format : {"format_1", "format_2"}) {
    CAPTURE(format);
    const TempDir directory;
    const std::string original = std::string(RELATIONS_SOURCE_DIR) + "/tests/ctl/golden/" + format;
    const auto copy = [&](const std::string& name) {
      const std::string to = directory / name;
      fs::create_directory(to);
      for (const fs::directory_entry& entry : fs::directory_iterator(original)) {
        fs::copy_file(entry.path(), fs::path(to) / entry.path().filename());
      }
      return to;
    };
    const auto state = [](const std::string& store) {
      const auto database = RocksDatabase::Open({store, OpenMode::kExisting, 8 << 20});
      CAPTURE(database.status().ToString());
      REQUIRE(database.ok());
      const auto report = CheckIntegrity(**database);
      REQUIRE(absl::StrJoin(report->findings, "\n") == "");
      return StateOf(**database);
    };
    const ModelGraph::State expected = state(copy("whole"));
    for (int i = 0; i < 12; ++i) {
      const std::string store = copy(absl::StrCat("killed", i));
      for (int again = 0; again < 2; ++again) {
        ProcessUnderTest server(ServerProgram(),
                                {"--data", store, "--listen", "unix:" + (directory / "socket")});
        WaitMicroseconds(random() % 80'000);
        server.Signal(SIGKILL);
        server.Wait();
      }
      REQUIRE(Difference(expected, state(store)) == "");
      fs::remove_all(store);
    }
  }
}

}  // namespace
}  // namespace relations
