// relationsctl without a server, part two: import, stats and check on a directory.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "simdjson.h"
#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

const std::string kSample = std::string(RELATIONS_SOURCE_DIR) + "/deploy/sample/data";

constexpr char kTwoAndOne[] =
    R"({"source":"domain-a","target":"ip-b","type":"resolves-to"}
{"id":"domain-a","type":"domain","attributes":{"domain":"a.example"}}
{"id":"ip-b","type":"ip","attributes":{"ip":"192.0.2.1"}}
)";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// The number at a JSON pointer; the test fails when it is not there.
uint64_t Number(const std::string& json, const std::string& pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  uint64_t number = 0;
  CAPTURE(json, pointer);
  REQUIRE(parser.parse(json).get(document) == simdjson::SUCCESS);
  REQUIRE(document.at_pointer(pointer).get_uint64().get(number) == simdjson::SUCCESS);
  return number;
}

TEST_CASE("the bundled sample imports whole, and again without a change") {
  const TempDir directory;
  const std::string data = directory / "data";
  for (int round = 0; round < 2; ++round) {
    const ProgramResult imported = RunCtl({"--data", data, "import", "--json", kSample});
    CAPTURE(round, imported.err);
    REQUIRE(imported.exit_code == 0);
    CHECK(Lines(imported.out) == 1);
    CHECK(Number(imported.out, "/entities") == 2515);
    CHECK(Number(imported.out, "/relations") == 3901);
    CHECK(Number(imported.out, "/bytes") > 5000000);
    CHECK(Contains(imported.out, R"("seconds":)"));
    // No terminal, no bar.
    CHECK_FALSE(Contains(imported.err, "\r"));
    const ProgramResult stats = RunCtl({"--data", data, "stats", "--json"});
    REQUIRE(stats.exit_code == 0);
    CHECK(Number(stats.out, "/entities/total") == 2515);
    CHECK(Number(stats.out, "/entities/byType/malware") == 3);
    CHECK(Number(stats.out, "/relations/total") == 3901);
    CHECK(Number(stats.out, "/bytes/adjacency") > 0);
    CHECK(Number(stats.out, "/degrees/sampled") == 2000);
    CHECK_FALSE(Contains(stats.out, "caches"));
    CHECK(RunCtl({"--data", data, "check"}).exit_code == 0);
  }
}

TEST_CASE("the numbers of an import are also told in words") {
  const TempDir directory;
  const std::string data = directory / "data";
  const ProgramResult imported =
      RunCtl({"--data", data, "import", "-"}, {.standard_input = kTwoAndOne, .environment = {}});
  CAPTURE(imported.err);
  REQUIRE(imported.exit_code == 0);
  CHECK(Contains(imported.out, "2 entities, 1 relation from 1 file,"));
  const ProgramResult stats = RunCtl({"--data", data, "stats"});
  CHECK(Contains(stats.out, "2 entities\n"));
  CHECK(Contains(stats.out, "1 relation\n"));
  const ProgramResult check = RunCtl({"--data", data, "check", "--json"});
  CHECK(check.exit_code == 0);
  CHECK(Number(check.out, "/entities") == 2);
  CHECK(Number(check.out, "/findingCount") == 0);
}

TEST_CASE("a rejected record is told with file, line and reason, and the rest is imported") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string file = directory / "mixed.jsonl";
  WriteFile(file, std::string(kTwoAndOne) + "{\"id\":\"\x1b[2J\"\n");
  const ProgramResult imported = RunCtl({"--data", data, "import", "--json", file});
  CAPTURE(imported.err);
  CHECK(imported.exit_code == 0);
  CHECK(Number(imported.out, "/entities") == 2);
  CHECK(Number(imported.out, "/relations") == 1);
  CHECK(Number(imported.out, "/rejected") == 1);
  CHECK(Contains(imported.err, file + ":4: "));
  CHECK_FALSE(Contains(imported.err, "\x1b"));
}

TEST_CASE("--strict stops at the first rejected record and fails") {
  const TempDir directory;
  const std::string file = directory / "broken.jsonl";
  WriteFile(file, "{\n" + std::string(kTwoAndOne));
  const ProgramResult imported =
      RunCtl({"--data", directory / "data", "import", "--strict", "--json", file});
  CHECK(imported.exit_code == 1);
  CHECK(imported.out.empty());
  CHECK(Contains(imported.err, file + ":1: "));
  CHECK(Contains(imported.err, "--strict"));
}

