// The authentication service as it may be: answering, refusing, failing, slow, away. What arrives
// there is counted; time is the test's.
#include "server/access/external_authenticator.h"

#include <future>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/server/access/auth_service.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_authority.h"

namespace relations {
namespace {

using Reply = AuthService::Reply;
using Request = AuthService::Request;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// An account that is verified and expires an hour after kStart; `more` begins with a comma.
std::string Account(const std::string& more = "") {
  return absl::StrCat(R"({"userID":"u-1","groups":["public","g1"],"roles":["user"],)",
                      R"("verified":true,"expireAt":1700003600)", more, "}");
}

Reply Say(unsigned status, const std::string& body = "") {
  Reply reply;
  reply.status = status;
  reply.body = body;
  return reply;
}

Credentials Token(absl::string_view token) { return {token, {}, {}}; }

// A service with an authenticator that asks it, and a clock.
struct Asking {
  using Adjust = std::function<void(ExternalAuthenticator::Options&)>;

  explicit Asking(
      AuthService::Handler handler, const Adjust& adjust = [](auto&) {})
      : service(std::move(handler)) {
    ExternalAuthenticator::Options options;
    options.service.url = *ParseHttpUrl(service.url());
    // However busy the machine is; a test of the time says its own.
    options.service.timeout = std::chrono::seconds(30);
    options.clock = [this] { return now; };
    adjust(options);
    authenticator = *ExternalAuthenticator::Start(options);
  }

  Verdict Ask(const Credentials& credentials) {
    return AuthenticateAndWait(*authenticator, credentials, now);
  }
  Verdict Ask(absl::string_view token) { return Ask(Token(token)); }

  // Asks without waiting.
  std::future<Verdict> Begin(absl::string_view token) {
    const auto promise = std::make_shared<std::promise<Verdict>>();
    std::optional<Verdict> at_hand = authenticator->Authenticate(
        Token(token), now, [promise](Verdict verdict) { promise->set_value(verdict); });
    if (at_hand.has_value()) promise->set_value(*at_hand);
    return promise->get_future();
  }

