// The whole product with an authentication service beside it: what a client gets, and what an
// operator sees.
#include <signal.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/gateway/raw_client.h"
#include "tests/operations/product_under_test.h"
#include "tests/server/access/auth_service.h"
#include "tests/server/access/token_issuer.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using gateway::RawClient;
using Reply = AuthService::Reply;
using Request = AuthService::Request;

constexpr char kSecret[] = "s3cret-token-of-a-test";

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Ask(const std::string& fields) {
  return "GET /api/analytics/v1/entity/ip-a/relations HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

Reply Account(const std::string& roles) {
  Reply reply;
  reply.body = R"({"userID":"7e57e57e-0000-4000-8000-000000000001","keyID":"k-1",)"
               R"("groups":["public"],"roles":[)" +
               roles + R"(],"verified":true,"expireAt":"2999-01-01T00:00:00Z"})";
  return reply;
}

Reply Status(unsigned status) {
  Reply reply;
  reply.status = status;
  return reply;
}

TEST_CASE("with --auth-url the service judges, and the embedded credentials do not count") {
  AuthService service([](const Request& request) {
    if (request.target == "/api/auth/v2/keypair") {
      return request.fields.at("api-secret") == "pair-secret" ? Account("\"user\"") : Status(404);
    }
    const std::string& token = request.fields.at("authorization");
    if (token == std::string("Bearer ") + kSecret) return Account("\"user\"");
    if (token == "Bearer guest") return Account("");
    if (token == "Bearer broken") return Status(500);
    return Status(401);
  });
  ProductUnderTest product(
      {"--auth-url", service.url(), "--metrics-listen", "127.0.0.1:0", "--slow-call-ms", "1"});
  RawClient client(product.address());
  const auto ask = [&](const std::string& fields) { return client.Ask(Ask(fields)); };
  const std::string bearer = std::string("Authorization: Bearer ") + kSecret + "\r\n";
  CHECK(ask(bearer)->status == 404);
  CHECK(ask(bearer)->status == 404);
  CHECK(service.requests() == 1);
  CHECK(ask("api-key: k\r\napi-secret: pair-secret\r\n")->status == 404);
  CHECK(ask("api-key: k\r\napi-secret: other\r\n")->status == 401);
  CHECK(ask("Authorization: Bearer guest\r\n")->status == 403);
  CHECK(ask(product.bearer())->status == 401);
  CHECK(service.requests() == 5);
  // What is malformed is no question.
  CHECK(ask("api-key: k\r\n")->status == 401);
  CHECK(service.requests() == 5);
  const auto failed = ask("Authorization: Bearer broken\r\n");
  CHECK(failed->status == 503);
  CHECK(std::stoi(failed->field("retry-after")) >= 1);
  CHECK_FALSE(Has(failed->body, "500"));
  CHECK_FALSE(Has(failed->body, "authentication"));

  const std::string line = product.server().ReadLine();
  REQUIRE(line.substr(0, 11) == "metrics on ");
  RawClient scraper(line.substr(11));
  const auto metrics = scraper.Ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(metrics);
  for (const char* part :
       {"relations_server_auth_duration_seconds_count{credential=\"session\",status=\"yes\"} 2\n",
        "relations_server_auth_duration_seconds_count{credential=\"session\",status=\"error\"} 1\n",
        "relations_server_auth_duration_seconds_count{credential=\"keypair\",status=\"no\"} 1\n",
        "relations_server_auth_cache_hits_total 1\n", "relations_server_auth_questions_total 6\n",
        "relations_server_auth_waiting 0\n"}) {
    CAPTURE(part);
    CHECK(Has(metrics->body, part));
  }

  product.server().Signal(SIGTERM);
  CHECK(product.server().Wait() == 0);
  const std::string log = product.server().Errors();
  CHECK(Has(log, "\"message\":\"credentials are judged by a service\",\"url\":\"" + service.url()));
  CHECK(Has(log, "\"message\":\"the authentication service fails\""));
  CHECK(Has(log, "the authentication service answers 500"));
  CHECK(Has(log, "\"user_id\":\"7e57e57e-0000-4000-8000-000000000001\",\"credential_id\":\"k-1\""));
  CHECK_FALSE(Has(log, kSecret));
  CHECK_FALSE(Has(log, "pair-secret"));
}

TEST_CASE("a slow call is logged as such, with its name and without a secret") {
  AuthService service([](const Request&) { return Account("\"user\""); });
  ProductUnderTest product({"--auth-url", service.url(), "--slow-call-ms", "1"});
  RawClient client(product.address());
  // The call lasts as long as the service is held, which is until its log line could be written.
  service.Hold();
  REQUIRE(client.Send(
      Ask(std::string("x-request-id: slow-1\r\nAuthorization: Bearer ") + kSecret + "\r\n")));
  service.WaitForRequests(1);
  CHECK_FALSE(client.Readable(5));
  service.Release();
  CHECK(client.Read()->status == 404);
  product.server().Signal(SIGTERM);
  CHECK(product.server().Wait() == 0);
  const std::string log = product.server().Errors();
  const size_t begin = log.find("\"message\":\"slow request\"");
  REQUIRE(begin != std::string::npos);
  const std::string line = log.substr(begin, log.find('\n', begin) - begin);
  CHECK(Has(log.substr(log.rfind('\n', begin) + 1), "\"level\":\"warning\""));
  CHECK(Has(line, "\"method\":\"GetRelations\""));
  CHECK(Has(line, "\"request_id\":\"slow-1\""));
  CHECK(Has(line, "\"subject\":\"ip-a\""));
  CHECK(Has(line, "\"ms\":"));
  CHECK_FALSE(Has(log, kSecret));
}

TEST_CASE("without a limit no call is slow") {
  AuthService service([](const Request&) { return Account("\"user\""); });
  ProductUnderTest product({"--auth-url", service.url(), "--slow-call-ms", "0"});
  RawClient client(product.address());
  service.Hold();
  REQUIRE(client.Send(Ask("Authorization: Bearer t\r\n")));
  service.WaitForRequests(1);
  CHECK_FALSE(client.Readable(5));
  service.Release();
  CHECK(client.Read()->status == 404);
  product.server().Signal(SIGTERM);
  CHECK(product.server().Wait() == 0);
  CHECK(Has(product.server().Errors(), "\"message\":\"request\""));
  CHECK_FALSE(Has(product.server().Errors(), "slow request"));
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

// A token for an hour, as long as real ones are.
std::string TokenOf(const SigningKey& key, const std::string& key_id) {
  const std::string expires = std::to_string(std::time(nullptr) + 3600);
  return key.Sign(R"({"alg":"ES256","kid":")" + key_id + "\"}",
                  R"({"iss":"https://id.test","aud":["relations"],"sub":"u-1","exp":)" + expires +
                      R"(,"groups":["public"],"roles":["user"],"more":")" + std::string(1000, 'x') +
                      "\"}");
}

