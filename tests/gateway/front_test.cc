// What a client gets for each kind of request, over a real socket and a fake backend.
#include "gateway/entity_tag.h"
#include "gateway/uuid.h"
#include "tests/gateway/gateway_under_test.h"

namespace relations::gateway {
namespace {

std::string ErrorBody(const std::string& message, const std::string& type, const std::string& code,
                      const std::string& error_id, const std::string& param = "") {
  return R"({"error":{"message":")" + message + R"(","type":")" + type + R"(","code":")" + code +
         R"(","error_id":")" + error_id + "\"" +
         (param.empty() ? "" : R"(,"param":")" + param + "\"") + "}}";
}

TEST_CASE("A good request gets the answer with exactly its headers") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  auto answer = client.Ask(Request(kRelations, std::string(kBearer) + "X-Request-Id: r-7\r\n"));
  REQUIRE(answer);
  CHECK(answer->status_line == "HTTP/1.1 200 OK");
  CHECK(answer->body ==
        R"({"nodes":[{"id":"ip-1","type":"","@timestamp":"1970-01-01T00:00:00Z","reputation":0,)"
        R"("bestReputation":0,"worstReputation":0,"accuracy":0,)"
        R"("lastSeen":"1970-01-01T00:00:00Z","tags":[],"visibleBy":[],"attributes":{}}],)"
        R"("relations":[]})");
  CHECK(answer->fields.erase("date") == 1);
  const std::string tag = EntityTagOf(answer->body, "complete", ContentCoding::kIdentity);
  CHECK(answer->fields == std::map<std::string, std::string>{
                              {"cache-control", "private, no-cache"},
                              {"content-length", std::to_string(answer->body.size())},
                              {"content-type", "application/json; charset=utf-8"},
                              {"etag", tag},
                              {"vary", "Authorization, api-key, api-secret, Accept-Encoding"},
                              {"x-request-id", "r-7"},
                              {"x-stop-reason", "complete"},
                          });
}

TEST_CASE("The call carries the question, the credentials and the ids, and nothing else") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  REQUIRE(client.Ask(Request(std::string(kRelations) + "?limit=500&depth=2&types=ip,domain",
                             "authorization: bearer a\r\nAuthorization: b\r\nApi-Key: k\r\n"
                             "API-SECRET: s\r\nuser-id: root\r\ngroups: all\r\ncookie: c\r\n"
                             "x-request-id: r\r\ntraceparent: " +
                                 trace + "\r\n")));
  const FakeBackend::Call call = gateway.backend().last_call();
  CHECK(call.request.id() == "ip-1");
  CHECK(call.request.limit() == 100);
  CHECK(call.request.levels() == 2);
  REQUIRE(call.request.types_size() == 2);
  CHECK(call.request.types(1) == "domain");
  std::multimap<std::string, std::string> ours = call.metadata;
  ours.erase("user-agent");  // gRPC's own
  CHECK(ours == std::multimap<std::string, std::string>{{"authorization", "bearer a"},
                                                        {"authorization", "b"},
                                                        {"api-key", "k"},
                                                        {"api-secret", "s"},
                                                        {"x-request-id", "r"},
                                                        {"traceparent", trace}});
}

TEST_CASE("Credentials that gRPC cannot carry are refused, not fatal") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  REQUIRE(client.Ask(Request(kRelations, "Authorization: Bearer \xC3\xA9\r\nApi-Key: \xFF\r\n")));
  const FakeBackend::Call call = gateway.backend().last_call();
  CHECK(call.metadata.find("authorization")->second == "malformed");
  CHECK(call.metadata.find("api-key")->second.empty());
}

TEST_CASE("A stranger learns nothing of his parameters") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const auto stranger = client.Ask(Request(std::string(kRelations) + "?limit=0"));
  REQUIRE(stranger);
  CHECK(stranger->status == 401);
  CHECK(stranger->field("www-authenticate") == "Bearer");
  const FakeBackend::Call call = gateway.backend().last_call();
  CHECK(call.request.limit() == -1);
  CHECK(call.request.id().empty());
}

