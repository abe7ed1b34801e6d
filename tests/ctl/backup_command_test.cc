// relationsctl backup, backups, restore, export and compact, as an operator uses them: what comes
// back is the graph that was there, or nothing and a reason.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

const std::string kSample = std::string(RELATIONS_SOURCE_DIR) + "/deploy/sample/data";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The command must work.
std::string Ctl(const std::vector<std::string>& arguments) {
  const ProgramResult result = RunCtl(arguments);
  CAPTURE(arguments, result.err);
  REQUIRE(result.exit_code == 0);
  return result.out;
}

// Everything that a store holds, in an order of its own.
std::vector<std::string> Contents(const std::string& data) {
  std::istringstream text(Ctl({"--data", data, "export"}));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

uint64_t BytesIn(const std::string& directory) {
  uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

const std::string kOneMore =
    R"({"id":"ip-more","type":"ip","@timestamp":"2024-01-01T00:00:00Z",)"
    R"("lastSeen":"2024-01-01T00:00:00Z","visibleBy":["public"],"attributes":{"ip":"192.0.2.9"}})"
    "\n";

// Backs a store up, changes it, backs it up again, and restores both.
void RoundTrip(const std::string& feeds, const std::vector<std::string>& import_options) {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string backups = directory / "backups";
  std::vector<std::string> import = {"--data", data, "import", feeds};
  import.insert(import.end(), import_options.begin(), import_options.end());
  Ctl(import);
  const std::vector<std::string> first = Contents(data);
  REQUIRE(first.size() > 1000);
  CHECK(Contains(Ctl({"--data", data, "backup", "--to", backups}), "verified backup 1 of "));
  const uint64_t size = BytesIn(backups);

  WriteFile(directory / "more.jsonl", kOneMore);
  Ctl({"--data", data, "import", directory / "more.jsonl"});
  const std::vector<std::string> second = Contents(data);
  CHECK(second.size() == first.size() + 1);
  Ctl({"--data", data, "backup", "--to", backups});
  // Only what is new was copied.
  CHECK(BytesIn(backups) < size + size / 4 + 1'000'000);

  Ctl({"--data", directory / "old", "restore", "--from", backups, "--id", "1"});
  CHECK((Contents(directory / "old") == first));
  CHECK(RunCtl({"--data", directory / "old", "check"}).exit_code == 0);
  Ctl({"--data", directory / "new", "restore", "--from", backups});
  CHECK((Contents(directory / "new") == second));
  // The restored store is one that can be written to, and has the guards of one.
  Ctl({"--data", directory / "old", "import", directory / "more.jsonl"});
  CHECK((Contents(directory / "old") == second));
  CHECK(fs::exists(directory / "old/HIGH_WATER"));

  // What was exported imports to the same graph.
  Ctl({"--data", data, "export", "--out", directory / "all.jsonl"});
  Ctl({"--data", directory / "again", "import", "--strict", directory / "all.jsonl"});
  CHECK((Contents(directory / "again") == second));
  CHECK(Contains(Ctl({"--data", data, "compact"}), " after\n"));
  CHECK((Contents(data) == second));
}

TEST_CASE("the sample is backed up, restored, exported and imported without a difference") {
  RoundTrip(kSample, {});
}

// Takes a minute; the ctest entry ctl_backup_shared_test runs it.
TEST_CASE("all shared feeds are backed up, restored, exported and imported", "[.shared]") {
  const char* const variable = std::getenv("RELATIONS_SHARED_DATA");
  const std::string shared =
      variable != nullptr ? variable : RELATIONS_SOURCE_DIR "/../shared/data";
  if (!fs::exists(shared + "/stix")) {
    WARN("skipped: no shared data at " << shared);
    return;
  }
  RoundTrip(shared + "/stix", {shared + "/misp", shared + "/jsonl"});
}

TEST_CASE("a restore overwrites nothing and leaves nothing half done") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string backups = directory / "backups";
  WriteFile(directory / "more.jsonl", kOneMore);
  Ctl({"--data", data, "import", directory / "more.jsonl"});
  Ctl({"--data", data, "backup", "--to", backups, "--json"});

  const ProgramResult over = RunCtl({"--data", data, "restore", "--from", backups});
  CHECK(over.exit_code == 1);
  CHECK(Contains(over.err, "not empty"));
  CHECK(Contents(data).size() == 1);

  const ProgramResult none =
      RunCtl({"--data", directory / "x", "restore", "--from", backups, "--id", "7"});
  CHECK(none.exit_code == 3);
  CHECK(Contains(none.err, "no whole backup 7"));
  CHECK(RunCtl({"--data", directory / "x", "restore", "--from", directory / "no"}).exit_code == 3);
  CHECK_FALSE(fs::exists(directory / "no"));

  // Each file of the backup, damaged.
  size_t files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(backups)) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    ++files;
    const std::string bytes = ReadFile(entry.path());
    std::string damaged = bytes;
    damaged[damaged.size() / 2] ^= 0x10;
    WriteFile(entry.path(), damaged);
    const ProgramResult result = RunCtl({"--data", directory / "x", "restore", "--from", backups});
    CAPTURE(entry.path(), result.err);
    CHECK(result.exit_code != 0);
    CHECK_FALSE(fs::exists(directory / "x"));
    CHECK_FALSE(fs::exists(directory / "x.restoring"));
    WriteFile(entry.path(), bytes);
  }
  CHECK(files > 3);
  Ctl({"--data", directory / "x", "restore", "--from", backups});
  CHECK((Contents(directory / "x") == Contents(data)));
}

TEST_CASE("a server takes backups while it serves") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string backups = directory / "backups";
  WriteFile(directory / "more.jsonl", kOneMore);
  Ctl({"--data", data, "import", directory / "more.jsonl"});
  ProcessUnderTest server(ServerProgram(), {"--data", data, "--listen", "127.0.0.1:0",
                                            "--backup-dir", backups, "--backup-keep", "3"});
  CAPTURE(server.Errors());
  REQUIRE_FALSE(server.ReadAddress().empty());
  // It finishes what is under way.
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
  CHECK(Contains(server.Errors(), "backup verified"));
  Ctl({"--data", directory / "copy", "restore", "--from", backups, "--id", "1"});
  CHECK((Contents(directory / "copy") == Contents(data)));
}

TEST_CASE("old backups are removed when that is asked for") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string backups = directory / "backups";
  WriteFile(directory / "more.jsonl", kOneMore);
  Ctl({"--data", data, "import", directory / "more.jsonl"});
  for (int i = 0; i < 3; ++i) Ctl({"--data", data, "backup", "--to", backups, "--keep", "2"});
  const std::string list = Ctl({"backups", "--from", backups});
  CHECK(std::count(list.begin(), list.end(), '\n') == 2);
  CHECK(Contains(list, "backup 2 of "));
  CHECK(Contains(list, "backup 3 of "));
  CHECK(Contains(Ctl({"backups", "--from", backups, "--json"}), R"([{"id":2,"createdAt":")"));
}

}  // namespace
}  // namespace relations
