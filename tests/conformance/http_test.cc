// HTTP itself: methods, sizes, connections, framing, request ids (contract, sections 1 and 3).
#include <set>
#include <string>
#include <vector>

#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

const std::string& Rest() { return Conformance().system.rest(); }
std::string Reader() { return Conformance().reader.Fields(); }

// Sends bytes on a connection of their own and reads one answer.
RawAnswer AskOnce(const std::string& bytes) {
  RawClient client(Rest());
  const std::optional<RawAnswer> answer = client.Ask(bytes);
  CAPTURE(bytes.substr(0, 200));
  REQUIRE(answer.has_value());
  if (answer->field("connection") == "close") CHECK(client.Ends());
  return *answer;
}

TEST_CASE("HEAD answers as GET does, without a body") {
  RestClient client(Rest());
  for (const auto& [target, fields] : std::vector<std::pair<std::string, std::string>>{
           {RelationsPath("domain-root"), Reader()},
           {RelationsPath("ip-secret"), Reader()},
           {RelationsPath("domain-root", "limit=0"), Reader()},
           {RelationsPath("domain-root"), ""},
           {RelationsPath("ip-near"), Conformance().reporter.Fields()},
           {"/nowhere", Reader()},
           {"/healthz", ""},
           {"/readyz", ""}}) {
    CAPTURE(target);
    const std::string same = fields + "x-request-id: same\r\n";
    RawAnswer get = client.Get(target, same);
    const RawAnswer head = client.Ask(RequestText(target, same, "HEAD"), BodyRule::kNone);
    get.body.clear();
    CHECK(Comparable(head) == Comparable(get));
    CHECK(head.field("content-length") != "0");
  }
}

TEST_CASE("OPTIONS tells what is allowed, to anybody") {
  RestClient client(Rest());
  for (const char* target :
       {"/api/analytics/v1/entity/ip-near/relations",
        "/api/analytics/v1/entity/nohyphen/relations?limit=0", "/healthz", "/readyz", "*"}) {
    CAPTURE(target);
    const RawAnswer answer = client.Ask(
        RequestText(target, "Origin: https://explorer.example\r\n", "OPTIONS"), BodyRule::kNone);
    CHECK(answer.status_line == "HTTP/1.1 204 No Content");
    CHECK(answer.field("allow") == "GET, HEAD, OPTIONS");
    CHECK(answer.field("content-length") == "(none)");
    CHECK(answer.field("access-control-allow-origin") == "(none)");
  }
  CheckError(client.Ask(RequestText("/nowhere", "", "OPTIONS")), {404, "route_not_found", ""});
}

