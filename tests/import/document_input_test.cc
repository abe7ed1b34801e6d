// STIX and MISP documents that are wrong in every way: what can be imported is, the rest is
// rejected with its place and reason.
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/base/limits.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using Texts = std::vector<std::string>;
using Names = std::set<std::string>;

Imported Stix(const std::string& objects) {
  return ImportText("a.json", "{\"type\":\"bundle\",\"objects\":[" + objects + "]}");
}
Imported Misp(const std::string& members) {
  return ImportText("a.json", "{\"Event\":{\"info\":\"x\"," + members + "}}");
}
// The only rejection.
std::string Refusal(const Imported& imported) {
  REQUIRE(imported.sink.rejections.size() == 1);
  return imported.sink.rejections[0];
}

TEST_CASE("a document that is no JSON is rejected whole with the place of the fault") {
  const std::string bundle = ReadWholeFile(RELATIONS_SOURCE_DIR "/tests/import/data/bundle.json");
  const Imported half = ImportText("a.json", bundle.substr(0, bundle.size() / 2));
  CHECK(half.sink.entities.empty());
  CHECK(absl::StartsWith(Refusal(half), "a.json: not JSON: line "));
  for (const std::string text : {"{", "[", "{\"type\":\"bundle\"", "{\"objects\":[]}\n}", "[1,]",
                                 "{\"objects\":[{\"\xFF\":1}]}"}) {
    INFO(text);
    const Imported imported = ImportText("a.json", text);
    CHECK(absl::StartsWith(Refusal(imported), "a.json: not JSON: line "));
  }
  const Imported nul = ImportText("a.json", std::string("{\"objects\":\0[]}", 15));
  CHECK(absl::StartsWith(Refusal(nul), "a.json: not JSON: "));
  const Imported deep = ImportText("a.json", "{\"objects\":" + std::string(1'000'000, '['));
  CHECK(absl::StrContains(Refusal(deep), "nested too deep"));
}

TEST_CASE("what is neither format is rejected with what it starts with") {
  CHECK(Refusal(ImportText("a.json", "<stix/>")) ==
        "a.json: neither JSON Lines, STIX nor MISP: it starts with \"<stix/>\"");
  CHECK(Refusal(ImportText("a.json", std::string("\0\1PK", 4))) ==
        "a.json: neither JSON Lines, STIX nor MISP: it starts with \"\\x00\\x01PK\"");
  CHECK(Refusal(ImportText("a.json", "\xFF\xFE{")) == "a.json: UTF-16: only UTF-8 is read");
  CHECK(Refusal(ImportText("a.json", "[1, \"x\"]")) ==
        "a.json: JSON, but neither JSON Lines, STIX nor MISP");
  CHECK(Refusal(ImportText("a.json", "{\n\"unknown\": 1}")) ==
        "a.json: JSON, but neither JSON Lines, STIX nor MISP");
  CHECK(Refusal(ImportText("a.json", "")) == "a.json: the file is empty");
  CHECK(Refusal(ImportText("a.json", " \n\t")) == "a.json: the file is empty");
  CHECK(ImportText("a.jsonl", "").sink.rejections.empty());
}

TEST_CASE("each form of a STIX document is read") {
  const std::string tool = R"({"type":"tool","id":"tool--1","name":"T"})";
  for (const std::string& text :
       {"{\"type\":\"bundle\",\"objects\":[" + tool + "]}", "{\"objects\":[" + tool + "]}",
        "{\"more\":false,\n\"objects\":[" + tool + "]}", "[" + tool + "]", tool,
        "\xEF\xBB\xBF" + tool, " \n " + tool + "\n\n"}) {
    INFO(text);
    const Imported imported = ImportText("a.json", text);
    CHECK(imported.sink.EntityNames() == Names{"tool t"});
    CHECK(imported.sink.rejections.empty());
  }
  for (const std::string text :
       {"{\"type\":\"bundle\",\"id\":\"bundle--1\"}", "[]", "{\"objects\":[]}"}) {
    INFO(text);
    CHECK(ImportText("a.json", text).sink.rejections.empty());
  }
}

