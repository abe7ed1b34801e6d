// The path of a call, with a handler of the test's own: what it can see, and how it ends.
#include "server/unary_call.h"

#include <future>
#include <latch>
#include <regex>
#include <thread>

#include "grpcpp/server_builder.h"
#include "relations/v1/relations.grpc.pb.h"
#include "storage/base/public_error.h"
#include "tests/server/rpc_client.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// Knows one token; "down" makes it unable to tell. Of "later" it knows at Release.
class OneToken final : public Authenticator {
 public:
  void WaitForLater() { asked_.wait(); }
  void Release(const Verdict& verdict) { later_(verdict); }

  std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time,
                                      Later later) override {
    if (credentials.bearer == "later") {
      later_ = std::move(later);
      asked_.count_down();
      return std::nullopt;
    }
    if (credentials.bearer == "down") {
      return absl::UnavailableError("the session service at 192.0.2.7 does not answer");
    }
    if (credentials.bearer != "good") return absl::UnauthenticatedError("not that token");
    Principal principal;
    principal.roles = {"user"};
    return principal;
  }

 private:
  std::latch asked_{1};
  Later later_;
};

class HandlerService final : public v1::RelationsService::WithRawCallbackMethod_GetRelations<
                                 v1::RelationsService::Service> {
 public:
  HandlerService(const CallEnvironment& environment, UnaryMethod method)
      : environment_(environment), method_(std::move(method)) {}
  grpc::ServerUnaryReactor* GetRelations(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* answer) override {
    return ServeUnary(environment_, method_, context, request, answer);
  }

 private:
  const CallEnvironment& environment_;
  const UnaryMethod method_;
};

class HandlerServer {
 public:
  explicit HandlerServer(UnaryHandler handler, absl::Duration max_request = absl::Seconds(60),
                         size_t max_in_flight = 1)
      : workers_({1, max_in_flight}),
        environment_{&authenticator_, &workers_, &gate_, max_request},
        service_(environment_, {"Test", {"user"}, std::move(handler)}) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~HandlerServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "unix:" + (directory_ / "socket"); }
  OneToken& authenticator() { return authenticator_; }

 private:
  TempDir directory_;
  OneToken authenticator_;
  CallGate gate_;
  WorkerPool workers_;
  CallEnvironment environment_;
  HandlerService service_;
  std::unique_ptr<grpc::Server> server_;
};

const Headers kGood = {{"authorization", "Bearer good"}};

absl::Status UntilDead(Call& call) {
  while (call.CheckAlive().ok()) {
    std::this_thread::yield();
  }
  return call.CheckAlive();
}

absl::Status Greet(Call&, const grpc::ByteBuffer&, grpc::ByteBuffer& answer) {
  const grpc::Slice slice("hi");
  answer = grpc::ByteBuffer(&slice, 1);
  return absl::OkStatus();
}

TEST_CASE("a call whose verdict comes later holds no worker, and goes on with it") {
  const std::vector<std::pair<Verdict, std::string>> rows = {
      {Principal{"", "", {}, {"user"}}, "OK"},
      {Principal{"", "", {}, {"guest"}}, "PERMISSION_DENIED"},
      {absl::UnauthenticatedError("not that one"), "UNAUTHENTICATED"},
      {absl::UnavailableError("192.0.2.7 is away"), "UNAVAILABLE"}};
  for (const auto& [verdict, code] : rows) {
    CAPTURE(code);
    HandlerServer server(Greet, absl::Seconds(60), 2);
    RpcClient client(server.address());
    PendingRpc waiting = client.Start(kGetRelations, "", {{"authorization", "Bearer later"}});
    server.authenticator().WaitForLater();
    // There is one worker.
    CHECK(client.Call(kGetRelations, "", kGood).code == "OK");
    server.authenticator().Release(verdict);
    const RpcOutcome outcome = waiting.Wait();
    CHECK(outcome.code == code);
    CHECK(outcome.message.find("192.0.2.7") == std::string::npos);
  }
}