TEST_CASE("other methods are not allowed where a route is, and not found where none is") {
  for (const char* method :
       {"POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "Get", "PROPFIND", "FOO"}) {
    CAPTURE(method);
    for (const std::string& fields : {std::string(), Reader()}) {
      CheckError(AskOnce(RequestText(RelationsPath("ip-near"), fields, method)),
                 {405, "method_not_allowed", ""});
      CheckError(AskOnce(RequestText("/healthz", fields, method)), {405, "method_not_allowed", ""});
      CheckError(AskOnce(RequestText("/nowhere", fields, method)), {404, "route_not_found", ""});
    }
  }
}

TEST_CASE("probes answer without credentials") {
  RestClient client(Rest());
  for (const char* target : {"/healthz", "/readyz", "/healthz/", "/readyz?x=1"}) {
    CAPTURE(target);
    const RawAnswer answer = client.Get(target);
    CHECK(answer.status == 200);
    CHECK(answer.body == "ok\n");
    CHECK(answer.field("content-type") == "text/plain; charset=utf-8");
  }
}

TEST_CASE("one connection answers many requests, sent one by one or ahead") {
  RawClient client(Rest());
  std::string ahead;
  std::vector<int> expected;
  for (int i = 0; i < 25; ++i) {
    ahead += RequestText(RelationsPath("domain-root"), Reader());
    ahead += RequestText(RelationsPath("none-0"), Reader());
    ahead += RequestText(RelationsPath("domain-root", "limit=0"), Reader());
    ahead += RequestText(RelationsPath("domain-root"));
    ahead += RequestText("/healthz");
    expected.insert(expected.end(), {200, 404, 400, 401, 200});
  }
  REQUIRE(client.Send(ahead));
  for (const int status : expected) {
    const std::optional<RawAnswer> answer = client.Read();
    REQUIRE(answer.has_value());
    CHECK(answer->status == status);
    CHECK(answer->field("connection") == "(none)");
  }
  const auto last =
      client.Ask(RequestText(RelationsPath("ip-near"), Reader() + "Connection: close\r\n"));
  REQUIRE(last.has_value());
  CHECK(last->status == 200);
  CHECK(last->field("connection") == "close");
  CHECK(client.Ends());
}

TEST_CASE("a request that comes byte by byte is answered as one that comes whole") {
  RawClient client(Rest());
  for (const char byte : RequestText(RelationsPath("ip-near"), Reader())) {
    REQUIRE(client.Send(std::string(1, byte)));
  }
  const auto answer = client.Read();
  REQUIRE(answer.has_value());
  CheckAnswered(*answer);
}

TEST_CASE("HTTP/1.0 is answered, and its connection ends unless it is asked to live") {
  const std::string head = "GET " + RelationsPath("ip-near") + " HTTP/1.0\r\n" + Reader();
  const RawAnswer once = AskOnce(head + "\r\n");
  CheckAnswered(once);
  CHECK(once.field("connection") == "close");
  const RawAnswer kept = AskOnce(head + "Connection: keep-alive\r\n\r\n");
  CheckAnswered(kept);
  CHECK(kept.field("connection") == "keep-alive");
}

TEST_CASE("a body on GET is dropped while it is small, and ends the connection") {
  const std::string target = RelationsPath("ip-near");
  for (const std::string& request :
       {RequestText(target, Reader() + "Content-Length: 5\r\n") + "hello",
        RequestText(target, Reader() + "Content-Length: 65536\r\n") + std::string(65536, 'x'),
        RequestText(target, Reader() + "Transfer-Encoding: chunked\r\n") +
            "5\r\nhello\r\n0\r\n\r\n"}) {
    const RawAnswer answer = AskOnce(request);
    CheckAnswered(answer);
    CHECK(answer.field("connection") == "close");
  }
  CheckAnswered(AskOnce(RequestText(target, Reader() + "Content-Length: 0\r\n")));
  const RawAnswer large =
      AskOnce(RequestText(target, Reader() + "Content-Length: 65537\r\n") + "only the start");
  CheckError(large, {413, "body_too_large", ""});
  CHECK(large.field("connection") == "close");
}

TEST_CASE("sizes are judged at their limits") {
  const std::string short_path = RelationsPath("ip-near", "x=");
  const auto with_target_of = [&](size_t bytes) {
    return RequestText(short_path + std::string(bytes - short_path.size(), 'y'), Reader());
  };
  CheckAnswered(AskOnce(with_target_of(8192)));
  const RawAnswer long_target = AskOnce(with_target_of(8193));
  CheckError(long_target, {414, "uri_too_long", ""});
  CHECK(long_target.field("connection") == "close");
  CheckError(AskOnce(with_target_of(100000)), {414, "uri_too_long", ""});

  const auto with_header_of = [&](size_t bytes) {
    const std::string bare = RequestText(RelationsPath("ip-near"), Reader() + "x: \r\n");
    return RequestText(RelationsPath("ip-near"),
                       Reader() + "x: " + std::string(bytes - bare.size(), 'z') + "\r\n");
  };
  CheckAnswered(AskOnce(with_header_of(16384)));
  const RawAnswer large = AskOnce(with_header_of(16385));
  CheckError(large, {431, "headers_too_large", ""});
  CHECK(large.field("connection") == "close");
  CheckError(AskOnce(with_header_of(200000)), {431, "headers_too_large", ""});
}

TEST_CASE("requests that can be read in two ways, or not at all, are refused and end it") {
  const std::string line = "GET " + RelationsPath("ip-near") + " HTTP/1.1\r\n";
  const std::string host = "Host: x\r\n";
  for (const std::string& request : std::vector<std::string>{
           line + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           line + host + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
           line + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           line + host + "Content-Length: 1, 1\r\n\r\na",
           line + host + "Content-Length: -1\r\n\r\n",
           line + host + "Content-Length: +1\r\n\r\na",
           line + host + "Content-Length: 0x1\r\n\r\na",
           line + host + "Content-Length: 99999999999999999999\r\n\r\n",
           line + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           line + host +
               "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           line + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
           line + host + host + "\r\n",
           line + "\r\n",
           line + host + "folded: a\r\n b\r\n\r\n",
           line + host + "no colon\r\n\r\n",
           line + host + "blank : x\r\n\r\n",
           line + host + ": x\r\n\r\n",
           line + host + std::string("zero: a\0b\r\n\r\n", 13),
           "GET\r\n\r\n",
           "nonsense\r\n\r\n",
           "\x16\x03\x01\x02\r\n\r\n",
           "GET " + RelationsPath("ip-near") + "\r\n" + host + "\r\n",
           "GET " + RelationsPath("ip-near") + " HTTP/2.0\r\n" + host + "\r\n",
           "GET " + RelationsPath("ip-near") + " HTTP/1.9\r\n" + host + "\r\n",
           "GET " + RelationsPath("ip-near") + " HTTPS/1.1\r\n" + host + "\r\n",
           "GET  " + RelationsPath("ip-near") + " HTTP/1.1\r\n" + host + "\r\n",
           "GET relations HTTP/1.1\r\n" + host + "\r\n",
           "GET ftp://x/y HTTP/1.1\r\n" + host + "\r\n"}) {
    CAPTURE(request);
    const RawAnswer answer = AskOnce(request);
    CheckError(answer, {400, "malformed_request", ""});
  }
}

TEST_CASE("a request that ends early is refused, one that never began is not") {
  RawClient client(Rest());
  REQUIRE(client.Send("GET " + RelationsPath("ip-near") + " HTTP/1.1\r\nHost: x\r\n"));
  client.FinishSending();
  const auto answer = client.Read();
  REQUIRE(answer.has_value());
  CheckError(*answer, {400, "malformed_request", ""});
  CHECK(client.Ends());
  RawClient silent(Rest());
  silent.FinishSending();
  CHECK(silent.Ends());
}

TEST_CASE("x-request-id is the client's where it is fit, else a new one") {
  RestClient client(Rest());
  for (const std::string& id :
       {std::string("a"), std::string("~!@#$%^&*()_+"), std::string(64, 'r')}) {
    CAPTURE(id);
    for (const std::string& target : {RelationsPath("ip-near"), RelationsPath("none-0"),
                                      std::string("/nowhere"), std::string("/healthz")}) {
      CHECK(client.Get(target, Reader() + "X-Request-ID: " + id + "\r\n").field("x-request-id") ==
            id);
    }
  }
  std::vector<std::string> made;
  for (const std::string& id : {std::string(), std::string("two words"), std::string(65, 'r'),
                                std::string("\xC3\xA9"), std::string("tab\there")}) {
    CAPTURE(id);
    const RawAnswer answer =
        client.Get(RelationsPath("ip-near"), Reader() + "x-request-id: " + id + "\r\n");
    CheckAnswered(answer);
    CHECK(IsUuidV4(answer.field("x-request-id")));
    made.push_back(answer.field("x-request-id"));
  }
  CHECK(std::set<std::string>(made.begin(), made.end()).size() == made.size());
  CHECK(IsUuidV4(
      client.Get(RelationsPath("ip-near"), Reader() + "x-request-id: a\r\nx-request-id: b\r\n")
          .field("x-request-id")));
}

TEST_CASE("every error has an id of its own") {
  RestClient client(Rest());
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.insert(client.Get(RelationsPath("none-0"), Reader()).field("x-error-id"));
    ids.insert(client.Get(RelationsPath("none-0")).field("x-error-id"));
    ids.insert(client.Get("/nowhere").field("x-error-id"));
  }
  CHECK(ids.size() == 60);
}

