#include "server/access/authenticator.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace relations {
namespace {

using Values = std::vector<absl::string_view>;

std::string Longest() { return std::string(512, 'x'); }

TEST_CASE("a bearer token is taken from a well-formed authorization header") {
  const std::string longest = "Bearer " + Longest();
  struct Row {
    std::string header;
    std::string token;
  };
  const std::vector<Row> rows = {
      {"Bearer t", "t"},
      {"bearer T0k3n", "T0k3n"},
      {"BEARER a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="},
      {"Bearer   t", "t"},
      {"Bearer !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
      {longest, Longest()}};
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const auto credentials = ParseCredentials({{row.header}, {}, {}});
    REQUIRE(credentials.has_value());
    CHECK(std::string(credentials->bearer) == row.token);
    CHECK(credentials->api_key.empty());
  }
}

TEST_CASE("a malformed authorization header is no credential, even beside a good key pair") {
  const std::vector<std::string> headers = {"Bearer",
                                            "Bearer ",
                                            " ",
                                            "Basic dXNlcjpwYXNz",
                                            "t0k3n",
                                            "Bearer a b",
                                            "Bearer a, Bearer b",
                                            "Bearertoken",
                                            "Bearer\ttoken",
                                            "Bearer to\x01ken",
                                            "Bearer t\x7F",
                                            "Bearer t\xC3\xA9",
                                            "Bearer " + Longest() + "x"};
  for (const std::string& header : headers) {
    CAPTURE(header);
    CHECK_FALSE(ParseCredentials({{header}, {}, {}}).has_value());
    CHECK_FALSE(ParseCredentials({{header}, {"key"}, {"secret"}}).has_value());
  }
}

TEST_CASE("a token of three parts may be longer") {
  const auto is_taken = [](const std::string& token) {
    const std::string header = "Bearer " + token;
    return ParseCredentials({{header}, {}, {}}).has_value();
  };
  CHECK(is_taken("a.b." + std::string(8192 - 4, 'x')));
  CHECK_FALSE(is_taken("a.b." + std::string(8192 - 3, 'x')));
  for (const char* start : {"ab.", "a.b.c.", "a..", ".a.", "a.b.="}) {
    CAPTURE(start);
    CHECK_FALSE(is_taken(start + std::string(600, 'x')));
  }
}

TEST_CASE("two authorization headers are no credential, whatever they hold") {
  CHECK_FALSE(ParseCredentials({{"Bearer a", "Bearer a"}, {}, {}}).has_value());
  CHECK_FALSE(ParseCredentials({{"", "Bearer a"}, {}, {}}).has_value());
  CHECK_FALSE(ParseCredentials({{"", ""}, {"key"}, {"secret"}}).has_value());
}

TEST_CASE("a key pair is exactly one key and one secret") {
  const std::string longest = Longest();
  const std::string too_long = Longest() + "x";
  CHECK(ParseCredentials({{}, {"key"}, {"secret"}}).has_value());
  CHECK(ParseCredentials({{}, {longest}, {longest}}).has_value());
  CHECK(ParseCredentials({{""}, {"key"}, {"secret"}}).has_value());

  const std::vector<CredentialHeaders> malformed = {{{}, {}, {}},
                                                    {{""}, {}, {}},
                                                    {{}, {"key"}, {}},
                                                    {{}, {}, {"secret"}},
                                                    {{}, {""}, {"secret"}},
                                                    {{}, {"key"}, {""}},
                                                    {{}, {"key", "key"}, {"secret"}},
                                                    {{}, {"key"}, {"secret", "secret"}},
                                                    {{}, {"k ey"}, {"secret"}},
                                                    {{}, {"key"}, {"sec\xC3\xA9t"}},
                                                    {{}, {too_long}, {"secret"}},
                                                    {{}, {"key"}, {too_long}}};
  for (size_t row = 0; row < malformed.size(); ++row) {
    CAPTURE(row);
    CHECK_FALSE(ParseCredentials(malformed[row]).has_value());
  }
}

TEST_CASE("a good authorization header decides alone, whatever the key pair looks like") {
  const auto credentials = ParseCredentials({{"Bearer t"}, {"key"}, {}});
  REQUIRE(credentials.has_value());
  CHECK(std::string(credentials->bearer) == "t");
}

TEST_CASE("one of several roles is enough, none is not") {
  Principal principal;
  CHECK_FALSE(HasAnyRole(principal, {"user", "admin"}));
  principal.roles = {"reporter"};
  CHECK_FALSE(HasAnyRole(principal, {"user", "admin"}));
  principal.roles = {"reporter", "admin"};
  CHECK(HasAnyRole(principal, {"user", "admin"}));
  CHECK_FALSE(HasAnyRole(principal, {}));
}

}  // namespace
}  // namespace relations