  AuthService service;
  absl::Time now = kStart;
  std::unique_ptr<ExternalAuthenticator> authenticator;
};

absl::StatusCode CodeOf(const Verdict& verdict) { return verdict.status().code(); }

TEST_CASE("each answer of the service is a yes, a no, or nobody's guess") {
  using Code = absl::StatusCode;
  struct Row {
    unsigned status;
    std::string body;
    Code code;
  };
  const std::string expired = R"({"userID":"u","verified":true,"expireAt":1700000000})";
  const std::vector<Row> rows = {
      {200, Account(), Code::kOk},
      {200, R"({"userID":"u","verified":false,"expireAt":1700003600})", Code::kUnauthenticated},
      {200, R"({"userID":"u","expireAt":1700003600})", Code::kUnauthenticated},
      {200, R"({"userID":"u","verified":"true","expireAt":1700003600})", Code::kUnauthenticated},
      {200, R"({"userID":"u","verified":1,"expireAt":1700003600})", Code::kUnauthenticated},
      {200, R"({"userID":"u","verified":null,"expireAt":1700003600})", Code::kUnauthenticated},
      {200, expired, Code::kUnauthenticated},
      {200, R"({"userID":"u","verified":true})", Code::kUnauthenticated},
      {200, R"({"userID":"u","verified":true,"expireAt":null})", Code::kUnauthenticated},
      {400, "", Code::kUnauthenticated},
      {401, Account(), Code::kUnauthenticated},
      {403, "", Code::kUnauthenticated},
      {404, "", Code::kUnauthenticated},
      {201, Account(), Code::kUnavailable},
      {204, "", Code::kUnavailable},
      {301, Account(), Code::kUnavailable},
      {307, Account(), Code::kUnavailable},
      {405, "", Code::kUnavailable},
      {429, "", Code::kUnavailable},
      {500, Account(), Code::kUnavailable},
      {503, "", Code::kUnavailable},
      {599, "", Code::kUnavailable},
      {200, "", Code::kUnavailable},
      {200, "[]", Code::kUnavailable},
      {200, "{", Code::kUnavailable},
      {200, Account() + Account(), Code::kUnavailable},
      {200, R"({"verified":true,"expireAt":1700003600})", Code::kUnavailable},
      {200, R"({"userID":7,"verified":true,"expireAt":1700003600})", Code::kUnavailable},
      {200, R"({"userID":"a b","verified":true,"expireAt":1700003600})", Code::kUnavailable},
      {200, R"({"userID":"u","verified":true,"expireAt":"soon"})", Code::kUnavailable},
      {200, R"({"userID":"u","verified":true,"expireAt":true})", Code::kUnavailable},
      {200, R"({"userID":"u","verified":true,"expireAt":1700003600,"groups":{"a":1}})",
       Code::kUnavailable},
      {200, R"({"userID":"u","verified":true,"expireAt":1700003600,"groups":["a",1]})",
       Code::kUnavailable},
      {200, R"({"userID":"u","verified":true,"expireAt":1700003600,"roles":7})",
       Code::kUnavailable},
  };
  size_t asked = 0;
  Asking asking([&](const Request&) { return Say(rows[asked].status, rows[asked].body); });
  for (; asked < rows.size(); ++asked) {
    const Row& row = rows[asked];
    CAPTURE(row.status, row.body);
    const Verdict verdict = asking.Ask(absl::StrCat("token-", asked));
    INFO(verdict.status().message());
    CHECK(CodeOf(verdict) == row.code);
  }
  CHECK(asking.service.requests() == static_cast<int>(rows.size()));
}

TEST_CASE("the expiry comes in three forms, and counts to the second") {
  std::string expire_at;
  Asking asking([&](const Request&) {
    return Say(200, R"({"userID":"u","verified":true,"expireAt":)" + expire_at + "}");
  });
  int token = 0;
  for (const char* form :
       {"1700000001", "\"1700000001\"", "\"2023-11-14T22:13:21Z\"", "\"2023-11-14T23:13:21+01:00\"",
        "\"2023-11-14T22:13:20.5Z\"", "1700000000.5", "1e300", "\"99999999999999999999999\""}) {
    CAPTURE(form);
    expire_at = form;
    CHECK(asking.Ask(absl::StrCat("t-", ++token)).ok());
  }
  for (const char* form : {"1700000000", "\"1700000000\"", "\"2023-11-14T22:13:20Z\"", "0", "-1",
                           "\"1999-12-31T23:59:59Z\""}) {
    CAPTURE(form);
    expire_at = form;
    CHECK(CodeOf(asking.Ask(absl::StrCat("t-", ++token))) == absl::StatusCode::kUnauthenticated);
  }
  for (const char* form :
       {"\"\"", "\"-1\"", "\"1.5\"", "\"2023-11-14\"", "\"infinite-future\"", "[1700000001]"}) {
    CAPTURE(form);
    expire_at = form;
    CHECK(CodeOf(asking.Ask(absl::StrCat("t-", ++token))) == absl::StatusCode::kUnavailable);
  }
}

TEST_CASE("the principal is the user, else the key; groups and roles may be absent or null") {
  std::string members;
  Asking asking([&](const Request&) {
    return Say(200, R"({"verified":true,"expireAt":1700003600,)" + members + "}");
  });
  members =
      R"("userID":"u-1","keyID":"k-1","groups":["b","a","b","with,comma",""],"roles":["user"])";
  Verdict verdict = asking.Ask("1");
  REQUIRE(verdict.ok());
  CHECK(verdict->user_id == "u-1");
  CHECK(verdict->credential_id == "k-1");
  CHECK(verdict->groups == GroupSet{"a", "b"});
  CHECK(verdict->roles == std::vector<std::string>{"user"});

  for (const char* nobody : {R"("keyID":"k-1")", R"("keyID":"k-1","userID":null)",
                             R"("keyID":"k-1","userID":"","groups":null,"roles":null)"}) {
    CAPTURE(nobody);
    members = nobody;
    verdict = asking.Ask(nobody);
    REQUIRE(verdict.ok());
    CHECK(verdict->user_id == "k-1");
    CHECK(verdict->groups.empty());
    CHECK(verdict->roles.empty());
  }
}

TEST_CASE("the service is asked with the credentials that came, at the path of their kind") {
  Asking asking([](const Request&) { return Say(200, Account()); });
  CHECK(asking.Ask("t0ken").ok());
  CHECK(asking.Ask({{}, "key", "s3cret"}).ok());
  const std::vector<Request> seen = asking.service.seen();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].target == "/api/auth/v2/session");
  CHECK(seen[0].fields.at("authorization") == "Bearer t0ken");
  CHECK(seen[0].fields.count("api-key") == 0);
  CHECK(seen[1].target == "/api/auth/v2/keypair");
  CHECK(seen[1].fields.at("api-key") == "key");
  CHECK(seen[1].fields.at("api-secret") == "s3cret");
  CHECK(seen[1].fields.count("authorization") == 0);
  CHECK(seen[1].fields.at("host") == absl::StrCat("127.0.0.1:", asking.service.port()));
}

