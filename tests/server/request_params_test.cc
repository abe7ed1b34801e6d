#include "server/request_params.h"

#include <string>

#include "storage/base/public_error.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

v1::GetRelationsRequest Request(const std::string& id, int limit, int levels) {
  v1::GetRelationsRequest request;
  request.set_id(id);
  request.set_limit(limit);
  request.set_levels(levels);
  return request;
}

// "reason param" of the refusal.
std::string Refusal(const v1::GetRelationsRequest& request) {
  const absl::Status status = JudgeRequest(request).status();
  REQUIRE(status.code() == absl::StatusCode::kInvalidArgument);
  return ReasonOf(status) + " " + ParamOf(status);
}

TEST_CASE("limit and levels have defaults, maxima and no negative values") {
  struct Row {
    int given;
    int limit;
    int levels;
  };
  for (const Row& row : {Row{0, 50, 3}, Row{1, 1, 1}, Row{5, 5, 5}, Row{6, 6, 5}, Row{100, 100, 5},
                         Row{101, 100, 5}, Row{2147483647, 100, 5}}) {
    CAPTURE(row.given);
    const auto params = JudgeRequest(Request("ip-a", row.given, row.given));
    REQUIRE(params.ok());
    CHECK(params->limit == row.limit);
    CHECK(params->levels == row.levels);
  }
  CHECK(Refusal(Request("ip-a", -1, 1)) == "invalid_limit limit");
  CHECK(Refusal(Request("ip-a", 1, -2147483648)) == "invalid_levels levels");
}

TEST_CASE("an id that breaks the grammar is refused") {
  for (const std::string& id :
       {std::string(), std::string("a-"), std::string("-ab"), std::string("abc"),
        std::string("a b-c"), std::string("a/b-c"), "a-" + std::string(127, 'x')}) {
    CAPTURE(id);
    CHECK(Refusal(Request(id, 1, 1)) == "invalid_id id");
  }
  CHECK(JudgeRequest(Request("a-" + std::string(126, 'x'), 1, 1)).ok());
  CHECK(JudgeRequest(Request("UNKNOWN-0", 1, 1)).ok());
}

TEST_CASE("types are at most 64, of 1 to 64 characters of a-z 0-9 and hyphen") {
  auto request = Request("ip-a", 1, 1);
  for (int i = 0; i < 64; ++i) {
    request.add_types("type-" + std::to_string(i));
  }
  request.set_types(0, std::string(64, 'x'));
  const auto params = JudgeRequest(request);
  REQUIRE(params.ok());
  CHECK(params->types.size() == 64);
  CHECK(params->types.contains("type-63"));

  request.add_types("ip");
  CHECK(Refusal(request) == "invalid_types types");
  for (const std::string& type : {std::string(), std::string("IP"), std::string("a b"),
                                  std::string("a_b"), std::string(65, 'x')}) {
    CAPTURE(type);
    auto one = Request("ip-a", 1, 1);
    one.add_types(type);
    CHECK(Refusal(one) == "invalid_types types");
  }
}

TEST_CASE("of several faults the first in the order id, limit, levels, types is told") {
  auto request = Request("?", -1, -1);
  request.add_types("?");
  CHECK(Refusal(request) == "invalid_id id");
  request.set_id("ip-a");
  CHECK(Refusal(request) == "invalid_limit limit");
  request.set_limit(0);
  CHECK(Refusal(request) == "invalid_levels levels");
  request.set_levels(0);
  CHECK(Refusal(request) == "invalid_types types");
}

TEST_CASE("a refusal repeats nothing of the request") {
  const absl::Status status = JudgeRequest(Request("<script>", 1, 1)).status();
  CHECK(std::string(status.message()).find("script") == std::string::npos);
  CHECK(status.message().size() <= 256);
}

}  // namespace
}  // namespace relations
