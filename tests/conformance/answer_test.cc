// What is answered: bytes, order, what each caller sees and does not see (contract, section 2).
#include <string>
#include <vector>

#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kFixedId[] = "x-request-id: same\r\n";

RawAnswer AskAs(const Credential& caller, const std::string& target) {
  static RestClient client(Conformance().system.rest());
  return client.Get(target, caller.Fields() + kFixedId);
}

// The text of golden/NAME.json: one line, as it is sent.
std::string Golden(const std::string& name) {
  std::string text = ReadFile(RELATIONS_SOURCE_DIR "/tests/conformance/golden/" + name + ".json");
  REQUIRE(text.size() > 1);
  REQUIRE(text.back() == '\n');
  text.pop_back();
  return text;
}

TEST_CASE("answers are byte for byte those of the golden files") {
  struct Row {
    std::string golden;
    const Credential& caller;
    std::string id;
    std::string query;
    std::string stop_reason;
  };
  const ConformanceSystem& all = Conformance();
  for (const Row& row : std::vector<Row>{
           {"root_levels_1", all.reader, "domain-root", "levels=1", "complete"},
           {"root_levels_1", all.session, "domain-root", "levels=1", "complete"},
           {"root_levels_1", all.admin, "domain-root", "levels=1&limit=2", "complete"},
           {"root_details", all.reader, "domain-root", "details=true", "complete"},
           {"root_details", all.reader, "domain-root", "details=true&limit=3&levels=2", "complete"},
           {"root_limit_1", all.reader, "domain-root", "limit=1", "limit"},
           {"root_limit_1", all.reader, "domain-root", "limit=1&levels=1", "limit"},
           {"root_public_only", all.public_reader, "domain-root", "", "complete"},
           {"root_g2_only", all.g2_reader, "domain-root", "", "complete"},
           {"root_types_ip", all.reader, "domain-root", "types=ip", "complete"},
           {"alone", all.reader, "group-alone", "", "complete"},
           {"alone", all.reader, "group-alone", "limit=1&levels=5&details=true", "complete"}}) {
    CAPTURE(row.golden, row.query);
    const RawAnswer answer = AskAs(row.caller, RelationsPath(row.id, row.query));
    CheckAnswered(answer, row.stop_reason);
    CHECK(answer.body == Golden(row.golden));
  }
}

TEST_CASE("the request of the public JavaScript client is answered") {
  const Credential& pair = Conformance().reader;
  RestClient client(Conformance().system.rest());
  const RawAnswer answer = client.Get(
      RelationsPath("domain-root", "depth=2"),
      "Accept: application/json, text/plain, */*\r\nContent-Type: application/json\r\n"
      "User-Agent: axios/1.7.2\r\nAccept-Encoding: gzip, compress, deflate, br\r\n"
      "Api-Key: " +
          pair.api_key + "\r\nApi-Secret: " + pair.api_secret + "\r\nConnection: close\r\n");
  CheckAnswered(answer);
  CHECK(answer.field("connection") == "close");
  CHECK(NodeIds(answer) == "domain-root ip-near ip-fresh url-far");
}

TEST_CASE("Accept is not judged") {
  for (const char* accept : {"text/html", "application/xml;q=1, */*;q=0", "", "nonsense;;"}) {
    CAPTURE(accept);
    RestClient client(Conformance().system.rest());
    CheckAnswered(client.Get(RelationsPath("ip-near"),
                             Conformance().reader.Fields() + "Accept: " + accept + "\r\n"));
  }
}

TEST_CASE("neighbours come newest first, ties by the bytes of their ids") {
  CHECK(NodeIds(AskAs(Conformance().reader, RelationsPath("tie-root"))) ==
        "tie-root tie-new tie-10 tie-9 tie-B tie-b");
  CHECK(NodeIds(AskAs(Conformance().reader, RelationsPath("tie-root", "limit=3"))) ==
        "tie-root tie-new tie-10 tie-9");
  CHECK(NodeIds(AskAs(Conformance().reader, RelationsPath("hub-0", "limit=4"))) ==
        "hub-0 leaf-120 leaf-119 leaf-118 leaf-117");
  CHECK(NodeIds(AskAs(Conformance().reader, RelationsPath("leaf-001", "limit=3"))) ==
        "leaf-001 hub-0 leaf-120 leaf-119");
}

TEST_CASE("relations keep their stored direction, whichever way they are walked") {
  const RawAnswer answer = AskAs(Conformance().reader, RelationsPath("chain-2", "levels=1"));
  CHECK(answer.body.substr(answer.body.find("\"relations\"")) ==
        R"("relations":[{"source":"chain-2","target":"chain-1"},)"
        R"({"source":"chain-2","target":"chain-3"}]})");
}

TEST_CASE("a relation beyond the last level is left out, though both its ends are there") {
  // From ip-fresh its neighbours domain-root and ip-secret are one hop away, and related.
  const RawAnswer one = AskAs(Conformance().g2_reader, RelationsPath("ip-fresh", "levels=1"));
  CHECK(NodeIds(one) == "ip-fresh ip-secret domain-root");
  CHECK(one.body.find(R"({"source":"domain-root","target":"ip-secret"})") == std::string::npos);
  const RawAnswer two = AskAs(Conformance().g2_reader, RelationsPath("ip-fresh", "levels=2"));
  CHECK(two.body.find(R"({"source":"domain-root","target":"ip-secret"})") != std::string::npos);
}

TEST_CASE("what a caller may not see is not found, in the same bytes as what does not exist") {
  const ConformanceSystem& all = Conformance();
  const std::string missing = Comparable(AskAs(all.reader, RelationsPath("ip-zzzzzz")));
  CHECK(missing.find("HTTP/1.1 404 Not Found\n") == 0);
  struct Row {
    const Credential& caller;
    std::string id;
  };
  for (const Row& row : {Row{all.reader, "ip-secret"}, Row{all.session, "ip-secret"},
                         Row{all.public_reader, "ip-fresh"}, Row{all.g2_reader, "ip-near"},
                         Row{all.stranger, "domain-root"}, Row{all.stranger, "nothing-here"},
                         Row{all.groupless, "domain-root"}, Row{all.groupless, "nothing-here"}}) {
    for (const char* query : {"", "limit=1&levels=5", "details=true", "types=ip"}) {
      CAPTURE(row.id, query);
      const RawAnswer answer = AskAs(row.caller, RelationsPath(row.id, query));
      CheckError(answer, {404, "not_found", ""});
      CHECK(Comparable(answer) == missing);
    }
  }
}

TEST_CASE("groups and user-id of a client change nothing") {
  RestClient client(Conformance().system.rest());
  const std::string claims =
      "groups: g2\r\nuser-id: 00000000-0000-4000-8000-000000000000\r\nGroups: public,g1,g2\r\n"
      "x-groups: g2\r\nroles: admin\r\n";
  const std::string reader = Conformance().reader.Fields() + kFixedId;
  for (const char* id : {"domain-root", "ip-secret", "ip-fresh"}) {
    CAPTURE(id);
    CHECK(Comparable(client.Get(RelationsPath(id), claims + reader)) ==
          Comparable(client.Get(RelationsPath(id), reader)));
  }
}

}  // namespace
}  // namespace relations