TEST_CASE("the path of the URL comes before that of the question") {
  Asking asking([](const Request&) { return Say(200, Account()); },
                [](auto& options) { options.service.url.path = "/tenant/a"; });
  CHECK(asking.Ask("t").ok());
  CHECK(asking.service.seen()[0].target == "/tenant/a/api/auth/v2/session");
}

TEST_CASE("a yes counts for a minute, so that a revocation counts after it") {
  bool revoked = false;
  Asking asking([&](const Request&) { return revoked ? Say(401) : Say(200, Account()); });
  CHECK(asking.Ask("t").ok());
  revoked = true;
  asking.now = kStart + absl::Seconds(60) - absl::Nanoseconds(1);
  CHECK(asking.Ask("t").ok());
  CHECK(asking.service.requests() == 1);
  asking.now = kStart + absl::Seconds(60);
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnauthenticated);
  CHECK(asking.service.requests() == 2);
}

TEST_CASE("a yes never counts past its expiry") {
  Asking asking([](const Request&) {
    return Say(200, R"({"userID":"u","verified":true,"expireAt":1700000010})");
  });
  CHECK(asking.Ask("t").ok());
  asking.now = kStart + absl::Seconds(10) - absl::Nanoseconds(1);
  CHECK(asking.Ask("t").ok());
  CHECK(asking.service.requests() == 1);
  asking.now = kStart + absl::Seconds(10);
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnauthenticated);
  CHECK(asking.service.requests() == 2);
}

TEST_CASE("a no counts for five seconds, a failure not at all") {
  unsigned status = 401;
  Asking asking([&](const Request&) { return Say(status, Account()); });
  CHECK_FALSE(asking.Ask("t").ok());
  status = 503;
  asking.now = kStart + absl::Seconds(5) - absl::Nanoseconds(1);
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnauthenticated);
  CHECK(asking.service.requests() == 1);
  asking.now = kStart + absl::Seconds(5);
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnavailable);
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnavailable);
  CHECK(asking.service.requests() == 3);
  status = 200;
  CHECK(asking.Ask("t").ok());
}

TEST_CASE("other credentials, however alike, are not those that were judged") {
  Asking asking([](const Request& request) {
    const auto secret = request.fields.find("api-secret");
    return secret != request.fields.end() && secret->second == "b" ? Say(200, Account()) : Say(401);
  });
  CHECK(asking.Ask({{}, "a", "b"}).ok());
  CHECK_FALSE(asking.Ask({{}, "ab", ""}).ok());
  CHECK_FALSE(asking.Ask({{}, "b", "a"}).ok());
  CHECK_FALSE(asking.Ask("a").ok());
  CHECK_FALSE(asking.Ask("ab").ok());
  CHECK(asking.service.requests() == 5);
}