TEST_CASE("A known caller is told which parameter is at fault, under the server's error id") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const auto answer = client.Ask(Request(std::string(kRelations) + "?levels=x", kBearer));
  REQUIRE(answer);
  CHECK(answer->status == 400);
  const std::string message = "levels must be a whole number from 1 to 5 (more counts as 5)";
  CHECK(answer->field("x-error") == message);
  CHECK(answer->field("x-error-id") == "22222222-2222-4222-8222-222222222222");
  CHECK(answer->body == ErrorBody(message, "WARNING", "invalid_levels",
                                  "22222222-2222-4222-8222-222222222222", "levels"));
}

TEST_CASE("A backend that answers a refused question is a fault of ours") {
  GatewayUnderTest gateway;
  gateway.backend().SetScript([](const FakeBackend::Call&) {
    FakeBackend::Outcome outcome;
    outcome.response.set_stop_reason(v1::STOP_REASON_COMPLETE);
    return outcome;
  });
  RawClient client(gateway.tcp());
  const auto answer = client.Ask(Request(std::string(kRelations) + "?levels=x", kBearer));
  REQUIRE(answer);
  CHECK(answer->status == 500);
}

TEST_CASE("Errors of the server pass with status, id, code and parameter") {
  GatewayUnderTest gateway;
  struct Row {
    absl::StatusCode code;
    std::string reason;
    std::string param;
    int status;
    std::string type;
  };
  const Row rows[] = {
      {absl::StatusCode::kInvalidArgument, "invalid_types", "types", 400, "WARNING"},
      {absl::StatusCode::kUnauthenticated, "unauthenticated", "", 401, "WARNING"},
      {absl::StatusCode::kPermissionDenied, "permission_denied", "", 403, "WARNING"},
      {absl::StatusCode::kNotFound, "not_found", "", 404, "WARNING"},
      {absl::StatusCode::kResourceExhausted, "rate_limited", "", 429, "WARNING"},
      {absl::StatusCode::kUnavailable, "unavailable", "", 503, "CRITICAL"},
      {absl::StatusCode::kDeadlineExceeded, "deadline_exceeded", "", 504, "CRITICAL"},
  };
  const std::string id = "0b8a3a52-54f1-4a55-9b0a-3ecb1a3f6a01";
  RawClient client(gateway.tcp());
  for (const Row& row : rows) {
    INFO(row.reason);
    gateway.backend().SetScript([&](const FakeBackend::Call&) {
      return FakeBackend::Outcome{{}, row.code, "said by the server", row.reason, row.param, id};
    });
    const auto answer = client.Ask(Request(kRelations, kBearer));
    REQUIRE(answer);
    CHECK(answer->status == row.status);
    CHECK(answer->field("x-error") == "said by the server");
    CHECK(answer->field("x-error-id") == id);
    CHECK(answer->field("content-type") == "application/json; charset=utf-8");
    CHECK(answer->field("cache-control") == "private, no-cache");
    CHECK(answer->field("vary") == "Authorization, api-key, api-secret");
    CHECK(answer->field("x-stop-reason") == "(none)");
    CHECK(answer->field("www-authenticate") == (row.status == 401 ? "Bearer" : "(none)"));
    CHECK(answer->field("retry-after") ==
          (row.status == 429 || row.status == 503 ? "1" : "(none)"));
    CHECK(answer->body == ErrorBody("said by the server", row.type, row.reason, id, row.param));
  }
}