TEST_CASE("tokens go to their keys, other credentials to the store, and SIGHUP changes the keys") {
  const TempDir directory;
  const SigningKey key(SigningKey::Kind::kEc);
  const SigningKey next(SigningKey::Kind::kEc);
  const std::string token = TokenOf(key, "k1");
  WriteText(directory / "keys.json", KeySet(key.Jwk("k1")));
  ProductUnderTest product({"--jwt-keys", directory / "keys.json", "--jwt-issuer",
                            "https://id.test", "--jwt-audience", "relations", "--metrics-listen",
                            "127.0.0.1:0"});
  RawClient client(product.address());
  const auto ask = [&](const std::string& bearer) {
    return client.Ask(Ask("Authorization: Bearer " + bearer + "\r\n"))->status;
  };
  REQUIRE(token.size() > 512);
  CHECK(ask(token) == 404);
  CHECK(client.Ask(Ask(product.bearer()))->status == 404);
  CHECK(ask(TokenOf(next, "k1")) == 401);
  CHECK(ask(token + "x") == 401);
  CHECK(ask("a.b.c") == 401);

  WriteText(directory / "keys.json", KeySet(next.Jwk("k2")));
  product.server().Signal(SIGHUP);
  int status = 404;
  for (int i = 0; i < 20000 && status == 404; ++i) status = ask(token);
  CHECK(status == 401);
  CHECK(ask(TokenOf(next, "k2")) == 404);

  product.server().Signal(SIGTERM);
  CHECK(product.server().Wait() == 0);
  const std::string log = product.server().Errors();
  CHECK(Has(log, "\"message\":\"tokens are verified\",\"keys\":\"" + directory / "keys.json"));
  CHECK(Has(log, "the token: its signature is not by the key that it names"));
  CHECK(Has(log, "the token: its key is not known"));
  CHECK(Has(log, "\"user_id\":\"u-1\""));
  CHECK_FALSE(Has(log, token.substr(token.rfind('.'))));
}

