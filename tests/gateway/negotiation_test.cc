// Conditional requests and content codings over a real socket.
#include <set>

#include "tests/gateway/gateway_under_test.h"

namespace relations::gateway {
namespace {

// An answer large enough to be compressed.
FakeBackend::Outcome LargeAnswer(const std::string& id) {
  FakeBackend::Outcome outcome;
  for (int i = 0; i < 100; ++i) outcome.response.add_nodes()->set_id(id + std::to_string(i));
  outcome.response.set_stop_reason(v1::STOP_REASON_COMPLETE);
  return outcome;
}

RawAnswer Asked(RawClient& client, const std::string& fields, const std::string& method = "GET",
                BodyRule rule = BodyRule::kByLength) {
  const auto answer = client.Ask(Request(kRelations, kBearer + fields, method), rule);
  REQUIRE(answer);
  return *answer;
}

TEST_CASE("A client that has the answer gets 304 without a body, until the answer changes") {
  GatewayUnderTest gateway;
  gateway.backend().SetScript([](const FakeBackend::Call&) { return LargeAnswer("ip-"); });
  RawClient client(gateway.tcp());
  const RawAnswer first = Asked(client, "");
  CHECK(first.status == 200);
  const std::string condition = "If-None-Match: " + first.field("etag") + "\r\n";

  const RawAnswer again = Asked(client, condition + "x-request-id: r\r\n", "GET", BodyRule::kNone);
  CHECK(again.status_line == "HTTP/1.1 304 Not Modified");
  std::map<std::string, std::string> fields = again.fields;
  CHECK(fields.erase("date") == 1);
  CHECK(fields == std::map<std::string, std::string>{
                      {"cache-control", "private, no-cache"},
                      {"etag", first.field("etag")},
                      {"vary", "Authorization, api-key, api-secret, Accept-Encoding"},
                      {"x-request-id", "r"},
                      {"x-stop-reason", "complete"},
                  });
  CHECK(Asked(client, condition, "HEAD", BodyRule::kNone).status == 304);
  CHECK(Asked(client, "If-None-Match: \"x\", *\r\n").status == 200);
  CHECK(Asked(client, "If-None-Match: *\r\n", "GET", BodyRule::kNone).status == 304);

  gateway.backend().SetScript([](const FakeBackend::Call&) { return LargeAnswer("as-"); });
  const RawAnswer changed = Asked(client, condition);
  CHECK(changed.status == 200);
  CHECK(changed.field("etag") != first.field("etag"));
}

TEST_CASE("Only an answer has a tag: errors, whatever the condition, are told") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const auto stranger = client.Ask(Request(kRelations, "If-None-Match: *\r\n"));
  REQUIRE(stranger);
  CHECK(stranger->status == 401);
  CHECK(stranger->field("etag") == "(none)");
  CHECK(stranger->field("vary") == "Authorization, api-key, api-secret");
}

TEST_CASE("The body is compressed when the client asks, and HEAD says the same") {
  GatewayUnderTest gateway;
  gateway.backend().SetScript([](const FakeBackend::Call&) { return LargeAnswer("ip-"); });
  RawClient client(gateway.tcp());
  const RawAnswer plain = Asked(client, "");
  CHECK(plain.field("content-encoding") == "(none)");
  const RawAnswer gzip = Asked(client, "Accept-Encoding: gzip\r\n");
  CHECK(gzip.field("content-encoding") == "gzip");
  CHECK(gzip.field("vary") == "Authorization, api-key, api-secret, Accept-Encoding");
  CHECK(gzip.body.size() < plain.body.size() / 5);
  // The last four bytes of gzip are the size of what was compressed.
  CHECK(static_cast<uint8_t>(gzip.body[gzip.body.size() - 4]) == plain.body.size() % 256);
  const RawAnswer zstd = Asked(client, "Accept-Encoding: gzip\r\nAccept-Encoding: zstd\r\n");
  CHECK(zstd.field("content-encoding") == "zstd");
  CHECK(zstd.body.substr(0, 4) == "\x28\xB5\x2F\xFD");
  // A tag for each form; that of one does not vouch for another.
  CHECK(std::set<std::string>{plain.field("etag"), gzip.field("etag"), zstd.field("etag")}.size() ==
        3);
  CHECK(Asked(client, "If-None-Match: " + plain.field("etag") + "\r\nAccept-Encoding: gzip\r\n")
            .status == 200);
  CHECK(Asked(client, "If-None-Match: " + gzip.field("etag") + "\r\nAccept-Encoding: gzip\r\n",
              "GET", BodyRule::kNone)
            .status == 304);
  const RawAnswer head = Asked(client, "Accept-Encoding: gzip\r\n", "HEAD", BodyRule::kNone);
  for (const char* name : {"etag", "content-length", "content-encoding", "vary", "content-type"}) {
    INFO(name);
    CHECK(head.field(name) == gzip.field(name));
  }
}

TEST_CASE("The tag tells a cut answer from a whole one with the same body") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  std::set<std::string> tags;
  for (const auto reason : {v1::STOP_REASON_COMPLETE, v1::STOP_REASON_LIMIT}) {
    gateway.backend().SetScript([reason](const FakeBackend::Call&) {
      FakeBackend::Outcome outcome;
      outcome.response.set_stop_reason(reason);
      return outcome;
    });
    tags.insert(Asked(client, "").field("etag"));
  }
  CHECK(tags.size() == 2);
}

}  // namespace
}  // namespace relations::gateway
