// The parameters of the relations route: every rule of the API, good and bad.
#include "gateway/request_parameters.h"

#include "storage/base/public_error.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

struct Bad {
  std::string id;
  std::string query;
  std::string reason;
  std::string param;
};

void RequireRefused(const Bad& row) {
  INFO("id=" << row.id << " query=" << row.query);
  const auto question = ParseRelationsQuestion(row.id, row.query);
  REQUIRE_FALSE(question.ok());
  CHECK(question.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(ReasonOf(question.status()) == row.reason);
  CHECK(ParamOf(question.status()) == row.param);
}

TEST_CASE("A legal id is taken as it is, percent-decoded once") {
  const std::string longest = std::string(126, 'a') + "-b";
  const std::pair<std::string, std::string> rows[] = {
      {"a-b", "a-b"},
      {"ip-ba7f5XYZ", "ip-ba7f5XYZ"},
      {"IP-1-2--3", "IP-1-2--3"},
      {"%69p%2d1", "ip-1"},
      {"ip%2D1", "ip-1"},
      {longest, longest},
  };
  for (const auto& [encoded, id] : rows) {
    INFO(encoded);
    const auto question = ParseRelationsQuestion(encoded, "");
    REQUIRE(question.ok());
    CHECK(question->id == id);
  }
}

TEST_CASE("An id outside the grammar or with a bad escape is refused") {
  const std::string too_long = std::string(127, 'a') + "-b";
  for (const std::string& id :
       {std::string("ab"), std::string("a-"), std::string("abc"), std::string("-ab"),
        std::string("ab-"), std::string("a_b-c"), std::string("a.b-c"), std::string("a-b+c"),
        std::string("a%2Db%20"), std::string("%2e%2e"), std::string("a-%C3%A9"),
        std::string("a-\xC3\xA9"), std::string("a%252Db"), std::string("---"), too_long}) {
    RequireRefused({id, "", "invalid_id", "id"});
  }
  for (const char* id : {"a-%", "a-%4", "a-%zz", "a-%0g", "a-b%00", "%2Fa-b", "a-b%2f", "%%2d-a"}) {
    RequireRefused({id, "", "invalid_escape", "id"});
  }
}

TEST_CASE("Numbers are digits from 1, and what is above the maximum is the maximum") {
  struct Row {
    const char* query;
    int limit;
    int levels;
  };
  const std::string endless = "limit=" + std::string(4000, '9');
  const Row rows[] = {
      {"", 0, 0},
      {"limit=1", 1, 0},
      {"limit=100", 100, 0},
      {"limit=101", 100, 0},
      {"limit=4294967297", 100, 0},
      {"limit=18446744073709551617", 100, 0},
      {endless.c_str(), 100, 0},
      {"limit=007", 7, 0},
      {"limit=%31%30", 10, 0},
      {"lim%69t=3", 3, 0},
      {"levels=1", 0, 1},
      {"levels=5", 0, 5},
      {"levels=6", 0, 5},
      {"depth=2", 0, 2},
      {"depth=99", 0, 5},
      {"levels=2&depth=4", 0, 2},
      {"depth=4&levels=2", 0, 2},
      {"levels=2&depth=x", 0, 2},
      {"levels=2&depth=1&depth=1", 0, 2},
      {"depth=%zz&levels=2", 0, 2},
      {"&&limit=5&&levels=4&", 5, 4},
  };
  for (const Row& row : rows) {
    INFO(row.query);
    const auto question = ParseRelationsQuestion("ip-1", row.query);
    REQUIRE(question.ok());
    CHECK(question->limit == row.limit);
    CHECK(question->levels == row.levels);
  }
}

TEST_CASE("Anything but digits from 1 is refused for each number") {
  const std::string bad[] = {"0",         "000",  "-1",   "+1",       "%2B1", "+", "%20",
                             "1%20",      "%201", "1.0",  "1e1",      "0x1",  "a", "",
                             "%EF%BC%91", "1,2",  "1%00", "\xD9\xA1", "1;"};
  for (const std::string& value : bad) {
    RequireRefused({"ip-1", "limit=" + value, "invalid_limit", "limit"});
    RequireRefused({"ip-1", "levels=" + value, "invalid_levels", "levels"});
    RequireRefused({"ip-1", "depth=" + value, "invalid_levels", "depth"});
  }
  RequireRefused({"ip-1", "limit", "invalid_limit", "limit"});
}

TEST_CASE("A parameter of ours given twice or with a bad escape is refused") {
  for (const char* name : {"limit", "levels", "depth", "types", "details"}) {
    const std::string n = name;
    RequireRefused({"ip-1", n + "=1&" + n + "=1", "repeated_parameter", n});
    RequireRefused({"ip-1", n + "&x=1&" + n, "repeated_parameter", n});
    RequireRefused({"ip-1", n + "=%", "invalid_escape", n});
    RequireRefused({"ip-1", n + "=1%4", "invalid_escape", n});
  }
  RequireRefused({"ip-1", "limit=1&lim%69t=1", "repeated_parameter", "limit"});
}

TEST_CASE("Unknown names are ignored, whatever they hold") {
  for (const char* query :
       {"Limit=0", "LEVELS=x", "foo=%zz", "%zz=1", "foo&foo", "=5", "limit%00=0", "limit+=0"}) {
    INFO(query);
    const auto question = ParseRelationsQuestion("ip-1", query);
    REQUIRE(question.ok());
    CHECK(question->limit == 0);
    CHECK(question->levels == 0);
  }
}

TEST_CASE("Types are split at commas and checked one by one") {
  const auto question = ParseRelationsQuestion("ip-1", "types=ip,email-addr%2Cx509");
  REQUIRE(question.ok());
  CHECK(question->types == std::vector<std::string>{"ip", "email-addr", "x509"});

  std::string most = "types=" + std::string(64, 'a');
  for (int i = 1; i < 64; ++i) most += ",t" + std::to_string(i);
  const auto at_limit = ParseRelationsQuestion("ip-1", most);
  REQUIRE(at_limit.ok());
  CHECK(at_limit->types.size() == 64);
  RequireRefused({"ip-1", most + ",b", "invalid_types", "types"});
  for (const std::string& value :
       {std::string(), std::string(","), std::string("ip,"), std::string(",ip"),
        std::string("ip,,domain"), std::string("IP"), std::string("ip%20"), std::string("a_b"),
        std::string("%C3%A9"), std::string("ip%00"), std::string(65, 'a')}) {
    RequireRefused({"ip-1", "types=" + value, "invalid_types", "types"});
  }
}

TEST_CASE("Details is true or false") {
  CHECK(ParseRelationsQuestion("ip-1", "")->details == RelationDetails::kLeaveOut);
  CHECK(ParseRelationsQuestion("ip-1", "details=false")->details == RelationDetails::kLeaveOut);
  CHECK(ParseRelationsQuestion("ip-1", "details=true")->details == RelationDetails::kInclude);
  for (const char* value : {"", "1", "yes", "True", "TRUE", "true%20", "true,false"}) {
    RequireRefused({"ip-1", std::string("details=") + value, "invalid_details", "details"});
  }
}

TEST_CASE("Of several faults the first in the documented order is told") {
  RequireRefused({"bad", "limit=0&limit=0", "invalid_id", "id"});
  RequireRefused({"ip-1", "limit=0&levels=1&levels=1", "repeated_parameter", "levels"});
  RequireRefused({"ip-1", "details=x&levels=0&limit=0", "invalid_limit", "limit"});
  RequireRefused({"ip-1", "details=x&types=X&levels=0", "invalid_levels", "levels"});
  RequireRefused({"ip-1", "details=x&types=X", "invalid_types", "types"});
}

TEST_CASE("No message repeats what the client sent") {
  for (const char* query : {"limit=sentinel", "levels=sentinel", "types=SENTINEL.sentinel",
                            "details=sentinel", "limit=%sentinel"}) {
    const auto question = ParseRelationsQuestion("ip-1", query);
    REQUIRE_FALSE(question.ok());
    CHECK(std::string(question.status().message()).find("entinel") == std::string::npos);
  }
}

}  // namespace
}  // namespace relations::gateway