TEST_CASE("Of faults behind the gateway the client learns nothing but an id") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  for (const auto code : {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss,
                          absl::StatusCode::kUnknown, absl::StatusCode::kUnimplemented}) {
    gateway.backend().SetScript([&](const FakeBackend::Call&) {
      return FakeBackend::Outcome{{}, code, "/var/lib/secret is broken", "data_loss", "", "x"};
    });
    const auto answer = client.Ask(Request(kRelations, kBearer));
    REQUIRE(answer);
    CHECK(answer->status == 500);
    const std::string id = answer->field("x-error-id");
    CHECK(IsUuid(id));
    CHECK(answer->body == ErrorBody("internal error", "ERROR", "internal", id));
  }
}

TEST_CASE("An answer that cannot be written is 500, never a piece of it") {
  GatewayUnderTest gateway;
  gateway.backend().SetScript([](const FakeBackend::Call&) {
    FakeBackend::Outcome outcome;
    (*outcome.response.add_nodes()->mutable_attributes())["k"].mutable_list_value();
    outcome.response.set_stop_reason(v1::STOP_REASON_COMPLETE);
    return outcome;
  });
  RawClient client(gateway.tcp());
  const auto answer = client.Ask(Request(kRelations, kBearer));
  REQUIRE(answer);
  CHECK(answer->status == 500);
  CHECK(answer->body ==
        ErrorBody("internal error", "ERROR", "internal", answer->field("x-error-id")));
}

TEST_CASE("The stop reason limit goes to its header, details to the relations") {
  GatewayUnderTest gateway;
  gateway.backend().SetScript([](const FakeBackend::Call&) {
    FakeBackend::Outcome outcome;
    outcome.response.add_relations()->set_type("t");
    outcome.response.set_stop_reason(v1::STOP_REASON_LIMIT);
    return outcome;
  });
  RawClient client(gateway.tcp());
  const auto plain = client.Ask(Request(kRelations, kBearer));
  REQUIRE(plain);
  CHECK(plain->field("x-stop-reason") == "limit");
  CHECK(plain->body == R"({"nodes":[],"relations":[{"source":"","target":""}]})");
  const auto detailed = client.Ask(Request(std::string(kRelations) + "?details=true", kBearer));
  REQUIRE(detailed);
  CHECK(detailed->body == R"({"nodes":[],"relations":[{"source":"","target":"","type":"t",)"
                          R"("mode":"","lastSeen":"1970-01-01T00:00:00Z"}]})");
}

TEST_CASE("HEAD gets the header of GET and no body") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const std::string fields = std::string(kBearer) + "x-request-id: r\r\n";
  for (const std::string& target :
       {std::string(kRelations), std::string("/healthz"), std::string("/readyz")}) {
    const auto get = client.Ask(Request(target, fields));
    const auto head = client.Ask(Request(target, fields, "HEAD"), BodyRule::kNone);
    REQUIRE(get);
    REQUIRE(head);
    CHECK(head->status == get->status);
    CHECK(head->field("content-length") == std::to_string(get->body.size()));
    CHECK(head->field("content-type") == get->field("content-type"));
    CHECK(head->field("x-stop-reason") == get->field("x-stop-reason"));
  }
  // Were a body there, it would stand before this answer.
  const auto missing = client.Ask(Request("/nope", "", "HEAD"), BodyRule::kNone);
  REQUIRE(missing);
  CHECK(missing->status == 404);
  const auto next = client.Ask(Request("/healthz"));
  REQUIRE(next);
  CHECK(next->status_line == "HTTP/1.1 200 OK");
}

TEST_CASE("Unknown routes are 404 in the shape of every error") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  for (const char* target : {"/", "/api/analytics/v1/entity//relations", "/healthz/.."}) {
    const auto answer = client.Ask(Request(target));
    REQUIRE(answer);
    CHECK(answer->status == 404);
    CHECK(answer->body ==
          ErrorBody("no such route", "WARNING", "route_not_found", answer->field("x-error-id")));
    CHECK(answer->field("vary") == "Authorization, api-key, api-secret");
    CHECK(IsUuid(answer->field("x-request-id")));
  }
  CHECK(gateway.backend().calls() == 0);
}

