// Watching: what a stream of changes sends, to whom, and how it ends; and what open streams of both
// kinds have in common.
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/server.h"
#include "storage/base/feed_limits.h"
#include "storage/base/limits.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/server/report_client.h"
#include "tests/server/test_server.h"
#include "tests/server/watch_client.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

Mutations Reported(const std::string& id, GroupSet groups, int64_t seconds = 0, size_t bytes = 0) {
  ReportEntity report{TestEntity(id, std::move(groups)), 1};
  *report.entity.mutable_last_seen() = TimestampOf(TestTime(seconds));
  for (size_t i = 0; i * limits::kValueBytesMax < bytes; ++i) {
    (*report.entity.mutable_attributes())["a" + std::to_string(i)].set_string_value(
        std::string(limits::kValueBytesMax, 'x'));
  }
  Mutations mutations;
  mutations.entity_reports.push_back(std::move(report));
  return mutations;
}

void Apply(TestServer& server, const Mutations& mutations) {
  REQUIRE(server.graph().Apply(mutations).ok());
}

// How a stream ends that is not to send anything.
std::string EndOf(WatchClient& client) {
  while (client.Read().has_value()) {
  }
  return client.Finish();
}

v1::ReportStreamRequest IpRequest(uint64_t sequence) {
  v1::ReportStreamRequest request;
  request.set_sequence(sequence);
  v1::EntityReport& entity = *request.add_reports()->mutable_entity();
  entity.set_type("ip");
  (*entity.mutable_attributes())["ip"].set_string_value("198.51.100." + std::to_string(sequence));
  return request;
}

TEST_CASE("a watcher gets what he may see, as it is written, and nothing of what he may not") {
  TestServer server;
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  const auto first = client.Read();
  REQUIRE(first.has_value());
  CHECK(first->current());
  CHECK(IsEmpty(*first));
  CHECK_FALSE(first->token().empty());

  Apply(server, Reported("ip-hidden", {"secret"}));
  Apply(server, Reported("ip-seen", {"public", "secret"}));
  // The very next message, although something hidden was written before.
  const auto seen = client.Read();
  REQUIRE(seen.has_value());
  REQUIRE(seen->entities_size() == 1);
  CHECK(seen->entities(0).id() == "ip-seen");
  REQUIRE(seen->entities(0).visible_by_size() == 1);
  CHECK(seen->entities(0).visible_by(0) == "public");
  CHECK(seen->current());

  Mutations deletion;
  deletion.deleted_entities = {{"ip-hidden"}, {"ip-seen"}};
  Apply(server, deletion);
  const auto gone = client.Read();
  REQUIRE(gone.has_value());
  REQUIRE(gone->gone_entities_size() == 1);
  CHECK(gone->gone_entities(0) == "ip-seen");
}

TEST_CASE("a stream goes on where another was left") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"user"});
  std::string token;
  {
    WatchClient client(server.address(), headers);
    token = client.Read()->token();
  }
  Apply(server, Reported("ip-1", {"public"}));
  Apply(server, Reported("ip-2", {"public"}));
  std::set<std::string> ids;
  WatchClient client(server.address(), headers, token);
  while (ids.size() < 2) {
    const auto message = client.Read();
    REQUIRE(message.has_value());
    for (const v1::Entity& entity : message->entities()) ids.insert(entity.id());
  }
  CHECK(ids == std::set<std::string>{"ip-1", "ip-2"});
}

TEST_CASE("who may watch, and with which token") {
  TestServer server;
  const auto end = [&](const Headers& headers, const std::string& token = "") {
    WatchClient client(server.address(), headers, token);
    return EndOf(client);
  };
  const std::string token =
      WatchClient(server.address(), server.Session({"public"}, {"user"})).Read()->token();
  CHECK(end({}) == "UNAUTHENTICATED");
  CHECK(end(server.Session({"public"}, {"reporter"})) == "PERMISSION_DENIED");
  CHECK(end(server.Session({"public"}, {"user"}), "nonsense") == "INVALID_ARGUMENT");
  CHECK(end(server.Session({"public", "secret"}, {"user"}), token) == "OUT_OF_RANGE");
  WatchClient same(server.address(), server.KeyPair({"public"}, {"admin"}), token);
  CHECK(same.Read().has_value());
}

TEST_CASE("an open stream ends within moments when its credentials do, idle or not") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"user", "reporter"});
  WatchClient watcher(server.address(), headers);
  ReportClient reporter(server.address(), headers);
  REQUIRE(watcher.Read().has_value());
  REQUIRE(reporter.Send(IpRequest(1)));
  REQUIRE(reporter.Read().has_value());
  SECTION("revoked") { server.RevokeSessions(); }
  SECTION("expired") { server.ExpireSessions(); }
  CHECK(EndOf(watcher) == "UNAUTHENTICATED");
  // The client says nothing more: the stream ends all the same.
  CHECK_FALSE(reporter.Read().has_value());
  CHECK(reporter.Finish() == "UNAUTHENTICATED");
}