TEST_CASE("each form of a MISP document is read") {
  const std::string event = R"({"info":"x","Attribute":[{"type":"domain","value":"example.com"}]})";
  const std::string wrapped = "{\"Event\":" + event + "}";
  for (const std::string& text :
       {wrapped, event, "[" + wrapped + "]", "[" + event + "]", "{\"response\":[" + wrapped + "]}",
        "{\"response\":" + wrapped + "}", "{\"response\":[" + event + "]}"}) {
    INFO(text);
    const Imported imported = ImportText("a.json", text);
    CHECK(imported.sink.EntityNames() == Names{"domain example.com"});
    CHECK(imported.sink.rejections.empty());
    CHECK(imported.totals.skipped ==
          std::map<std::string, uint64_t>{{"misp event without uuid", 1}});
  }
  const Imported manifest = ImportText(
      "manifest.json", R"({"7a2b3c4d-0000-4000-8000-000000000001":{"info":"x","date":"d"}})");
  CHECK(manifest.sink.rejections.empty());
  CHECK(manifest.totals.skipped.at("misp manifest") == 1);
}

TEST_CASE("elements that are no STIX objects are rejected by number") {
  const Imported imported =
      Stix(R"(1,null,"x",[],{},{"type":1},{"type":""},{"type":"bundle","objects":[]},)"
           R"({"type":"tool","id":"tool--1","name":"T"})");
  CHECK(imported.sink.EntityNames() == Names{"tool t"});
  CHECK(imported.sink.rejections ==
        Texts{"a.json: object number 1: not an object", "a.json: object number 2: not an object",
              "a.json: object number 3: not an object", "a.json: object number 4: not an object",
              "a.json: object number 5: an object without a type",
              "a.json: object number 6: an object without a type",
              "a.json: object number 7: an object without a type",
              "a.json: object number 8: a bundle within another set of objects"});
  CHECK(Refusal(ImportText("a.json", R"({"type":"bundle","objects":{}})")) ==
        "a.json: bundle: objects: not an array");
}

TEST_CASE("members of STIX objects of a wrong type") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"type":"tool","id":"tool--1","name":{}})", "name: neither a string nor an integer"},
      {R"({"type":"autonomous-system","number":1.5})", "number: neither a string nor an integer"},
      {R"({"type":"report","id":"x--6f1b2a3c-0000-4000-8000-000000000016"})",
       "the id of a report is not its type, -- and a UUID"},
      {R"({"type":"indicator","pattern":1})", "an indicator without a pattern"},
      {R"({"type":"indicator"})", "an indicator without a pattern"},
      {R"({"type":"indicator","pattern":"[x"})",
       "the pattern does not parse at character 3: \":\" is missing"},
      {R"({"type":"file","name":[],"hashes":{"MD5":"00000000000000000000000000000000"}})",
       "name: not a string"},
      {R"({"type":"file","name":"x","hashes":{"MD5":1}})", "hashes.MD5: not a string"},
      {R"({"type":"relationship","source_ref":1,"target_ref":"x"})",
       "a relationship without source_ref and target_ref"},
      {R"({"type":"relationship","source_ref":"x"})",
       "a relationship without source_ref and target_ref"},
      {R"({"type":"relationship","source_ref":"x","target_ref":"y","relationship_type":[]})",
       "relationship_type: not a string"},
      {R"({"type":"sighting","sighting_of_ref":1})", "a sighting without sighting_of_ref"},
      {R"({"type":"observed-data","id":"o--1","objects":{"0":1}})", "objects: not an object"},
      {R"({"type":"observed-data","id":"o--1","objects":{"0":{}}})",
       "objects: an object without a type"},
      {R"({"type":"observed-data","id":"o--1","objects":{"0":{"type":"observed-data"}}})",
       "objects: observed data in observed data"},
      {R"({"type":"observed-data","objects":{"0":{"type":"mutex","name":"m"}}})",
       "observed data without an id"},
      {R"({"type":"Bad Type","id":"b--1","name":"x"})",
       "the object's type is no entity type: 1 to 64 of a-z 0-9 and -"}};
  for (const auto& [object, reason] : rows) {
    INFO(object);
    CHECK(absl::EndsWith(Refusal(Stix(object)), ": " + reason));
  }
}

