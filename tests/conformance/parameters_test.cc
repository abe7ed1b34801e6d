// What a question may say: the path, the id, the parameters (contract, section 1).
#include <algorithm>
#include <string>
#include <vector>

#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

RawAnswer AskAsReader(const std::string& target) {
  static RestClient client(Conformance().system.rest());
  return client.Get(target, Conformance().reader.Fields());
}

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("an id of the grammar that names nothing is not found, whatever its type or its hash") {
  for (const std::string& id : std::vector<std::string>{"a-b",
                                                        "1-2",
                                                        "x-1",
                                                        "a--b",
                                                        "a---b",
                                                        "ip-zz",
                                                        "IP-NEAR",
                                                        "Ip-near",
                                                        "ip-NEAR",
                                                        "nosuchtype-00",
                                                        "ip-ba7f816f",
                                                        "sha256-xyz",
                                                        "3-d-e-f",
                                                        "A-Z",
                                                        "ip-near0",
                                                        "0ip-near",
                                                        "ip-" + std::string(125, 'f'),
                                                        std::string(126, 'f') + "-f",
                                                        "%69p-zz",
                                                        "ip%2Dzz",
                                                        "ip-%7a",
                                                        "ip-%7A"}) {
    CAPTURE(id);
    CheckError(AskAsReader(RelationsPath(id)), {404, "not_found", ""});
  }
}

TEST_CASE("an id outside the grammar is refused, told apart from a bad escape") {
  for (const std::string& id : std::vector<std::string>{"a",
                                                        "ab",
                                                        "a-",
                                                        "-a",
                                                        "-",
                                                        "--",
                                                        "---",
                                                        "abc",
                                                        "-ab",
                                                        "ab-",
                                                        "-a-b",
                                                        "a-b-",
                                                        "ip_near",
                                                        "ip-a_b",
                                                        "ip-a.b",
                                                        "ip-a:b",
                                                        "ip-a;b",
                                                        "ip-a@b",
                                                        "ip-a+b",
                                                        "ip-a~b",
                                                        "ip-a*b",
                                                        "ip-a,b",
                                                        "ip-a=b",
                                                        "ip-a$b",
                                                        "ip-a!b",
                                                        "ip-a'b",
                                                        "ip-a(b)",
                                                        "ip-%20",
                                                        "ip-a%20",
                                                        "%20ip-a",
                                                        "ip-%C3%A9",
                                                        "ip-%25",
                                                        "ip-%2541",
                                                        "ip-%09",
                                                        "ip-%0D%0Ax",
                                                        "ip-%7F",
                                                        "ip-%22",
                                                        "ip-%3C",
                                                        "ip-%23",
                                                        "ip-%3F",
                                                        "%2e%2e",
                                                        "%2E",
                                                        "ip-" + std::string(126, 'f'),
                                                        std::string(129, '-'),
                                                        std::string(4000, 'a') + "-b"}) {
    CAPTURE(id.substr(0, 80));
    CheckError(AskAsReader(RelationsPath(id)), {400, "invalid_id", "id"});
  }
  for (const std::string& id :
       std::vector<std::string>{"ip-%00", "%00", "ip-%2F", "ip-%2f", "%2Fip-near", "ip-%", "ip-%4",
                                "ip-%zz", "ip-%4g", "ip-%g4", "ip-%%41", "ip-%-1", "ip-%u0041"}) {
    CAPTURE(id);
    CheckError(AskAsReader(RelationsPath(id)), {400, "invalid_escape", "id"});
  }
}

TEST_CASE("an id is decoded once") {
  const std::string plain = AskAsReader(RelationsPath("ip-near")).body;
  for (const char* id : {"%69%70%2d%6e%65%61%72", "ip%2Dnear", "i%70-nea%72"}) {
    CAPTURE(id);
    const RawAnswer answer = AskAsReader(RelationsPath(id));
    CheckAnswered(answer);
    CHECK(answer.body == plain);
  }
}

TEST_CASE("one trailing slash is accepted; nothing else of a path is normalised") {
  const std::string plain = AskAsReader(RelationsPath("ip-near")).body;
  const std::string base = RelationsPath("ip-near");
  for (const std::string& target : std::vector<std::string>{
           base + "/", base + "/?", base + "?", base + "?&&", "http://relations.example" + base,
           "HTTPS://relations.example" + base + "/"}) {
    CAPTURE(target);
    CHECK(AskAsReader(target).body == plain);
  }
  for (const std::string& target :
       std::vector<std::string>{"/",
                                "//",
                                "/api",
                                "/api/analytics/v1/entity",
                                "/api/analytics/v1/entity/",
                                "/api/analytics/v1/entity/ip-near",
                                "/api/analytics/v1/entity/relations",
                                "/api/analytics/v1/entity//relations",
                                "/api/analytics/v1/entity/./relations",
                                "/api/analytics/v1/entity/../relations",
                                "/api/analytics/v1/entity/ip-near/Relations",
                                "/api/analytics/v1/entity/ip-near//relations",
                                "/api/analytics/v1/entity//ip-near/relations",
                                base + "//",
                                base + "/x",
                                base + "/.",
                                base + "%2F",
                                "/" + base,
                                "/." + base,
                                "/x/.." + base,
                                "/api/analytics/v1/entity/x/../ip-near/relations",
                                "/API/analytics/v1/entity/ip-near/relations",
                                "/api/analytics/v1/Entity/ip-near/relations",
                                "/api/analytics/v2/entity/ip-near/relations",
                                "/api/analytics/v1/entity/ip-near/relation",
                                "/%61pi/analytics/v1/entity/ip-near/relations",
                                "/relations",
                                "/favicon.ico",
                                "/metrics"}) {
    CAPTURE(target);
    CheckError(AskAsReader(target), {404, "route_not_found", ""});
  }
}