TEST_CASE("beside --auth-url, tokens go to their keys and never to the service") {
  const TempDir directory;
  const SigningKey key(SigningKey::Kind::kEc);
  WriteText(directory / "keys.json", KeySet(key.Jwk("k1")));
  AuthService service([](const Request&) { return Account("\"user\""); });
  ProductUnderTest product({"--auth-url", service.url(), "--jwt-keys", directory / "keys.json",
                            "--jwt-issuer", "https://id.test", "--jwt-audience", "relations"});
  RawClient client(product.address());
  const auto ask = [&](const std::string& bearer) {
    return client.Ask(Ask("Authorization: Bearer " + bearer + "\r\n"))->status;
  };
  CHECK(ask(TokenOf(key, "k1")) == 404);
  CHECK(ask("a.b.c") == 401);
  CHECK(service.requests() == 0);
  CHECK(ask("a.b") == 404);
  CHECK(service.requests() == 1);
}

TEST_CASE("settings of the service that cannot work stop the start with their name") {
  const TempDir directory;
  const auto refused = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--data",
                                          directory / "store",
                                          "--create-if-missing",
                                          "--listen",
                                          "unix:" + (directory / "socket"),
                                          "--cache-mb",
                                          "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ProcessUnderTest server(ServerProgram(), arguments);
    return server.Wait() == 1 ? server.Errors() : "it started";
  };
  CHECK(Has(refused({"--auth-url", "auth.example.org"}), "--auth-url: not an HTTP URL"));
  CHECK(Has(refused({"--auth-url", "https://user:word@auth.example.org"}),
            "--auth-url: the URL names a user"));
  CHECK(Has(refused({"--auth-url", "http://auth.example.org"}), "--auth-allow-plaintext"));
  CHECK(Has(refused({"--auth-url", "https://auth.example.org", "--auth-ca", directory / "none"}),
            directory / "none"));
  CHECK(Has(refused({"--auth-url", "https://auth.example.org", "--auth-cert", directory / "none"}),
            "the key is missing"));
  CHECK(Has(refused({"--auth-ca", directory / "none"}), "need --auth-url"));
  const std::vector<std::string> rules = {"--jwt-issuer", "i", "--jwt-audience", "a"};
  const auto with_rules = [&](std::vector<std::string> more) {
    more.insert(more.end(), rules.begin(), rules.end());
    return refused(more);
  };
  CHECK(Has(refused({"--jwt-keys", directory / "none"}), "needs --jwt-issuer and --jwt-audience"));
  CHECK(Has(with_rules({}), "need --jwt-keys"));
  CHECK(Has(with_rules({"--jwt-keys", directory / "none"}), directory / "none"));
  CHECK(Has(with_rules({"--jwt-keys", "http://id.example.org/keys"}), "--auth-allow-plaintext"));
  CHECK(Has(with_rules({"--jwt-keys", "https://id.example.org/keys?x=1"}), "a query"));
  WriteText(directory / "empty", R"({"keys":[]})");
  CHECK(Has(with_rules({"--jwt-keys", directory / "empty"}), "no key with a kid"));
}

}  // namespace
}  // namespace relations