TEST_CASE("STIX members that only describe are left out when they are of a wrong type") {
  const Imported imported =
      Stix(R"({"type":"tool","id":"tool--1","name":"T","modified":"yesterday","created":5,)"
           R"("labels":"x","revoked":"true","external_references":{}},)"
           R"({"type":"malware","name":"M","is_family":"false","sample_refs":[1],"labels":[1,"",)"
           R"("a\nb","good"]},{"type":"url"},{"type":"x-custom","name":"Keeps Case"},)"
           R"({"type":"asset","name":"Lower Case"})");
  CHECK(imported.sink.rejections.empty());
  CHECK(imported.sink.EntityNames() ==
        Names{"tool t", "malware-family m", "x-custom Keeps Case", "asset lower case"});
  CHECK(imported.sink.EntityNamed("malware-family m").tags_size() == 1);
  CHECK(imported.totals.skipped ==
        std::map<std::string, uint64_t>{{"stix created that is no time", 1},
                                        {"stix modified that is no time", 1},
                                        {"stix url without value", 1}});
}

TEST_CASE("an unacceptable value is left out with what hangs on it") {
  const Imported imported = Stix(
      R"({"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value IN ('10.0.0.1',)"
      R"('203.0.113.1')]"},{"type":"indicator","id":"indicator--2",)"
      R"("pattern":"[ipv4-addr:value='127.0.0.1']"},{"type":"tool","id":"tool--3","name":"t"},)"
      R"({"type":"relationship","source_ref":"indicator--1","target_ref":"tool--3"},)"
      R"({"type":"relationship","source_ref":"indicator--2","target_ref":"tool--3"},)"
      R"({"type":"file","hashes":{"MD5":"short"},"name":"kept.exe"})");
  CHECK(imported.sink.EntityNames() == Names{"ip 203.0.113.1", "tool t", "filename kept.exe"});
  CHECK(imported.sink.RelationNames() == Names{"ip 203.0.113.1 -related-to-> tool t"});
  CHECK(imported.sink.rejections.size() == 3);
  CHECK(imported.totals.skipped.at("relation with an end that is no entity") == 1);
}

TEST_CASE("a lone surrogate or a NUL costs the one value that holds it") {
  const Imported stix =
      Stix(R"({"type":"tool","name":"bad\ud800"},{"type":"tool","name":"bad\u0000"},)"
           R"({"type":"tool","name":"good","labels":["bad\udc00","good"]})");
  CHECK(stix.sink.EntityNames() == Names{"tool good"});
  CHECK(stix.sink.rejections.size() == 2);
  CHECK(stix.sink.EntityNamed("tool good").tags_size() == 1);
  CHECK(stix.totals.skipped.at("lone surrogate, read as NUL") == 2);
  const Imported misp = Misp(R"("Attribute":[{"type":"mutex","value":"bad\ud800"},)"
                             R"({"type":"mutex","value":"good"}])");
  CHECK(misp.sink.EntityNames() == Names{"mutex good"});
  CHECK(misp.sink.rejections.size() == 1);
}