TEST_CASE("of many rejected records the first hundred are told, or all when asked for") {
  const TempDir directory;
  const std::string file = directory / "broken.jsonl";
  std::string text;
  for (int i = 0; i < 101; ++i) text += "[]\n";
  WriteFile(file, text);
  const std::vector<std::string> arguments = {
      "--data", directory / "data", "import", "--format", "jsonl", file};
  const ProgramResult some = RunCtl(arguments);
  CHECK(some.exit_code == 0);
  CHECK(Lines(some.err) == 101);
  CHECK(Contains(some.err, "1 more rejected"));
  CHECK(Contains(some.out, "101 records rejected"));
  std::vector<std::string> all_arguments = arguments;
  all_arguments.push_back("--all-rejects");
  const ProgramResult all = RunCtl(all_arguments);
  CHECK(Lines(all.err) == 101);
  CHECK_FALSE(Contains(all.err, "more rejected"));
}

TEST_CASE("broken input files are told and do not stop an import") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string inputs = directory / "inputs";
  std::filesystem::create_directory(inputs);
  WriteFile(inputs + "/good.jsonl", kTwoAndOne);
  WriteFile(inputs + "/cut.json", R"({"type":"bundle","objects":[{"type":)");
  const std::string sample = ReadFile(kSample + "/pegasus.stix2.gz");
  WriteFile(inputs + "/cut.stix2.gz", sample.substr(0, sample.size() / 2));
  const ProgramResult imported = RunCtl({"--data", data, "import", "--json", inputs});
  CAPTURE(imported.err);
  CHECK(imported.exit_code == 0);
  CHECK(Number(imported.out, "/relations") >= 1);
  CHECK(Number(imported.out, "/rejected") >= 2);
  CHECK(Contains(imported.err, "cut.json"));
  CHECK(Contains(imported.err, "cut.stix2.gz"));
}

TEST_CASE("a path that is not there fails before anything is made") {
  const TempDir directory;
  const ProgramResult imported =
      RunCtl({"--data", directory / "data", "import", directory / "none.json"});
  CHECK(imported.exit_code == 3);
  CHECK(Contains(imported.err, "none.json"));
  CHECK(Lines(imported.err) == 1);
}

TEST_CASE("commands that read a store do not make one") {
  const TempDir directory;
  const std::string data = directory / "none";
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"stats"}, {"check"}, {"keys", "list"}, {"keys", "revoke", "x"}}) {
    std::vector<std::string> arguments = {"--data", data};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const ProgramResult result = RunCtl(arguments);
    CAPTURE(arguments, result.err);
    CHECK(result.exit_code == 3);
    CHECK(Contains(result.err, data));
    CHECK(Lines(result.err) == 1);
    CHECK_FALSE(std::filesystem::exists(data));
  }
}

TEST_CASE("a directory that holds something else is left alone") {
  const TempDir directory;
  WriteFile(directory / "thesis.txt", "mine");
  const ProgramResult imported = RunCtl({"--data", directory.path(), "import", "-"},
                                        {.standard_input = kTwoAndOne, .environment = {}});
  CHECK(imported.exit_code == 1);
  CHECK(Contains(imported.err, "thesis.txt"));
  CHECK(Lines(imported.err) == 1);
  CHECK(ReadFile(directory / "thesis.txt") == "mine");
  const ProgramResult file = RunCtl({"--data", directory / "thesis.txt", "stats"});
  CHECK(file.exit_code == 1);
  CHECK(Lines(file.err) == 1);
}

TEST_CASE("damage in a store's files is found") {
  const TempDir directory;
  const std::string data = directory / "data";
  REQUIRE(RunCtl({"--data", data, "import", kSample}).exit_code == 0);
  // The largest table holds the records.
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    if (entry.path().extension() != ".sst") continue;
    if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) {
      largest = entry.path();
    }
  }
  REQUIRE_FALSE(largest.empty());
  std::string bytes = ReadFile(largest.string());
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 0x10);
  WriteFile(largest.string(), bytes);
  const ProgramResult check = RunCtl({"--data", data, "check"});
  CAPTURE(check.out, check.err);
  CHECK(check.exit_code == 1);
  CHECK_FALSE(check.err.empty());
}

}  // namespace
}  // namespace relations