TEST_CASE("The route comes before the method, the method before the body's size") {
  GatewayUnderTest gateway;
  const auto ask = [&](const std::string& method, const std::string& target,
                       const std::string& fields) {
    RawClient client(gateway.tcp());
    auto answer = client.Ask(Request(target, fields, method));
    REQUIRE(answer);
    return *answer;
  };
  const std::string large = "Content-Length: 1000000\r\n";
  CHECK(ask("POST", "/nope", large).status == 404);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "BREW"}) {
    const RawAnswer answer = ask(method, kRelations, large);
    CHECK(answer.status == 405);
    CHECK(answer.field("allow") == "GET, HEAD, OPTIONS");
    CHECK(answer.field("x-error") == "the method is not allowed here");
  }
  CHECK(ask("GET", kRelations, large).status == 413);
  CHECK(ask("GET", kRelations, large).field("connection") == "close");
  CHECK(gateway.backend().calls() == 0);
}

TEST_CASE("Targets that are no path are 400") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  CHECK(client.Ask(Request("*"))->status == 400);
  CHECK(client.Ask(Request("gateway:443", "", "CONNECT"))->status == 400);
  CHECK(client.Ask(Request("http://gateway/healthz"))->status == 200);
  CHECK(client.Ask(Request("*", "", "OPTIONS"), BodyRule::kNone)->status == 204);
}

TEST_CASE("OPTIONS names the methods and asks for no credentials") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const auto answer = client.Ask(Request(kRelations,
                                         "Origin: https://a.example\r\n"
                                         "Access-Control-Request-Method: GET\r\n",
                                         "OPTIONS"),
                                 BodyRule::kNone);
  REQUIRE(answer);
  CHECK(answer->status_line == "HTTP/1.1 204 No Content");
  CHECK(answer->field("allow") == "GET, HEAD, OPTIONS");
  CHECK(answer->field("content-length") == "(none)");
  CHECK(answer->field("access-control-allow-origin") == "(none)");
  CHECK(answer->field("access-control-allow-methods") == "(none)");
  CHECK(gateway.backend().calls() == 0);
}

TEST_CASE("Listed origins may ask, others are not told that any may") {
  TestOptions options;
  options.front.cors_origins = {"https://a.example", "https://b.example"};
  GatewayUnderTest gateway(options);
  RawClient client(gateway.tcp());
  const std::string ask_leave = "Access-Control-Request-Method: GET\r\n";
  const auto leave = client.Ask(
      Request(kRelations, "Origin: https://b.example\r\n" + ask_leave, "OPTIONS"), BodyRule::kNone);
  REQUIRE(leave);
  CHECK(leave->status == 204);
  CHECK(leave->field("access-control-allow-origin") == "https://b.example");
  CHECK(leave->field("access-control-allow-methods") == "GET, HEAD, OPTIONS");
  CHECK(leave->field("access-control-allow-headers") ==
        "authorization, api-key, api-secret, accept, content-type, user-agent");
  CHECK(leave->field("vary") == "Authorization, api-key, api-secret, Origin");

  for (const std::string& fields : {std::string(kBearer), std::string()}) {
    const auto answer = client.Ask(Request(kRelations, fields + "Origin: https://a.example\r\n"));
    REQUIRE(answer);
    CHECK(answer->status == (fields.empty() ? 401 : 200));
    CHECK(answer->field("access-control-allow-origin") == "https://a.example");
    CHECK(answer->field("access-control-expose-headers") ==
          "x-error, x-error-id, x-stop-reason, retry-after, x-request-id, etag");
  }
  for (const char* origin :
       {"Origin: https://evil.example\r\n", "Origin: https://a.example.evil\r\n",
        "Origin: HTTPS://A.EXAMPLE\r\n", "Origin: null\r\n", "",
        "Origin: https://a.example\r\nOrigin: https://b.example\r\n"}) {
    const auto refused =
        client.Ask(Request(kRelations, origin + ask_leave, "OPTIONS"), BodyRule::kNone);
    REQUIRE(refused);
    CHECK(refused->field("access-control-allow-origin") == "(none)");
    CHECK(refused->field("access-control-allow-methods") == "(none)");
    CHECK(refused->field("vary") == "Authorization, api-key, api-secret, Origin");
  }
}