TEST_CASE("references in circles and to nothing end") {
  const Imported imported = Stix(
      R"({"type":"observed-data","id":"o--1","object_refs":["o--2","o--404"]},)"
      R"({"type":"observed-data","id":"o--2","object_refs":["o--1","mutex--3"]},)"
      R"({"type":"mutex","id":"mutex--3","name":"m"},{"type":"tool","id":"tool--4","name":"t"},)"
      R"({"type":"network-traffic","id":"n--5","src_ref":"n--5","dst_ref":"n--5"},)"
      R"({"type":"relationship","source_ref":"o--1","target_ref":"tool--4"},)"
      R"({"type":"relationship","source_ref":"o--2","target_ref":"n--5"},)"
      R"({"type":"relationship","source_ref":"o--404","target_ref":"o--405"})");
  CHECK(imported.sink.RelationNames() == Names{"mutex m -related-to-> tool t"});
  CHECK(imported.sink.rejections.empty());
  CHECK(imported.totals.dangling == 3);
}

std::string IndicatorOf(const std::string& id, size_t values, const std::string& prefix) {
  Texts texts;
  for (size_t i = 0; i < values; ++i) {
    texts.push_back(absl::StrCat("'", prefix, i, "'"));
  }
  return absl::StrCat(R"({"type":"indicator","id":")", id, R"(","pattern":"[mutex:name IN ()",
                      absl::StrJoin(texts, ","), R"()]"})");
}

TEST_CASE("a statement relates up to the limit of pairs") {
  const std::string statement =
      R"({"type":"relationship","source_ref":"indicator--1","target_ref":"indicator--2"})";
  const Imported at_limit = Stix(IndicatorOf("indicator--1", 256, "a") + "," +
                                 IndicatorOf("indicator--2", 256, "b") + "," + statement);
  CHECK(at_limit.sink.relations.size() == limits::kImportPairsMax);
  const Imported beyond = Stix(IndicatorOf("indicator--1", 257, "a") + "," +
                               IndicatorOf("indicator--2", 256, "b") + "," + statement);
  CHECK(beyond.sink.relations.empty());
  CHECK(beyond.sink.entities.size() == 513);
  CHECK(absl::EndsWith(Refusal(beyond), "more than 65536 pairs of entities in one relation"));
}

TEST_CASE("an end stands for up to the limit of entities") {
  const std::string statement =
      R"(,{"type":"tool","id":"tool--2","name":"t"},)"
      R"({"type":"relationship","source_ref":"indicator--1","target_ref":"tool--2"})";
  CHECK(Stix(IndicatorOf("indicator--1", limits::kImportPairsMax, "a") + statement)
            .sink.relations.size() == limits::kImportPairsMax);
  const Imported beyond =
      Stix(IndicatorOf("indicator--1", limits::kImportPairsMax + 1, "a") + statement);
  CHECK(beyond.sink.relations.empty());
  CHECK(absl::EndsWith(Refusal(beyond), "an end stands for more than 65536 entities"));
}

