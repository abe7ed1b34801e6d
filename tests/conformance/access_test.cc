// Who may ask: credentials in every form, roles, expiry, revocation, and that strangers learn
// nothing (contract, sections 1 and 4).
#include <cctype>
#include <string>
#include <vector>

#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kFixedId[] = "x-request-id: same\r\n";

RestClient& Client() {
  static RestClient client(Conformance().system.rest());
  return client;
}

std::string Line(const std::string& name, const std::string& value) {
  return name + ": " + value + "\r\n";
}

struct Row {
  std::string what;
  std::string fields;
};

std::vector<Row> GoodCredentials() {
  const Credential& pair = Conformance().reader;
  const Credential& session = Conformance().session;
  const std::string key = Line("api-key", pair.api_key);
  const std::string secret = Line("api-secret", pair.api_secret);
  return {
      {"a session", session.Fields()},
      {"a key pair", pair.Fields()},
      {"the pair in the other order", secret + key},
      {"names as the public JavaScript client writes them",
       Line("Api-Key", pair.api_key) + Line("Api-Secret", pair.api_secret)},
      {"names in capitals", Line("API-KEY", pair.api_key) + Line("API-SECRET", pair.api_secret)},
      {"blanks around values",
       Line("api-key", " \t" + pair.api_key + " ") + Line("api-secret", pair.api_secret + "\t")},
      {"no blank after the colon",
       "api-key:" + pair.api_key + "\r\napi-secret:" + pair.api_secret + "\r\n"},
      {"scheme in lower case", Line("authorization", "bearer " + session.bearer)},
      {"scheme in capitals", Line("AUTHORIZATION", "BEARER " + session.bearer)},
      {"a session beside half a pair", session.Fields() + key},
      {"a session beside a wrong pair",
       session.Fields() + Line("api-key", "wrong") + Line("api-secret", "wrong")},
      {"an empty Authorization beside a pair", Line("Authorization", "") + pair.Fields()},
      {"claims of groups beside a pair",
       pair.Fields() + Line("groups", "g2") + Line("user-id", "someone")}};
}

std::vector<Row> BadCredentials() {
  const ConformanceSystem& all = Conformance();
  const Credential& pair = all.reader;
  const Credential& session = all.session;
  const std::string key = Line("api-key", pair.api_key);
  const std::string secret = Line("api-secret", pair.api_secret);
  const std::string& bearer = session.bearer;
  const auto authorization = [](const std::string& value) { return Line("Authorization", value); };
  const auto with_secret = [&](const std::string& value) {
    return key + Line("api-secret", value);
  };
  std::string other_case = bearer;
  other_case[0] = static_cast<char>(other_case[0] ^ (std::isalpha(other_case[0]) ? 0x20 : 1));
  return {{"none", ""},
          {"an empty Authorization", authorization("")},
          {"a scheme alone", authorization("Bearer")},
          {"a token alone", authorization(bearer)},
          {"another scheme", authorization("Basic " + bearer)},
          {"two words", authorization("Bearer " + bearer + " " + bearer)},
          {"a comma", authorization("Bearer " + bearer + ",")},
          {"no blank", authorization("Bearer" + bearer)},
          {"a colon", authorization("Bearer: " + bearer)},
          {"a token cut short", authorization("Bearer " + bearer.substr(1))},
          {"a token with more", authorization("Bearer " + bearer + "0")},
          {"a token in other case", authorization("Bearer " + other_case)},
          {"an unknown token", authorization("Bearer " + std::string(64, 'x'))},
          {"a token of 512 characters", authorization("Bearer " + std::string(512, 'x'))},
          {"a token of 513 characters", authorization("Bearer " + std::string(513, 'x'))},
          {"a token of 8000 characters", authorization("Bearer " + std::string(8000, 'x'))},
          {"a token beyond ASCII", authorization("Bearer \xC3\xA9\xC3\xA9")},
          {"a token with a tab", authorization("Bearer a\tb")},
          {"a key's secret as a token", authorization("Bearer " + pair.api_secret)},
          {"the id of a session", authorization("Bearer " + session.id)},
          {"two sessions", session.Fields() + session.Fields()},
          {"a session and an empty Authorization", session.Fields() + authorization("")},
          {"an empty Authorization and a session", authorization("") + session.Fields()},
          {"a wrong token beside a good pair", authorization("Bearer wrong") + pair.Fields()},
          {"another scheme beside a good pair", authorization("Basic eDp5") + pair.Fields()},
          {"a key alone", key},
          {"a secret alone", secret},
          {"an empty secret", with_secret("")},
          {"an empty key", Line("api-key", "") + secret},
          {"an empty pair", Line("api-key", "") + Line("api-secret", "")},
          {"a wrong secret", with_secret(std::string(64, 'x'))},
          {"a secret cut short", with_secret(pair.api_secret.substr(1))},
          {"a secret with a blank", with_secret("a b")},
          {"a secret of 513 characters", with_secret(std::string(513, 'x'))},
          {"a secret beyond ASCII", with_secret("\xFF\xFE")},
          {"the secret of another pair", with_secret(all.admin.api_secret)},
          {"key and secret swapped",
           Line("api-key", pair.api_secret) + Line("api-secret", pair.api_key)},
          {"a token as key and secret", Line("api-key", bearer) + Line("api-secret", bearer)},
          {"two keys", key + key + secret},
          {"two secrets", key + secret + secret},
          {"a key and an empty key", key + Line("api-key", "") + secret},
          {"underscores", Line("api_key", pair.api_key) + Line("api_secret", pair.api_secret)},
          {"claims alone", Line("user-id", "someone") + Line("groups", "public,g1")},
          {"a cookie", Line("Cookie", "session=" + bearer)},
          {"a proxy's", Line("Proxy-Authorization", "Bearer " + bearer)},
          {"expired", all.expired.Fields()},
          {"an expired session", all.expired_session.Fields()},
          {"unverified", all.unverified.Fields()},
          {"revoked", all.revoked.Fields()}};
}