TEST_CASE("calls with the same credentials wait for one question") {
  Asking asking([](const Request&) { return Say(200, Account()); });
  asking.service.Hold();
  std::vector<std::future<Verdict>> same;
  for (int i = 0; i < 50; ++i) same.push_back(asking.Begin("t"));
  std::future<Verdict> other = asking.Begin("u");
  asking.service.WaitForRequests(2);
  CHECK(asking.authenticator->counts().waiting == 51);
  asking.service.Release();
  for (auto& verdict : same) CHECK(verdict.get().ok());
  CHECK(other.get().ok());
  CHECK(asking.service.requests() == 2);
  CHECK(asking.authenticator->counts().waiting == 0);
}

TEST_CASE("a service that takes too long is no answer") {
  CHECK(HttpClient::Options().timeout == std::chrono::seconds(2));
  Reply silent;
  silent.is_silent = true;
  Asking asking([&](const Request&) { return silent; },
                [](auto& options) { options.service.timeout = std::chrono::milliseconds(30); });
  const Verdict verdict = asking.Ask("t");
  CHECK(CodeOf(verdict) == absl::StatusCode::kUnavailable);
  CHECK(std::string(verdict.status().message()).find("within 30 ms") != std::string::npos);
}

TEST_CASE("an answer of 64 KiB is read, a larger one is not") {
  const std::string account = Account();
  Asking asking([&](const Request& request) {
    const size_t size = request.fields.at("authorization") == "Bearer fits" ? 65536 : 65537;
    return Say(200, account + std::string(size - account.size(), ' '));
  });
  CHECK(asking.Ask("fits").ok());
  CHECK(CodeOf(asking.Ask("large")) == absl::StatusCode::kUnavailable);
}

TEST_CASE("what is no HTTP, and a service that leaves, are no answer") {
  for (const char* raw :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "HTTP/1.1 abc\r\n\r\n", "SSH-2.0-x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "\r\n\r\n\r\n"}) {
    CAPTURE(raw);
    Reply reply;
    reply.raw = raw;
    Asking asking([&](const Request&) { return reply; });
    CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnavailable);
  }
  Asking away([](const Request&) { return Say(200, Account()); },
              [](auto& options) { options.service.url.port = std::to_string(UnusedPort()); });
  CHECK(CodeOf(away.Ask("t")) == absl::StatusCode::kUnavailable);
  CHECK(away.service.requests() == 0);
}

TEST_CASE("a redirect is not followed") {
  AuthService other([](const Request&) { return Say(200, Account()); });
  Asking asking([&](const Request&) {
    Reply reply = Say(302);
    reply.fields = {{"Location", other.url() + "/api/auth/v2/session"}};
    return reply;
  });
  CHECK(CodeOf(asking.Ask("t")) == absl::StatusCode::kUnavailable);
  CHECK(other.connections() == 0);
  CHECK(asking.service.requests() == 1);
}

TEST_CASE("one connection serves many questions, and one that ended is no failure") {
  bool ends = false;
  Asking asking([&](const Request&) {
    Reply reply = Say(200, Account());
    reply.ends = ends;
    return reply;
  });
  for (int i = 0; i < 5; ++i) CHECK(asking.Ask(absl::StrCat("t-", i)).ok());
  CHECK(asking.service.connections() == 1);
  ends = true;
  for (int i = 5; i < 10; ++i) CHECK(asking.Ask(absl::StrCat("t-", i)).ok());
  CHECK(asking.service.requests() == 10);
}

TEST_CASE("bytes behind an answer are never taken for the answer to the next question") {
  const std::string no = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
  const std::string yes =
      absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", Account().size(), "\r\n\r\n", Account());
  Asking asking([&](const Request& request) {
    Reply reply;
    if (request.fields.at("authorization") == "Bearer first") {
      reply.raw = no + yes;
    } else {
      reply.status = 401;
    }
    return reply;
  });
  CHECK(CodeOf(asking.Ask("first")) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(asking.Ask("second")) == absl::StatusCode::kUnauthenticated);
  CHECK(asking.service.requests() == 2);
}