TEST_CASE("members of MISP events of a wrong type") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"("Attribute":{})", "event number 1: Attribute: not an array"},
      {R"("Attribute":[1])", "event number 1, Attribute number 1: not an object"},
      {R"("Attribute":[{}])", "event number 1, attribute number 1: an attribute without a type"},
      {R"("Attribute":[{"type":1}])",
       "event number 1, attribute number 1: an attribute without a type"},
      {R"("Attribute":[{"type":"domain","uuid":"u-1"}])",
       "event number 1, attribute u-1: an attribute without a value"},
      {R"("Attribute":[{"type":"domain","value":[]}])",
       "event number 1, attribute number 1: an attribute without a value"},
      {R"("Attribute":[{"type":"domain|ip","value":"example.com"}])",
       "event number 1, attribute number 1: a value of type domain|ip without |"},
      {R"("Object":"x")", "event number 1: Object: not an array"},
      {R"("Object":[[]])", "event number 1, Object number 1: not an object"},
      {R"("Object":[{"Attribute":1}])", "event number 1, object number 1: Attribute: not an array"},
      {R"("Object":[{"ObjectReference":1}])",
       "event number 1, object number 1: ObjectReference: not an array"},
      {R"("Object":[{"ObjectReference":[{}]}])",
       "event number 1, object number 1, reference number 1: a reference without referenced_uuid"},
      {R"("uuid":1)", "event number 1: uuid: not a string"},
      {R"("uuid":"7a2b3c4d-0000-4000-8000-000000000001","Galaxy":[{"GalaxyCluster":[]}])",
       "event 7a2b3c4d-0000-4000-8000-000000000001: a galaxy without a type"},
      {R"("uuid":"7a2b3c4d-0000-4000-8000-000000000001",)"
       R"("Galaxy":[{"type":"rat","GalaxyCluster":[1]}])",
       "event 7a2b3c4d-0000-4000-8000-000000000001: a galaxy cluster without a value"},
      {R"("uuid":"7a2b3c4d-0000-4000-8000-000000000001",)"
       R"("timestamp":[],"date":7,"Tag":[1,{"name":2}],"Galaxy":"x","Attribute":[1])",
       "event 7a2b3c4d-0000-4000-8000-000000000001, Attribute number 1: not an object"}};
  for (const auto& [members, reason] : rows) {
    INFO(members);
    CHECK(Refusal(Misp(members)) == "a.json: " + reason);
  }
  CHECK(Refusal(ImportText("a.json", R"({"Event":1})")) ==
        "a.json: event number 1: Event: not an object");
  CHECK(Refusal(ImportText("a.json", R"([{"Event":{"info":"x","uuid":null}},1])")) ==
        "a.json: event number 2: not an object");
  CHECK(Refusal(ImportText("a.json", R"({"response":{"Attribute":[]}})")) ==
        "a.json: event number 1: no event: neither Event nor info is there");
}

TEST_CASE("what MISP marks as deleted is left out, however it says so") {
  for (const std::string deleted : {"true", "1", "\"1\"", "\"true\""}) {
    const Imported imported = Misp(R"("Attribute":[{"type":"mutex","value":"m","deleted":)" +
                                   deleted + R"(}],"Object":[{"deleted":)" + deleted +
                                   R"(,"Attribute":[{"type":"mutex","value":"n"}]}])");
    CHECK(imported.sink.entities.empty());
    CHECK(imported.totals.skipped.at("misp deleted attribute") == 1);
    CHECK(imported.totals.skipped.at("misp deleted object") == 1);
  }
  for (const std::string kept : {"false", "0", "\"0\"", "\"\"", "null", "2"}) {
    const Imported imported =
        Misp(R"("Attribute":[{"type":"mutex","value":"m","deleted":)" + kept + "}]");
    CHECK(imported.sink.EntityNames() == Names{"mutex m"});
  }
}

TEST_CASE("damaged documents never crash the import nor pass as whole") {
  // A seed that once failed stays.
  const auto seed = GENERATE(3404606527U, std::random_device{}());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (const std::string name : {"bundle.json", "event.json", "graph.jsonl"}) {
    const std::string text =
        ReadWholeFile(std::string(RELATIONS_SOURCE_DIR "/tests/import/data/") + name);
    for (int round = 0; round < 300; ++round) {
      std::string damaged = text;
      for (uint32_t edits = 1 + random() % 4; edits > 0; --edits) {
        const size_t at = random() % damaged.size();
        switch (random() % 3) {
          case 0:
            damaged[at] = static_cast<char>(random());
            break;
          case 1:
            damaged.erase(at, 1 + random() % 20);
            break;
          default:
            damaged.insert(at, 1, "[]{}\",:\\"[random() % 8]);
        }
        if (damaged.empty()) break;
      }
      const Imported imported = ImportText(name, damaged);
      // A bundle may do without objects, also by a member of another name.
      const bool may_be_empty =
          name == "bundle.json" && damaged.find("\"objects\": [") == std::string::npos;
      CHECK((imported.totals.rejected > 0 || !imported.sink.entities.empty() || may_be_empty));
    }
  }
}

}  // namespace
}  // namespace relations
