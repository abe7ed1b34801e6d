// What an import gives does not depend on the order of files and objects.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

std::string Object(const std::string& id, const std::string& rest) {
  return absl::StrCat(R"({"type":")", id.substr(0, id.find("--")), R"(","id":")", id, R"(",)", rest,
                      "}");
}

// Versions, equal times under one id, revocations, observables without times, reused values.
std::vector<std::string> Objects() {
  return {
      Object("malware--1", R"("modified":"2023-01-01T00:00:00Z","name":"Old Name")"),
      Object("malware--1", R"("modified":"2023-01-02T00:00:00Z","name":"New Name")"),
      // The same instant as the next, and both count.
      Object("malware--2", R"("modified":"2023-01-01T02:00:00+02:00","name":"Twin A")"),
      Object("malware--2", R"("modified":"2023-01-01T00:00:00.000Z","name":"Twin B")"),
      Object("tool--3", R"("modified":"2023-01-01T00:00:00Z","name":"Gone")"),
      Object("tool--3", R"("modified":"2023-01-03T00:00:00Z","name":"Gone","revoked":true)"),
      Object("tool--4", R"("modified":"2023-01-03T00:00:00Z","name":"Back")"),
      Object("tool--4", R"("modified":"2023-01-01T00:00:00Z","name":"Back","revoked":true)"),
      Object("tool--5", R"("created":"2023-01-01T00:00:00Z","name":"Half","revoked":true)"),
      Object("tool--5", R"("created":"2023-01-01T00:00:00Z","name":"Half")"),
      Object("indicator--6", R"("modified":"2023-01-05T00:00:00Z","labels":["b","a"],)"
                             R"("pattern":"[url:value = 'http://example.com/a']")"),
      Object("indicator--7", R"("modified":"2023-01-04T00:00:00Z","labels":["c"],)"
                             R"("pattern":"[url:value = 'http://example.com/a']")"),
      Object("indicator--8", R"("modified":"2023-01-04T00:00:00Z","pattern":"[broken")"),
      Object("domain-name--9", R"("value":"example.com","resolves_to_refs":["ipv4-addr--10"])"),
      Object("ipv4-addr--10", R"("value":"203.0.113.10")"),
      Object("relationship--11", R"("modified":"2023-01-06T00:00:00Z","source_ref":"malware--1",)"
                                 R"("target_ref":"malware--2","relationship_type":"uses")"),
      Object("relationship--12", R"("modified":"2023-01-07T00:00:00Z","source_ref":"malware--1",)"
                                 R"("target_ref":"malware--2","relationship_type":"uses")"),
      Object("relationship--13", R"("source_ref":"malware--1","target_ref":"tool--3")"),
      Object("relationship--14", R"("source_ref":"malware--1","target_ref":"tool--404")"),
      Object("relationship--15", R"("source_ref":"indicator--6","target_ref":"tool--5")"),
      Object("report--6f1b2a3c-0000-4000-8000-000000000016",
             R"("modified":"2023-01-09T00:00:00Z",)"
             R"("object_refs":["domain-name--9","ipv4-addr--10","malware--2"])"),
  };
}

std::string Event(const std::string& attributes) {
  return absl::StrCat(R"({"Event":{"uuid":"7a2b3c4d-0000-4000-8000-000000000001","info":"x",)",
                      R"("timestamp":"1685700000","Attribute":[)", attributes, "]}}");
}

void WriteAll(const TempDir& directory, const std::vector<std::string>& objects, size_t files) {
  std::vector<std::vector<std::string>> parts(files);
  for (size_t i = 0; i < objects.size(); ++i) {
    parts[i % files].push_back(objects[i]);
  }
  for (size_t i = 0; i < files; ++i) {
    WriteFile(directory / absl::StrCat("part", i, ".json"),
              absl::StrCat("[", absl::StrJoin(parts[i], ","), "]"));
  }
}

TEST_CASE("the latest version of each object counts, equal ones all") {
  const TempDir directory;
  WriteAll(directory, Objects(), 1);
  const Imported imported = ImportAll({directory.path()});
  const std::set<std::string> names = imported.sink.EntityNames();
  CHECK(names == std::set<std::string>{
                     "malware-family new name", "malware-family twin a", "malware-family twin b",
                     "tool back", "tool half", "url http://example.com/a", "domain example.com",
                     "ip 203.0.113.10", "report 6f1b2a3c-0000-4000-8000-000000000016"});
  CHECK(imported.sink.RelationNames() ==
        std::set<std::string>{
            "malware-family new name -uses-> malware-family twin a",
            "malware-family new name -uses-> malware-family twin b",
            "url http://example.com/a -hosted-on-> domain example.com",
            "url http://example.com/a -related-to-> tool half",
            "domain example.com -resolves-to-> ip 203.0.113.10",
            "report 6f1b2a3c-0000-4000-8000-000000000016 -refers-to-> domain example.com",
            "report 6f1b2a3c-0000-4000-8000-000000000016 -refers-to-> ip 203.0.113.10",
            "report 6f1b2a3c-0000-4000-8000-000000000016 -refers-to-> malware-family twin a",
            "report 6f1b2a3c-0000-4000-8000-000000000016 -refers-to-> malware-family twin b"});
  CHECK(imported.totals.dangling == 1);
  CHECK(imported.sink.rejections.size() == 1);
}

TEST_CASE("shuffled objects in any number of files give the same statements") {
  std::vector<std::string> objects = Objects();
  const TempDir whole;
  WriteAll(whole, objects, 1);
  const Imported expected = ImportAll({whole.path()});
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(objects.begin(), objects.end(), random);
    const TempDir directory;
    WriteAll(directory, objects, 1 + random() % objects.size());
    const Imported imported = ImportAll({directory.path()});
    CHECK(imported.sink.Statements() == expected.sink.Statements());
    CHECK(imported.totals.skipped == expected.totals.skipped);
    CHECK(imported.totals.dangling == expected.totals.dangling);
    CHECK(imported.sink.rejections.size() == expected.sink.rejections.size());
  }
}