TEST_CASE("with a list of origins, scripts of these and of no others may read answers") {
  ProcessUnderTest process(GatewayProgram(),
                           {"--backend", Conformance().system.socket(), "--listen", "127.0.0.1:0",
                            "--cors-origins", "https://a.example,https://b.example:8443"});
  RestClient client(process.ReadAddress());
  const std::string errors_vary = "Authorization, api-key, api-secret, Origin";
  const std::string answers_vary = "Authorization, api-key, api-secret, Accept-Encoding, Origin";
  const std::string exposed = "x-error, x-error-id, x-stop-reason, retry-after, x-request-id, etag";
  for (const char* origin : {"https://a.example", "https://b.example:8443"}) {
    const std::string fields = std::string("Origin: ") + origin + "\r\n";
    for (const std::string& more : {Reader(), std::string()}) {
      const RawAnswer answer = client.Get(RelationsPath("ip-near"), fields + more);
      CHECK(answer.status == (more.empty() ? 401 : 200));
      CHECK(answer.field("access-control-allow-origin") == origin);
      CHECK(answer.field("access-control-expose-headers") == exposed);
      CHECK(answer.field("vary") == (more.empty() ? errors_vary : answers_vary));
    }
    const RawAnswer leave =
        client.Ask(RequestText(RelationsPath("ip-near"),
                               fields + "Access-Control-Request-Method: GET\r\n", "OPTIONS"),
                   BodyRule::kNone);
    CHECK(leave.status == 204);
    CHECK(leave.field("access-control-allow-origin") == origin);
    CHECK(leave.field("access-control-allow-methods") == "GET, HEAD, OPTIONS");
    CHECK(leave.field("access-control-allow-headers") ==
          "authorization, api-key, api-secret, accept, content-type, user-agent");
  }
  for (const char* origin : {"https://c.example", "https://a.example.evil", "http://a.example",
                             "null", "*", "https://a.example:443", "https://A.example", ""}) {
    CAPTURE(origin);
    const RawAnswer answer =
        client.Get(RelationsPath("ip-near"), Reader() + "Origin: " + origin + "\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.field("access-control-allow-origin") == "(none)");
    CHECK(answer.field("vary") == answers_vary);
  }
}

}  // namespace
}  // namespace relations