TEST_CASE("a server that drains ends its watchers") {
  TestServer server;
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  REQUIRE(client.Read().has_value());
  CHECK(server.server().Drain(absl::Seconds(30)));
  CHECK(EndOf(client) == "UNAVAILABLE");
}

TEST_CASE("one caller has only so many streams, and who leaves makes room") {
  TestServer server;
  const Headers headers = server.Session({"public"}, {"user"});
  std::vector<std::unique_ptr<WatchClient>> clients;
  for (size_t i = 0; i < limits::kWatchesOfOneMax; ++i) {
    clients.push_back(std::make_unique<WatchClient>(server.address(), headers));
    REQUIRE(clients.back()->Read().has_value());
  }
  CHECK(server.server().stream_counts().watches == limits::kWatchesOfOneMax);
  WatchClient one_more(server.address(), headers);
  CHECK(EndOf(one_more) == "RESOURCE_EXHAUSTED");
  clients.clear();
  while (server.server().stream_counts().watches > 0) std::this_thread::yield();
  WatchClient again(server.address(), headers);
  CHECK(again.Read().has_value());
}

TEST_CASE("an import tells a watcher to start again") {
  TestServer server;
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  REQUIRE(client.Read().has_value());
  BulkImport import(&server.graph(), BulkImport::Options());
  REQUIRE(import.OnEntity(TestEntity("ip-imported"), {}).ok());
  REQUIRE(import.Finish().ok());
  CHECK(EndOf(client) == "OUT_OF_RANGE");
}

TEST_CASE("a quiet stream has a heartbeat, whose tokens tell nothing apart") {
  TestServer::Options options;
  options.watch_heartbeat = absl::Milliseconds(1);
  TestServer server(options);
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  std::set<std::string> tokens;
  for (int i = 0; i < 3; ++i) {
    const auto message = client.Read();
    REQUIRE(message.has_value());
    CHECK(IsEmpty(*message));
    tokens.insert(message->token());
  }
  CHECK(tokens.size() == 3);
}

TEST_CASE("a client that reads too slowly is not waited for: it is told to start again") {
  TestServer::Options options;
  options.feed_changes = 2;
  TestServer server(options);
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  REQUIRE(client.Read().has_value());
  // More than the connection holds, while the client reads nothing.
  for (int i = 1; i <= 60; ++i) {
    Apply(server, Reported("ip-" + std::to_string(i), {"public"}, i, 800'000));
  }
  CHECK(EndOf(client) == "OUT_OF_RANGE");
}

TEST_CASE("a client that takes nothing at all loses its stream") {
  TestServer::Options options;
  options.watch_patience = absl::Milliseconds(300);
  TestServer server(options);
  WatchClient client(server.address(), server.Session({"public"}, {"user"}));
  REQUIRE(client.Read().has_value());
  for (int i = 1; i <= 60; ++i) {
    Apply(server, Reported("ip-" + std::to_string(i), {"public"}, i, 800'000));
  }
  while (server.server().stream_counts().watches > 0) std::this_thread::yield();
  CHECK(EndOf(client) == "CANCELLED");
}

TEST_CASE("reports of a stream count against their reporter's rate, and wait for it") {
  TestServer::Options options;
  SECTION("the stream and two of its reports use up a burst of three") {
    options.rates = {"reporter=0.001:3"};
    TestServer server(options);
    const Headers headers = server.Session({"public"}, {"reporter", "user"});
    ReportClient client(server.address(), headers);
    for (uint64_t i = 1; i <= 3; ++i) REQUIRE(client.Send(IpRequest(i)));
    while (client.Read()->acknowledged() < 2) {
    }
    v1::GetRelationsRequest request;
    request.set_id("ip-a");
    CHECK(RpcClient(server.address()).Call(kGetRelations, request, headers).code ==
          "RESOURCE_EXHAUSTED");
    WatchClient watcher(server.address(), headers);
    CHECK(EndOf(watcher) == "RESOURCE_EXHAUSTED");
  }
  SECTION("none is refused for it") {
    options.rates = {"reporter=50:2"};
    TestServer server(options);
    ReportClient client(server.address(), server.Session({"public"}, {"reporter"}));
    for (uint64_t i = 1; i <= 10; ++i) REQUIRE(client.Send(IpRequest(i)));
    client.WritesDone();
    uint64_t acknowledged = 0;
    while (const auto answer = client.Read()) {
      acknowledged = answer->acknowledged();
      CHECK(answer->refusals_size() == 0);
    }
    CHECK(client.Finish() == "OK");
    CHECK(acknowledged == 10);
  }
}

}  // namespace
}  // namespace relations