TEST_CASE("a limit is a number of related entities from 1; more than 100 means 100") {
  struct Row {
    std::string limit;
    size_t nodes;
  };
  const std::vector<Row> rows = {{"", 51},
                                 {"limit=1", 2},
                                 {"limit=2", 3},
                                 {"limit=01", 2},
                                 {"limit=0000000000000000000000000000000007", 8},
                                 {"limit=99", 100},
                                 {"limit=100", 101},
                                 {"limit=101", 101},
                                 {"limit=119", 101},
                                 {"limit=2147483648", 101},
                                 {"limit=18446744073709551616", 101},
                                 {"limit=4294967297", 101},
                                 {"limit=" + std::string(4000, '9'), 101},
                                 {"limit=%31%32", 13},
                                 {"l%69mit=3", 4},
                                 {"x=1&limit=2&y=&z", 3},
                                 {"&&limit=2&", 3}};
  for (const Row& row : rows) {
    CAPTURE(row.limit.substr(0, 60));
    const RawAnswer answer = AskAsReader(RelationsPath("hub-0", row.limit));
    CheckAnswered(answer, "limit");
    const std::string ids = NodeIds(answer);
    CHECK(static_cast<size_t>(std::count(ids.begin(), ids.end(), ' ')) + 1 == row.nodes);
  }
  CheckAnswered(AskAsReader(RelationsPath("domain-root", "limit=3")), "complete");
  CheckAnswered(AskAsReader(RelationsPath("domain-root", "limit=2")), "limit");
}

TEST_CASE("levels is a number of hops from 1; more than 5 means 5; depth is its other name") {
  struct Row {
    std::string query;
    std::string last;
  };
  const std::vector<Row> rows = {{"", "chain-3"},
                                 {"levels=1", "chain-1"},
                                 {"levels=2", "chain-2"},
                                 {"levels=003", "chain-3"},
                                 {"levels=4", "chain-4"},
                                 {"levels=5", "chain-5"},
                                 {"levels=6", "chain-5"},
                                 {"levels=4294967297", "chain-5"},
                                 {"levels=" + std::string(3000, '9'), "chain-5"},
                                 {"depth=1", "chain-1"},
                                 {"depth=2", "chain-2"},
                                 {"depth=9", "chain-5"},
                                 {"levels=1&depth=4", "chain-1"},
                                 {"depth=4&levels=1", "chain-1"},
                                 {"levels=1&depth=nonsense", "chain-1"},
                                 {"depth=0&levels=2", "chain-2"},
                                 {"depth=1&depth=2&levels=2", "chain-2"},
                                 {"depth=%zz&levels=2", "chain-2"},
                                 {"Levels=1", "chain-3"},
                                 {"DEPTH=1", "chain-3"}};
  for (const Row& row : rows) {
    CAPTURE(row.query.substr(0, 60));
    const RawAnswer answer = AskAsReader(RelationsPath("chain-0", row.query));
    CheckAnswered(answer);
    const std::string ids = NodeIds(answer);
    CHECK(ids.substr(ids.rfind(' ') + 1) == row.last);
  }
}

TEST_CASE("a number in any other form is refused, and the parameter is named") {
  for (const std::string& value : std::vector<std::string>{"",
                                                           "0",
                                                           "00",
                                                           "-1",
                                                           "-0",
                                                           "+1",
                                                           "%2B1",
                                                           "1.0",
                                                           "1.",
                                                           ".5",
                                                           "1e2",
                                                           "1E2",
                                                           "0x10",
                                                           "1_0",
                                                           "1,0",
                                                           "%201",
                                                           "1%20",
                                                           "1+",
                                                           "+",
                                                           "ten",
                                                           "NaN",
                                                           "inf",
                                                           "null",
                                                           "true",
                                                           "1%00",
                                                           "%D9%A1",
                                                           "%EF%BC%91",
                                                           "1%0A",
                                                           "'1'",
                                                           "%221%22",
                                                           "1;2",
                                                           "-99999999999999999999",
                                                           Repeated("0", 500)}) {
    CAPTURE(value);
    CheckError(AskAsReader(RelationsPath("ip-near", "limit=" + value)),
               {400, "invalid_limit", "limit"});
    CheckError(AskAsReader(RelationsPath("ip-near", "levels=" + value)),
               {400, "invalid_levels", "levels"});
    CheckError(AskAsReader(RelationsPath("ip-near", "depth=" + value)),
               {400, "invalid_levels", "depth"});
  }
  CheckError(AskAsReader(RelationsPath("ip-near", "limit")), {400, "invalid_limit", "limit"});
  CheckError(AskAsReader(RelationsPath("ip-near", "levels&limit=1")),
             {400, "invalid_levels", "levels"});
}