TEST_CASE("a client that leaves ends the work for it") {
  std::latch entered(1);
  std::promise<absl::Status> seen;
  const HandlerServer server([&](Call& call, const grpc::ByteBuffer&, grpc::ByteBuffer&) {
    entered.count_down();
    absl::Status status = UntilDead(call);
    seen.set_value(status);
    return status;
  });
  RpcClient client(server.address());
  PendingRpc call = client.Start(kGetRelations, "", kGood);
  entered.wait();
  call.Cancel();
  CHECK(call.Wait().code == "CANCELLED");
  CHECK(seen.get_future().get().code() == absl::StatusCode::kCancelled);
}

TEST_CASE("the server's maximum ends a call of a client that sets no near deadline") {
  const HandlerServer server(
      [](Call& call, const grpc::ByteBuffer&, grpc::ByteBuffer&) { return UntilDead(call); },
      absl::Milliseconds(20));
  RpcClient client(server.address());
  const RpcOutcome outcome = client.Call(kGetRelations, "", kGood);
  CHECK(outcome.code == "DEADLINE_EXCEEDED");
  CHECK(outcome.reason == "deadline_exceeded");
  CHECK(outcome.answer.empty());
}

TEST_CASE("the client's deadline ends a call before the server's maximum") {
  std::promise<absl::Status> seen;
  const HandlerServer server([&](Call& call, const grpc::ByteBuffer&, grpc::ByteBuffer&) {
    absl::Status status = UntilDead(call);
    seen.set_value(status);
    return status;
  });
  RpcClient client(server.address());
  CHECK(client.Call(kGetRelations, "", kGood, std::chrono::milliseconds(200)).code ==
        "DEADLINE_EXCEEDED");
  CHECK_FALSE(seen.get_future().get().ok());
}

TEST_CASE("a call over the number in flight is refused at once") {
  std::latch entered(1);
  std::latch release(1);
  const HandlerServer server([&](Call&, const grpc::ByteBuffer&, grpc::ByteBuffer& answer) {
    entered.count_down();
    release.wait();
    const grpc::Slice empty;
    answer = grpc::ByteBuffer(&empty, 1);
    return absl::OkStatus();
  });
  RpcClient client(server.address());
  PendingRpc first = client.Start(kGetRelations, "", kGood);
  entered.wait();
  const RpcOutcome second = client.Call(kGetRelations, "", kGood);
  CHECK(second.code == "UNAVAILABLE");
  CHECK(second.reason == "unavailable");
  CHECK(second.retry_after == "1");
  release.count_down();
  CHECK(first.Wait().code == "OK");
}

TEST_CASE("nothing of an answer is sent with an error") {
  const HandlerServer server([](Call&, const grpc::ByteBuffer&, grpc::ByteBuffer& answer) {
    const grpc::Slice half("half an answer");
    answer = grpc::ByteBuffer(&half, 1);
    return absl::DataLossError("block 7 is damaged");
  });
  RpcClient client(server.address());
  const RpcOutcome outcome = client.Call(kGetRelations, "", kGood);
  CHECK(outcome.code == "DATA_LOSS");
  CHECK(outcome.message == "internal error");
  CHECK(outcome.reason == "internal");
  CHECK(outcome.answer.empty());
}

TEST_CASE(
    "an authenticator that cannot tell makes the service unavailable, not the caller unknown") {
  const HandlerServer server(
      [](Call&, const grpc::ByteBuffer&, grpc::ByteBuffer&) { return absl::OkStatus(); });
  RpcClient client(server.address());
  const RpcOutcome outcome = client.Call(kGetRelations, "", {{"authorization", "Bearer down"}});
  CHECK(outcome.code == "UNAVAILABLE");
  CHECK(outcome.message == "service unavailable");
}

TEST_CASE("each error has a fresh error id, a lower-case UUID of version 4") {
  const HandlerServer server([](Call&, const grpc::ByteBuffer&, grpc::ByteBuffer&) {
    return PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such entity");
  });
  RpcClient client(server.address());
  const RpcOutcome first = client.Call(kGetRelations, "", kGood);
  const RpcOutcome second = client.Call(kGetRelations, "", kGood);
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  CHECK(std::regex_match(first.error_id, uuid));
  CHECK(std::regex_match(second.error_id, uuid));
  CHECK(first.error_id != second.error_id);
  CHECK(first.domain == "relations.v1");
  CHECK(first.details_code == "NOT_FOUND");
  CHECK(first.details_message == "no such entity");
}

}  // namespace
}  // namespace relations
