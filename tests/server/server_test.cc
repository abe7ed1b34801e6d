// The service as a client sees it: order of checks, statuses, visibility, health, reflection,
// draining.
#include "server/server.h"

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "relations/v1/relations.pb.h"
#include "tests/server/rpc_client.h"
#include "tests/server/test_server.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

v1::GetRelationsRequest Request(const std::string& id) {
  v1::GetRelationsRequest request;
  request.set_id(id);
  return request;
}

v1::GetRelationsResponse Answer(const RpcOutcome& outcome) {
  REQUIRE(outcome.code == "OK");
  v1::GetRelationsResponse answer;
  REQUIRE(answer.ParseFromString(outcome.answer));
  return answer;
}

Headers Joined(Headers headers, const Headers& more) {
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

// All that a client can tell two refusals apart by, the error id aside.
std::string Shape(const RpcOutcome& outcome) {
  return outcome.code + "|" + outcome.message + "|" + outcome.reason + "|" + outcome.domain + "|" +
         outcome.param + "|" + outcome.details_code + "|" + outcome.details_message;
}

TEST_CASE("a session and a key pair get the relations that they may see") {
  TestServer server;
  RpcClient client(server.address());
  for (const Headers& headers :
       {server.Session({"public"}, {"user"}), server.KeyPair({"public"}, {"admin"})}) {
    const auto answer = Answer(client.Call(kGetRelations, Request("ip-a"), headers));
    REQUIRE(answer.nodes_size() == 2);
    CHECK(answer.nodes(0).id() == "ip-a");
    CHECK(answer.nodes(1).id() == "domain-b");
    REQUIRE(answer.nodes(1).visible_by_size() == 1);
    CHECK(answer.nodes(1).visible_by(0) == "public");
    REQUIRE(answer.relations_size() == 1);
    CHECK(answer.relations(0).source() == "ip-a");
    CHECK(answer.relations(0).target() == "domain-b");
    CHECK(answer.relations(0).type() == "resolves-to");
    CHECK(answer.relations(0).mode() == "association");
    CHECK(answer.relations(0).last_seen().seconds() == 1700000000);
    CHECK(answer.stop_reason() == v1::STOP_REASON_COMPLETE);
  }
  const auto all = Answer(
      client.Call(kGetRelations, Request("ip-a"), server.Session({"public", "secret"}, {"user"})));
  CHECK(all.nodes_size() == 3);
  CHECK(all.relations_size() == 2);
}

TEST_CASE("limit, types and the stop reason reach the walk") {
  TestServer server;
  RpcClient client(server.address());
  const Headers headers = server.Session({"public", "secret"}, {"user"});
  auto limited = Request("ip-a");
  limited.set_limit(1);
  const auto answer = Answer(client.Call(kGetRelations, limited, headers));
  CHECK(answer.nodes_size() == 2);
  CHECK(answer.stop_reason() == v1::STOP_REASON_LIMIT);
  auto typed = Request("domain-b");
  typed.add_types("domain");
  CHECK(Answer(client.Call(kGetRelations, typed, headers)).nodes_size() == 1);
}

TEST_CASE("groups and user-id metadata of a client change nothing") {
  TestServer server;
  RpcClient client(server.address());
  const Headers asserted = {{"groups", "secret"},
                            {"user-id", "7e57e57e-0000-4000-8000-00000000000f"}};
  const Headers headers = server.Session({"public"}, {"user"});
  const auto plain = client.Call(kGetRelations, Request("ip-a"), headers);
  const auto more = client.Call(kGetRelations, Request("ip-a"), Joined(headers, asserted));
  CHECK(plain.code == "OK");
  CHECK(plain.answer == more.answer);
  CHECK(client.Call(kGetRelations, Request("ip-a"), asserted).code == "UNAUTHENTICATED");
}

TEST_CASE("all failures of authentication look the same") {
  TestServer server;
  RpcClient client(server.address());
  const Headers pair = server.KeyPair({"public"}, {"user"});
  const Headers session = server.Session({"public"}, {"user"});
  const std::string bearer = session[0].second;
  const std::vector<Headers> refused = {
      {},
      {{"authorization", ""}},
      {{"authorization", "Basic abc"}},
      {{"authorization", "Bearer unknown"}},
      {{"authorization", bearer + "x"}},
      {{"authorization", bearer}, {"authorization", bearer}},
      {pair[0]},
      {pair[1]},
      {pair[0], {"api-secret", ""}},
      {pair[0], {"api-secret", "wrong"}},
      {{"api-key", "unknown"}, pair[1]},
      {pair[0], pair[0], pair[1]},
      {{"api-key", pair[1].second}, {"api-secret", pair[0].second}},
      // The key pair is good, but the authorization header decides alone.
      {{"authorization", "Bearer unknown"}, pair[0], pair[1]}};
  const std::string shape =
      "UNAUTHENTICATED|authentication failed|unauthenticated|relations.v1||UNAUTHENTICATED|"
      "authentication failed";
  for (size_t row = 0; row < refused.size(); ++row) {
    CAPTURE(row);
    const RpcOutcome outcome = client.Call(kGetRelations, Request("ip-a"), refused[row]);
    CHECK(Shape(outcome) == shape);
    CHECK(outcome.error_id.size() == 36);
  }
  CHECK(client.Call(kGetRelations, Request("ip-a"), session).code == "OK");
}

TEST_CASE("a stranger learns nothing of parameters, a caller without a role nothing of entities") {
  TestServer server;
  RpcClient client(server.address());
  const std::string no_message = "\xFF\xFF\xFF";
  CHECK(client.Call(kGetRelations, Request("?"), {}).code == "UNAUTHENTICATED");
  CHECK(client.Call(kGetRelations, no_message, {}).code == "UNAUTHENTICATED");

  const Headers reporter = server.Session({"public"}, {"reporter"});
  for (const char* id : {"?", "ip-a", "ip-missing"}) {
    const RpcOutcome outcome = client.Call(kGetRelations, Request(id), reporter);
    CHECK(outcome.code == "PERMISSION_DENIED");
    CHECK(outcome.reason == "permission_denied");
  }
  const Headers user = server.Session({"public"}, {"user"});
  const RpcOutcome malformed = client.Call(kGetRelations, no_message, user);
  CHECK(malformed.code == "INVALID_ARGUMENT");
  CHECK(malformed.reason == "malformed_request");
  const RpcOutcome invalid = client.Call(kGetRelations, Request("?"), user);
  CHECK(invalid.code == "INVALID_ARGUMENT");
  CHECK(invalid.reason == "invalid_id");
  CHECK(invalid.param == "id");
}

TEST_CASE("a missing entity and a hidden one cannot be told apart") {
  TestServer server;
  RpcClient client(server.address());
  const Headers headers = server.Session({"public"}, {"user"});
  const RpcOutcome missing = client.Call(kGetRelations, Request("ip-d"), headers);
  const RpcOutcome hidden = client.Call(kGetRelations, Request("ip-c"), headers);
  CHECK(missing.code == "NOT_FOUND");
  CHECK(missing.reason == "not_found");
  CHECK(Shape(missing) == Shape(hidden));
  CHECK(missing.error_id != hidden.error_id);
  CHECK(client.Call(kGetRelations, Request("ip-a"), server.Session({}, {"user"})).code ==
        "NOT_FOUND");
}

TEST_CASE("damage in the store is an error without details, not a shorter answer") {
  TestServer::Options options;
  options.before_view = [] { return absl::DataLossError("000012.sst: bad checksum"); };
  TestServer server(options);
  RpcClient client(server.address());
  const RpcOutcome outcome =
      client.Call(kGetRelations, Request("ip-a"), server.Session({"public"}, {"user"}));
  CHECK(outcome.code == "DATA_LOSS");
  CHECK(outcome.message == "internal error");
  CHECK(outcome.answer.empty());
}

TEST_CASE("a walk that passes the server's maximum is an error, never a shorter answer") {
  TestServer::Options options;
  options.max_request = absl::Milliseconds(20);
  options.before_view = [] {
    // Longer than the maximum, which counts from the call's arrival.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(25);
    while (std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return absl::OkStatus();
  };
  TestServer server(options);
  RpcClient client(server.address());
  const RpcOutcome outcome =
      client.Call(kGetRelations, Request("ip-a"), server.Session({"public"}, {"user"}));
  CHECK(outcome.code == "DEADLINE_EXCEEDED");
  CHECK(outcome.reason == "deadline_exceeded");
  CHECK(outcome.answer.empty());
}

TEST_CASE("a method that no service has is refused like everything else, with its details") {
  TestServer server;
  RpcClient client(server.address());
  for (const char* method : {"/relations.v1.RelationsService/Nothing", "/nobody.v1.Service/Do"}) {
    CAPTURE(method);
    const RpcOutcome outcome = client.Call(method, "", server.Session({"public"}, {"user"}));
    CHECK(outcome.code == "UNIMPLEMENTED");
    CHECK(outcome.reason == "unimplemented");
    CHECK(outcome.domain == "relations.v1");
    CHECK(outcome.error_id.size() == 36);
    CHECK(outcome.message == "the server has no such method");
  }
}

TEST_CASE("a call over the number in flight is refused at once on the same connection too") {
  std::latch entered(1);
  std::latch release(1);
  TestServer::Options options;
  options.workers = 1;
  options.max_in_flight = 1;
  options.before_view = [&] {
    entered.count_down();
    release.wait();
    return absl::OkStatus();
  };
  TestServer server(options);
  RpcClient client(server.address());
  const Headers headers = server.Session({"public"}, {"user"});
  PendingRpc runs = client.Start(kGetRelations, Request("ip-a").SerializeAsString(), headers);
  entered.wait();
  const RpcOutcome refused = client.Call(kGetRelations, Request("ip-a"), headers);
  CHECK(refused.code == "UNAVAILABLE");
  CHECK(refused.message == "the server is overloaded");
  CHECK(refused.retry_after == "1");
  release.count_down();
  CHECK(runs.Wait().code == "OK");
}

TEST_CASE("health and reflection answer without credentials") {
  TestServer server;
  RpcClient client(server.address());
  for (const char* service : {"", "relations.v1.RelationsService", "relations.v1.AdminService"}) {
    CAPTURE(service);
    CHECK(client.Call(kHealthCheck, HealthRequest(service), {}).answer == kServing);
  }
  CHECK(client.Call(kHealthCheck, HealthRequest("unknown.Service"), {}).code == "NOT_FOUND");
  // list_services: ""
  RpcStream reflection = client.Open(kReflection, std::string("\x3A\x00", 2));
  const std::optional<std::string> services = reflection.Read();
  REQUIRE(services.has_value());
  CHECK(services->find("relations.v1.RelationsService") != std::string::npos);
  CHECK(services->find("relations.v1.AdminService") != std::string::npos);
  CHECK(services->find("grpc.health.v1.Health") != std::string::npos);
}

TEST_CASE("draining finishes what is in flight, refuses what is new and tells health watchers") {
  std::latch entered(1);
  std::latch release(1);
  TestServer::Options options;
  options.before_view = [&] {
    entered.count_down();
    release.wait();
    return absl::OkStatus();
  };
  TestServer server(options);
  RpcClient client(server.address());
  const Headers headers = server.Session({"public"}, {"user"});
  RpcStream watch = client.Open(kHealthWatch, HealthRequest("relations.v1.RelationsService"));
  REQUIRE(watch.Read() == kServing);
  PendingRpc in_flight = client.Start(kGetRelations, Request("ip-a").SerializeAsString(), headers);
  entered.wait();

  std::atomic<bool> finished = false;
  std::thread drain([&] { finished = server.server().Drain(absl::Seconds(60)); });
  CHECK(watch.Read() == kNotServing);
  const RpcOutcome refused = client.Call(kGetRelations, Request("ip-a"), headers);
  CHECK(refused.code == "UNAVAILABLE");
  CHECK(refused.reason == "unavailable");
  CHECK_FALSE(finished);
  release.count_down();
  CHECK(Answer(in_flight.Wait()).nodes_size() == 2);
  drain.join();
  CHECK(finished);
}

TEST_CASE("draining cancels what outlasts the timeout and says so") {
  std::latch entered(1);
  std::latch release(1);
  TestServer::Options options;
  options.before_view = [&] {
    entered.count_down();
    release.wait();
    return absl::OkStatus();
  };
  TestServer server(options);
  RpcClient client(server.address());
  PendingRpc in_flight = client.Start(kGetRelations, Request("ip-a").SerializeAsString(),
                                      server.Session({"public"}, {"user"}));
  entered.wait();
  bool finished = true;
  std::thread drain([&] { finished = server.server().Drain(absl::Milliseconds(1)); });
  CHECK(in_flight.Wait().code != "OK");
  release.count_down();
  drain.join();
  CHECK_FALSE(finished);
}

TEST_CASE("a busy address and plain text on the network are refused") {
  TestServer server;
  ServerOptions options;
  options.listen = {*ParseListenAddress(server.address())};
  CHECK(RelationsServer::Start(options, {}).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  options.listen = {*ParseListenAddress("0.0.0.0:0")};
  const absl::Status plain = RelationsServer::Start(options, {}).status();
  CHECK(plain.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::string(plain.message()).find("--allow-plaintext") != std::string::npos);

  options.listen = {*ParseListenAddress("127.0.0.1:0")};
  const auto first = RelationsServer::Start(options, {});
  REQUIRE(first.ok());
  const std::string address = first.value()->addresses().front();
  CHECK(address != "127.0.0.1:0");
  options.listen = {*ParseListenAddress("127.0.0.1:0"), *ParseListenAddress(address)};
  const absl::Status busy = RelationsServer::Start(options, {}).status();
  CHECK(busy.code() == absl::StatusCode::kUnavailable);
  CHECK(std::string(busy.message()) == "cannot listen on " + address + ": Address already in use");
}

}  // namespace
}  // namespace relations