TEST_CASE("files named in another order give the same statements in the same order") {
  const TempDir directory;
  WriteAll(directory, Objects(), 2);
  const std::string a = directory / "part0.json";
  const std::string b = directory / "part1.json";
  CHECK(ImportAll({a, b}).sink.Statements() == ImportAll({b, a}).sink.Statements());
  CHECK(ImportAll({a, b}).sink.rejections == ImportAll({b, a}).sink.rejections);
}

TEST_CASE("separate calls know nothing of each other") {
  const TempDir directory;
  WriteFile(directory / "a.json", Object("tool--1", R"("name":"a")"));
  WriteFile(directory / "b.json",
            Object("relationship--2", R"("source_ref":"tool--1","target_ref":"tool--1")"));
  CHECK(ImportAll({directory / "b.json"}).totals.dangling == 1);
  CHECK(ImportAll({directory / "a.json", directory / "b.json"}).totals.dangling == 0);
}

TEST_CASE("events with one uuid add up, whatever files they came in") {
  const std::string a = R"({"type":"domain","value":"a.example.com"})";
  const std::string b = R"({"type":"domain","value":"b.example.com","timestamp":"1685700001"})";
  const TempDir apart;
  WriteFile(apart / "a.json", Event(a));
  WriteFile(apart / "b.json", Event(b));
  const TempDir together;
  WriteFile(together / "ab.json", "{\"response\":[" + Event(a) + "," + Event(b) + "]}");
  const Imported imported = ImportAll({apart / "b.json", apart / "a.json"});
  CHECK(imported.sink.RelationNames() ==
        std::set<std::string>{
            "report 7a2b3c4d-0000-4000-8000-000000000001 -refers-to-> domain a.example.com",
            "report 7a2b3c4d-0000-4000-8000-000000000001 -refers-to-> domain b.example.com"});
  CHECK(imported.sink.Statements() == ImportAll({together.path()}).sink.Statements());
}

}  // namespace
}  // namespace relations