TEST_CASE("so many questions are asked at once, so many more wait, and one more is refused") {
  Asking asking([](const Request&) { return Say(200, Account()); },
                [](auto& options) {
                  options.service.connections_max = 2;
                  options.service.waiting_max = 3;
                });
  asking.service.Hold();
  std::vector<std::future<Verdict>> verdicts;
  for (int i = 0; i < 5; ++i) verdicts.push_back(asking.Begin(absl::StrCat("t-", i)));
  CHECK(CodeOf(asking.Begin("one too many").get()) == absl::StatusCode::kUnavailable);
  asking.service.WaitForRequests(2);
  CHECK(asking.service.connections() == 2);
  asking.service.Release();
  for (auto& verdict : verdicts) CHECK(verdict.get().ok());
  CHECK(asking.service.requests() == 5);
  CHECK(asking.service.connections() == 2);
}

TEST_CASE("so many calls wait for the service, and one more is refused") {
  Asking asking([](const Request&) { return Say(200, Account()); });
  asking.service.Hold();
  std::vector<std::future<Verdict>> verdicts;
  for (size_t i = 0; i < ExternalAuthenticator::kWaitingMax; ++i) {
    verdicts.push_back(asking.Begin("t"));
  }
  CHECK(CodeOf(asking.Begin("t").get()) == absl::StatusCode::kUnavailable);
  asking.service.Release();
  for (auto& verdict : verdicts) CHECK(verdict.get().ok());
  CHECK(asking.service.requests() == 1);
}

TEST_CASE("calls that wait when the server goes are told that nobody can tell") {
  Asking asking([](const Request&) { return Say(200, Account()); });
  asking.service.Hold();
  std::future<Verdict> waiting = asking.Begin("t");
  asking.service.WaitForRequests(1);
  asking.authenticator.reset();
  CHECK(CodeOf(waiting.get()) == absl::StatusCode::kUnavailable);
}

TEST_CASE("over TLS the service must be the one that the URL names") {
  const TempDir directory;
  TestAuthority authority(directory / "ca.pem");
  authority.Issue("auth.test", directory / "auth.pem", directory / "auth.key");
  authority.Issue("client.test", directory / "client.pem", directory / "client.key");
  const TempDir elsewhere;
  const TestAuthority stranger(elsewhere / "ca.pem");
  const auto yes = [](const Request&) { return Say(200, Account()); };
  const auto ask = [](const AuthService& service, const std::string& host, const TlsFiles& tls) {
    ExternalAuthenticator::Options options;
    options.service.url = *ParseHttpUrl(service.url());
    options.service.url.host = host;
    options.service.tls = tls;
    options.clock = [] { return kStart; };
    const auto authenticator = *ExternalAuthenticator::Start(options);
    return AuthenticateAndWait(*authenticator, Token("t"), kStart).status().code();
  };
  const std::string ca = directory / "ca.pem";
  AuthService service(yes, {directory / "auth.pem", directory / "auth.key", ""});
  CHECK(ask(service, "127.0.0.1", {"", "", ca}) == absl::StatusCode::kOk);
  // The certificate is for 127.0.0.1 and auth.test.
  CHECK(ask(service, "localhost", {"", "", ca}) == absl::StatusCode::kUnavailable);
  CHECK(ask(service, "127.0.0.1", {"", "", elsewhere / "ca.pem"}) ==
        absl::StatusCode::kUnavailable);
  CHECK(ask(service, "127.0.0.1", {}) == absl::StatusCode::kUnavailable);

  AuthService mutual(yes, {directory / "auth.pem", directory / "auth.key", ca});
  CHECK(ask(mutual, "127.0.0.1", {directory / "client.pem", directory / "client.key", ca}) ==
        absl::StatusCode::kOk);
  CHECK(ask(mutual, "127.0.0.1", {"", "", ca}) == absl::StatusCode::kUnavailable);
  CHECK(mutual.requests() == 1);
}

}  // namespace
}  // namespace relations
