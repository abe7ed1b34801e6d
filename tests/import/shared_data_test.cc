// Every file of the shared data alone, and every CALL of whole folders, against the entities,
// relations and digests that are expected of them.
#include <simdjson.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
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

// The entities that are expected, as names, of a list of `type TAB value` with JSON escapes.
std::set<std::string> ReadNames(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  std::vector<char> chunk(1 << 16);
  for (int count; (count = gzread(file, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<size_t>(count));
  }
  gzclose(file);
  std::set<std::string> names;
  simdjson::dom::parser parser;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits('\t', 1));
    REQUIRE(fields.size() == 2);
    // The value is a JSON string without its quotes.
    simdjson::padded_string json("\"" + fields[1] + "\"");
    std::string_view value;
    REQUIRE(parser.parse(json).get(value) == simdjson::SUCCESS);
    names.insert(fields[0] + " " + std::string(value));
  }
  return names;
}

// The kinds of entities on whose values two right implementations may differ.
bool MayDiffer(const std::string& name) {
  static const std::set<std::string> kTypes = {"url", "mac-address", "city", "country",
                                               "certificate-fingerprint"};
  return kTypes.count(name.substr(0, name.find(' '))) > 0;
}

void CheckRow(const Expected& row, const std::set<std::string>& known_names) {
  INFO(row.call);
  const Imported imported = ImportAll(row.Paths());
  CHECK(imported.sink.entities.size() == row.entities);
  CHECK(imported.sink.relations.size() == row.relations);
  bool same_entities = imported.sink.EntityDigest() == row.entity_digest;
  if (!same_entities) {
    // JSON Lines bring their ids: nothing of them can differ.
    REQUIRE_FALSE(absl::StrContains(row.call, "jsonl"));
    size_t differing = 0;
    for (const auto& [id, entity] : imported.sink.entities) {
      const std::string name = NameOf(entity);
      if (known_names.count(name) == 0) {
        INFO(name);
        CHECK(MayDiffer(name));
        ++differing;
      }
    }
    CHECK(differing > 0);
  } else {
    CHECK(imported.sink.RelationDigest() == row.relation_digest);
  }
}

std::set<std::string> AllNames() {
  std::set<std::string> names = ReadNames(SharedData() + "/expected/stix.entities.tsv.gz");
  names.merge(ReadNames(SharedData() + "/expected/misp.entities.tsv.gz"));
  return names;
}

TEST_CASE("each file of the shared data gives the expected graph") {
  if (!IsSharedDataThere()) return;
  const std::set<std::string> names = AllNames();
  for (const Expected& row : ReadExpected()) {
    if (!row.IsWholeFolders()) CheckRow(row, names);
  }
}

TEST_CASE("whole folders of the shared data in one call give the expected graph") {
  if (!IsSharedDataThere()) return;
  const std::set<std::string> names = AllNames();
  for (const Expected& row : ReadExpected()) {
    if (row.IsWholeFolders()) CheckRow(row, names);
  }
}

}  // namespace
}  // namespace relations
