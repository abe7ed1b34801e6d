// The stream of reports: answers by sequence number, flow control, its ends.
#include <string>
#include <thread>

#include "server/server.h"
#include "storage/base/limits.h"
#include "storage/credential_store.h"
#include "storage/entity_id.h"
#include "tests/server/report_client.h"
#include "tests/server/test_server.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

v1::ReportStreamRequest IpRequest(uint64_t sequence, const std::string& ip) {
  v1::ReportStreamRequest request;
  request.set_sequence(sequence);
  v1::EntityReport& entity = *request.add_reports()->mutable_entity();
  entity.set_type("ip");
  (*entity.mutable_attributes())["ip"].set_string_value(ip);
  return request;
}

std::string Ip(uint64_t number) {
  return "198.51." + std::to_string(number / 250) + "." + std::to_string(1 + number % 250);
}

bool Exists(TestServer& server, const std::string& ip, const Headers& headers) {
  v1::GetRelationsRequest request;
  request.set_id(MakeEntityId("ip", ip));
  return RpcClient(server.address()).Call(kGetRelations, request, headers).code == "OK";
}

TEST_CASE("every request of a stream is answered in order, refusals by name") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"reporter", "user"});
  ReportClient client(server.address(), headers);
  constexpr uint64_t kRequests = 3000;
  std::thread sender([&] {
    for (uint64_t i = 1; i <= kRequests; ++i) {
      // Every tenth one is at fault, and one does not say anything.
      v1::ReportStreamRequest request = IpRequest(2 * i, i % 10 == 0 ? "10.0.0.1" : Ip(i));
      if (i == 7) request.clear_reports();
      if (!client.Send(request)) break;
    }
    client.WritesDone();
  });
  uint64_t acknowledged = 0;
  size_t refused = 0;
  uint64_t last_refused = 0;
  while (const auto answer = client.Read()) {
    CHECK(answer->acknowledged() > acknowledged);
    acknowledged = answer->acknowledged();
    for (const v1::Refusal& refusal : answer->refusals()) {
      ++refused;
      if (refusal.sequence() <= last_refused || refusal.sequence() > acknowledged) FAIL();
      last_refused = refusal.sequence();
      CHECK(refusal.code() == 3);
      CHECK(refusal.reason() == "invalid_report");
      CHECK(refusal.param() == (refusal.sequence() == 14 ? "reports" : "attributes"));
      CHECK(refusal.error_id().size() == 36);
    }
    // What is acknowledged is there for the very next read.
    if (acknowledged / 2 % 10 != 0 && acknowledged != 14) {
      CHECK(Exists(server, Ip(acknowledged / 2), headers));
    }
  }
  sender.join();
  CHECK(client.Finish() == "OK");
  CHECK(acknowledged == 2 * kRequests);
  CHECK(refused == kRequests / 10 + 1);
}

TEST_CASE("a stream is for reporters, and its sequence must grow") {
  TestServer server;
  const auto end_of = [&](const Headers& headers, uint64_t first, uint64_t second) {
    ReportClient client(server.address(), headers);
    client.Send(IpRequest(first, "198.51.100.1"));
    client.Send(IpRequest(second, "198.51.100.2"));
    client.WritesDone();
    while (client.Read()) {
    }
    return client.Finish();
  };
  CHECK(end_of({}, 1, 2) == "UNAUTHENTICATED");
  CHECK(end_of(server.Session({"public"}, {"user"}), 1, 2) == "PERMISSION_DENIED");
  const Headers reporter = server.Session({"public"}, {"reporter"});
  CHECK(end_of(reporter, 1, 2) == "OK");
  CHECK(end_of(reporter, 2, 2) == "INVALID_ARGUMENT");
  CHECK(end_of(reporter, 0, 1) == "INVALID_ARGUMENT");
}

TEST_CASE("a client that reads no answers is stopped, not piled up, and loses nothing") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"reporter", "user"});
  ReportClient client(server.address(), headers);
  // A megabyte each: the limit of bytes of a stream is passed by the fifth.
  constexpr uint64_t kRequests = 12;
  std::thread sender([&] {
    for (uint64_t i = 1; i <= kRequests; ++i) {
      v1::ReportStreamRequest request = IpRequest(i, Ip(i));
      for (int j = 0; j < 15; ++j) {
        (*request.mutable_reports(0)->mutable_entity()->mutable_attributes())[std::to_string(j)]
            .set_string_value(std::string(limits::kValueBytesMax, 'a'));
      }
      if (!client.Send(request)) break;
    }
    client.WritesDone();
  });
  uint64_t acknowledged = 0;
  while (const auto answer = client.Read()) {
    CHECK(answer->refusals_size() == 0);
    acknowledged = answer->acknowledged();
  }
  sender.join();
  CHECK(client.Finish() == "OK");
  CHECK(acknowledged == kRequests);
}

TEST_CASE("a server that drains answers what it took in and ends its streams") {
  TestServer server;
  ReportClient client(server.address(), server.Session({"public"}, {"reporter"}));
  REQUIRE(client.Send(IpRequest(1, "198.51.100.1")));
  REQUIRE(client.Read().has_value());
  CHECK(server.server().Drain(absl::Seconds(30)));
  CHECK_FALSE(client.Read().has_value());
  CHECK(client.Finish() == "UNAVAILABLE");
}

TEST_CASE("only so many streams are open at once") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"reporter"});
  std::vector<std::unique_ptr<ReportClient>> clients;
  for (size_t i = 0; i < limits::kStreamsMax; ++i) {
    clients.push_back(std::make_unique<ReportClient>(server.address(), headers));
    REQUIRE(clients.back()->Send(IpRequest(1, Ip(i))));
    REQUIRE(clients.back()->Read().has_value());
  }
  ReportClient one_more(server.address(), headers);
  CHECK_FALSE(one_more.Read().has_value());
  CHECK(one_more.Finish() == "UNAVAILABLE");
}

}  // namespace
}  // namespace relations