TEST_CASE("The probes tell of life and of readiness") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  CHECK(client.Ask(Request("/healthz"))->body == "ok\n");
  CHECK(client.Ask(Request("/readyz"))->body == "ok\n");
  CHECK(client.Ask(Request("/healthz"))->field("content-type") == "text/plain; charset=utf-8");
  gateway.backend().SetServing(false);
  const auto not_ready = client.Ask(Request("/readyz"));
  REQUIRE(not_ready);
  CHECK(not_ready->status == 503);
  CHECK(not_ready->field("retry-after") == "1");
  gateway.backend().SetServing(true);
  CHECK(client.Ask(Request("/readyz"))->status == 200);
  gateway.StopBackend();
  CHECK(client.Ask(Request("/readyz"))->status == 503);
  CHECK(client.Ask(Request("/healthz"))->status == 200);
}

TEST_CASE("Without its backend the gateway says 503, and recovers with it") {
  GatewayUnderTest gateway;
  gateway.StopBackend();
  RawClient client(gateway.tcp());
  const auto down = client.Ask(Request(kRelations, kBearer));
  REQUIRE(down);
  CHECK(down->status == 503);
  CHECK(down->field("retry-after") == "1");
  CHECK(down->body == ErrorBody("the service is unavailable, try again", "CRITICAL", "unavailable",
                                down->field("x-error-id")));
  gateway.StartBackend();
  int status = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (status != 200 && std::chrono::steady_clock::now() < deadline) {
    status = client.Ask(Request(kRelations, kBearer))->status;
  }
  CHECK(status == 200);
}

TEST_CASE("A backend that does not answer in time is 504") {
  TestOptions options;
  options.upstream.request_timeout = std::chrono::milliseconds(100);
  GatewayUnderTest gateway(options);
  gateway.backend().Hold();
  RawClient client(gateway.tcp());
  const auto answer = client.Ask(Request(kRelations, kBearer));
  REQUIRE(answer);
  CHECK(answer->status == 504);
  CHECK(answer->body.find(R"("type":"CRITICAL","code":"deadline_exceeded")") != std::string::npos);
  CHECK(gateway.backend().WaitForCancellations(1));
}

TEST_CASE("The backend is told how long its answer is waited for") {
  TestOptions options;
  options.upstream.request_timeout = std::chrono::seconds(60);
  GatewayUnderTest gateway(options);
  RawClient client(gateway.tcp());
  const auto before = std::chrono::system_clock::now();
  REQUIRE(client.Ask(Request(kRelations, kBearer)));
  const auto deadline = gateway.backend().last_call().deadline;
  CHECK(deadline > before);
  // On its way the time left is rounded up to a few digits.
  CHECK(deadline < std::chrono::system_clock::now() + std::chrono::seconds(66));
}

TEST_CASE("One call more than may be in flight is 503") {
  TestOptions options;
  options.upstream.max_in_flight = 2;
  GatewayUnderTest gateway(options);
  gateway.backend().Hold();
  RawClient first(gateway.tcp());
  RawClient second(gateway.local());
  RawClient third(gateway.tcp());
  REQUIRE(first.Send(Request(kRelations, kBearer)));
  REQUIRE(second.Send(Request(kRelations, kBearer)));
  REQUIRE(gateway.backend().WaitForCalls(2));
  const auto refused = third.Ask(Request(kRelations, kBearer));
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->field("retry-after") == "1");
  gateway.backend().Release();
  CHECK(first.Read()->status == 200);
  CHECK(second.Read()->status == 200);
  CHECK(third.Ask(Request(kRelations, kBearer))->status == 200);
}

}  // namespace
}  // namespace relations::gateway
