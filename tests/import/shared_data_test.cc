// Every file of the shared data alone, and every CALL of whole folders, against the entities,
// relations and digests that are expected of them.
#include <simdjson.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

std::string SharedData() {
  const char* const variable = std::getenv("RELATIONS_SHARED_DATA");
  return variable != nullptr ? variable : RELATIONS_SOURCE_DIR "/../shared/data";
}

bool IsSharedDataThere() {
  if (std::filesystem::exists(SharedData() + "/expected/expected.tsv")) return true;
  WARN("skipped: no shared data at " << SharedData());
  return false;
}

struct Expected {
  // A file, or "CALL folder + folder".
  std::string call;
  uint64_t entities = 0;
  uint64_t relations = 0;
  std::string entity_digest;
  std::string relation_digest;

  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const absl::string_view part : absl::StrSplit(absl::StripPrefix(call, "CALL "), " + ")) {
      paths.push_back(SharedData() + "/" + std::string(part));
    }
    return paths;
  }
  bool IsWholeFolders() const { return absl::StartsWith(call, "CALL "); }
};

std::vector<Expected> ReadExpected() {
  std::vector<Expected> rows;
  std::ifstream file(SharedData() + "/expected/expected.tsv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    REQUIRE(fields.size() == 5);
    Expected row;
    row.call = fields[0];
    REQUIRE(absl::SimpleAtoi(fields[1], &row.entities));
    REQUIRE(absl::SimpleAtoi(fields[2], &row.relations));
    row.entity_digest = fields[3];
    row.relation_digest = fields[4];
    rows.push_back(row);
  }
  REQUIRE(rows.size() > 100);
  return rows;
}

// The lines of a list in clear, JSON escapes undone.
std::vector<std::vector<std::string>> ReadList(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  std::vector<char> chunk(1 << 16);
  for (int count; (count = gzread(file, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<size_t>(count));
  }
  gzclose(file);
  std::vector<std::vector<std::string>> rows;
  simdjson::dom::parser parser;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::vector<std::string> row;
    for (const absl::string_view field : absl::StrSplit(line, '\t')) {
      const simdjson::padded_string json(absl::StrCat("\"", field, "\""));
      std::string_view value;
      REQUIRE(parser.parse(json).get(value) == simdjson::SUCCESS);
      row.emplace_back(value);
    }
    rows.push_back(row);
  }
  return rows;
}

// Fails for each name that is in one set alone.
void CheckSame(const std::set<std::string>& given, const std::set<std::string>& expected) {
  CHECK(given.size() == expected.size());
  for (const std::string& name : given) {
    INFO("not expected: " << name);
    CHECK(expected.count(name) == 1);
  }
  for (const std::string& name : expected) {
    INFO("missing: " << name);
    CHECK(given.count(name) == 1);
  }
}

void CheckRows(bool whole_folders) {
  for (const Expected& row : ReadExpected()) {
    if (row.IsWholeFolders() != whole_folders) continue;
    INFO(row.call);
    const Imported imported = ImportAll(row.Paths());
    CHECK(imported.sink.entities.size() == row.entities);
    CHECK(imported.sink.relations.size() == row.relations);
    CHECK(imported.sink.EntityDigest() == row.entity_digest);
    CHECK(imported.sink.RelationDigest() == row.relation_digest);
  }
}

TEST_CASE("each file of the shared data gives the expected graph") {
  if (IsSharedDataThere()) CheckRows(false);
}

TEST_CASE("whole folders of the shared data in one call give the expected graph") {
  if (IsSharedDataThere()) CheckRows(true);
}

TEST_CASE("the STIX and MISP folders give exactly the listed entities and relations") {
  if (!IsSharedDataThere()) return;
  for (const std::string folder : {"stix", "misp"}) {
    INFO(folder);
    const CollectingSink sink = ImportAll({SharedData() + "/" + folder}).sink;
    const std::string lists = SharedData() + "/expected/" + folder;
    std::set<std::string> entities;
    for (const std::vector<std::string>& row : ReadList(lists + ".entities.tsv.gz")) {
      REQUIRE(row.size() == 2);
      entities.insert(row[0] + " " + row[1]);
    }
    CheckSame(sink.EntityNames(), entities);
    std::set<std::string> relations;
    for (const std::vector<std::string>& row : ReadList(lists + ".relations.tsv.gz")) {
      REQUIRE(row.size() == 5);
      relations.insert(absl::StrCat(row[0], " ", row[1], " -", row[2], "-> ", row[3], " ", row[4]));
    }
    CheckSame(sink.RelationNames(), relations);
  }
}

}  // namespace
}  // namespace relations