TEST_CASE("good credentials are accepted in every form that the contract names") {
  const std::string plain =
      Client().Get(RelationsPath("domain-root"), Conformance().reader.Fields()).body;
  for (const Row& row : GoodCredentials()) {
    CAPTURE(row.what);
    const RawAnswer answer = Client().Get(RelationsPath("domain-root"), row.fields);
    CheckAnswered(answer);
    CHECK(answer.body == plain);
  }
}

TEST_CASE("bad credentials get one answer, whatever is bad and whatever they ask") {
  const std::string expected = Comparable(Client().Get(RelationsPath("domain-root"), kFixedId));
  for (const Row& row : BadCredentials()) {
    CAPTURE(row.what);
    const RawAnswer answer = Client().Get(RelationsPath("domain-root"), row.fields + kFixedId);
    CheckError(answer, {401, "unauthenticated", ""});
    CHECK(Comparable(answer) == expected);
  }
  for (const std::string& target :
       {RelationsPath("none-0"), RelationsPath("ip-secret"), RelationsPath("nohyphen"),
        RelationsPath("ip-%zz"), RelationsPath("domain-root", "limit=0"),
        RelationsPath("domain-root", "levels=x"), RelationsPath("domain-root", "limit=1&limit=1"),
        RelationsPath("domain-root", "details=maybe"), RelationsPath("domain-root", "types=,"),
        RelationsPath("domain-root", "api-key=" + Conformance().reader.api_key +
                                         "&api-secret=" + Conformance().reader.api_secret)}) {
    CAPTURE(target);
    CHECK(Comparable(Client().Get(target, kFixedId)) == expected);
    CHECK(Comparable(Client().Get(target, Conformance().expired.Fields() + kFixedId)) == expected);
  }
}

TEST_CASE("reading needs the role user or admin, and that is judged before the question") {
  const ConformanceSystem& all = Conformance();
  CheckAnswered(Client().Get(RelationsPath("ip-near"), all.admin.Fields()));
  const std::string expected =
      Comparable(Client().Get(RelationsPath("ip-near"), all.reporter.Fields() + kFixedId));
  for (const Credential* caller : {&all.reporter, &all.trusted}) {
    for (const std::string& target :
         {RelationsPath("ip-near"), RelationsPath("none-0"), RelationsPath("ip-secret"),
          RelationsPath("nohyphen"), RelationsPath("ip-%zz"), RelationsPath("ip-near", "limit=0"),
          RelationsPath("ip-near", "levels=1&levels=1")}) {
      CAPTURE(target);
      const RawAnswer answer = Client().Get(target, caller->Fields() + kFixedId);
      CheckError(answer, {403, "permission_denied", ""});
      CHECK(Comparable(answer) == expected);
    }
  }
}

TEST_CASE("a route and a method are judged before credentials, a parameter before the look-up") {
  CheckError(Client().Get("/nowhere"), {404, "route_not_found", ""});
  CheckError(Client().Ask(RequestText(RelationsPath("ip-near"), "Content-Length: 0\r\n", "POST")),
             {405, "method_not_allowed", ""});
  const std::string reader = Conformance().reader.Fields();
  CheckError(Client().Get(RelationsPath("none-0", "limit=0"), reader),
             {400, "invalid_limit", "limit"});
  CheckError(Client().Get(RelationsPath("ip-secret", "levels=0"), reader),
             {400, "invalid_levels", "levels"});
}

TEST_CASE("credentials made and revoked at the server count from the next request") {
  const SystemUnderTest& system = Conformance().system;
  RpcClient rpc(system.socket());
  for (const char* kind : {"keys", "sessions"}) {
    const bool is_key = std::string(kind) == "keys";
    const Credential made =
        is_key ? system.CreateKeyPair("public", "user") : system.CreateSession("public", "user");
    const auto ask_rpc = [&] {
      return rpc.Call(kGetRelations, std::string("\x0A\x07ip-near", 9), made.Metadata()).code;
    };
    CheckAnswered(Client().Get(RelationsPath("ip-near"), made.Fields()));
    CHECK(ask_rpc() == "OK");
    // Revoking another one changes nothing.
    const Credential other =
        is_key ? system.CreateKeyPair("public", "user") : system.CreateSession("public", "user");
    REQUIRE(system.Ctl({kind, "revoke", other.id}).exit_code == 0);
    CheckAnswered(Client().Get(RelationsPath("ip-near"), made.Fields()));
    for (int time = 1; time <= 2; ++time) {
      REQUIRE(system.Ctl({kind, "revoke", made.id}).exit_code == 0);
      CheckError(Client().Get(RelationsPath("ip-near"), made.Fields()),
                 {401, "unauthenticated", ""});
      CHECK(ask_rpc() == "UNAUTHENTICATED");
    }
    CheckError(Client().Get(RelationsPath("ip-near"), other.Fields()),
               {401, "unauthenticated", ""});
  }
}

}  // namespace
}  // namespace relations