TEST_CASE("types keep a walk to entities of these types, and the root") {
  struct Row {
    std::string query;
    std::string ids;
  };
  for (const Row& row : std::vector<Row>{{"types=ip", "domain-root ip-near ip-fresh"},
                                         {"types=ip,url", "domain-root ip-near ip-fresh url-far"},
                                         {"types=url,ip", "domain-root ip-near ip-fresh url-far"},
                                         {"types=url", "domain-root"},
                                         {"types=domain", "domain-root"},
                                         {"types=ip,ip", "domain-root ip-near ip-fresh"},
                                         {"types=nosuchtype", "domain-root"},
                                         {"types=ip%2Curl", "domain-root ip-near ip-fresh url-far"},
                                         {"types=ip&limit=1", "domain-root ip-near"}}) {
    CAPTURE(row.query);
    const RawAnswer answer = AskAsReader(RelationsPath("domain-root", row.query));
    CheckAnswered(answer, row.query == "types=ip&limit=1" ? "limit" : "complete");
    CHECK(NodeIds(answer) == row.ids);
  }
  const std::string many = "ip" + Repeated(",ip", 63);
  CheckAnswered(AskAsReader(RelationsPath("domain-root", "types=" + many)));
  for (const std::string& types :
       std::vector<std::string>{"", ",", "ip,", ",ip", "ip,,url", "IP", "ip%20url", "ip%20", "i_p",
                                "ip;url", "%C3%A9", many + ",ip", std::string(65, 'a')}) {
    CAPTURE(types.substr(0, 60));
    CheckError(AskAsReader(RelationsPath("domain-root", "types=" + types)),
               {400, "invalid_types", "types"});
  }
}

TEST_CASE("details is true or false") {
  const std::string plain = AskAsReader(RelationsPath("domain-root")).body;
  CHECK(AskAsReader(RelationsPath("domain-root", "details=false")).body == plain);
  CHECK(AskAsReader(RelationsPath("domain-root", "details=true")).body != plain);
  for (const char* details : {"", "1", "0", "yes", "TRUE", "True", "true%20", "on"}) {
    CAPTURE(details);
    CheckError(AskAsReader(RelationsPath("domain-root", std::string("details=") + details)),
               {400, "invalid_details", "details"});
  }
  CheckError(AskAsReader(RelationsPath("domain-root", "details")),
             {400, "invalid_details", "details"});
}

TEST_CASE("one of our parameters twice is refused, unknown ones and other spellings are ignored") {
  const std::string plain = AskAsReader(RelationsPath("domain-root")).body;
  for (const char* query :
       {"a=1", "a=1&a=2", "Limit=1", "LIMIT=0", "limit%20=1", "+limit=1", "limit[]=1", "offset=9",
        "cursor=x", "a=%zz", "%zz=1", "%00=%00", "api-key=x", "limits=1", "Details=x", "Types="}) {
    CAPTURE(query);
    const RawAnswer answer = AskAsReader(RelationsPath("domain-root", query));
    CheckAnswered(answer);
    CHECK(answer.body == plain);
  }
  struct Row {
    std::string query;
    std::string param;
  };
  for (const Row& row : std::vector<Row>{{"limit=1&limit=1", "limit"},
                                         {"limit=1&l%69mit=2", "limit"},
                                         {"levels=1&levels=2", "levels"},
                                         {"levels=1&x=1&levels=1", "levels"},
                                         {"depth=1&depth=1", "depth"},
                                         {"types=ip&types=url", "types"},
                                         {"details=true&details=true", "details"},
                                         {"limit=1&limit", "limit"}}) {
    CAPTURE(row.query);
    CheckError(AskAsReader(RelationsPath("domain-root", row.query)),
               {400, "repeated_parameter", row.param});
  }
  for (const char* name : {"limit", "levels", "depth", "types", "details"}) {
    for (const char* escape : {"%", "%1", "%zz", "1%"}) {
      const std::string query = std::string(name) + "=" + escape;
      CAPTURE(query);
      CheckError(AskAsReader(RelationsPath("domain-root", query)), {400, "invalid_escape", name});
    }
  }
}

TEST_CASE("an error never repeats what the request said") {
  for (const std::string& target :
       {RelationsPath("ip-near", "limit=sentinel"), RelationsPath("sentinel"),
        RelationsPath("none-sentinel"), RelationsPath("ip-near", "types=SENTINEL"),
        std::string("/sentinel"), RelationsPath("sentinel%zz")}) {
    CAPTURE(target);
    const RawAnswer answer = AskAsReader(target);
    CHECK(answer.status >= 400);
    CHECK(Comparable(answer).find("sentinel") == std::string::npos);
    CHECK(Comparable(answer).find("SENTINEL") == std::string::npos);
  }
}

}  // namespace
}  // namespace relations
