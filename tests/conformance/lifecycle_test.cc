// Starting, stopping, losing each other, and refusing to start: the two servers as their operator
// meets them.
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "storage/rocks/database.h"
#include "storage/rocks/key_format.h"
#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kGraph[] = R"({"id":"ip-a","type":"ip","attributes":{"ip":"192.0.2.1"}}
{"id":"ip-b","type":"ip","attributes":{"ip":"192.0.2.2"}}
{"source":"ip-a","target":"ip-b"}
)";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Asks until the status comes, which must be within the patience of a restart.
RawAnswer AskUntil(int status, RestClient& client, const std::string& request) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  RawAnswer answer = client.Ask(request);
  while (answer.status != status && std::chrono::steady_clock::now() < end) {
    // A pause between two tries, as a client makes it; what is waited for is the status.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    answer = client.Ask(request);
  }
  CHECK(answer.status == status);
  return answer;
}

TEST_CASE("a gateway outlives its server: 503 while it is away, answers when it is back") {
  SystemUnderTest system(kGraph);
  const Credential reader = system.CreateKeyPair("public", "user");
  const std::string request = RequestText(RelationsPath("ip-a"), reader.Fields());
  system.StartGateway();
  RestClient client(system.rest());

  // Before the server's first start.
  CheckError(client.Ask(request), {503, "unavailable", ""});
  CheckError(client.Get("/readyz"), {503, "unavailable", ""});
  CHECK(client.Get("/healthz").status == 200);
  // A stranger learns no more.
  CheckError(client.Get(RelationsPath("nohyphen")), {503, "unavailable", ""});

  system.StartServer();
  const RawAnswer first = AskUntil(200, client, request);
  CheckAnswered(first);
  const std::string& body = first.body;
  AskUntil(200, client, RequestText("/readyz"));

  CHECK(system.StopServer() == 0);
  CheckError(client.Ask(request), {503, "unavailable", ""});
  CheckError(client.Get("/readyz"), {503, "unavailable", ""});

  system.StartServer();
  CHECK(AskUntil(200, client, request).body == body);

  // A server that was killed leaves its socket, which the next one takes over.
  system.server().Signal(SIGKILL);
  CHECK(system.server().Wait() == -SIGKILL);
  CheckError(AskUntil(503, client, request), {503, "unavailable", ""});
  system.StartServer();
  CHECK(AskUntil(200, client, request).body == body);
  CHECK(system.StopGateway() == 0);
  CHECK(system.StopServer() == 0);
}

TEST_CASE("SIGTERM while requests come: each is answered whole or its connection ends") {
  for (const bool stop_gateway : {true, false}) {
    CAPTURE(stop_gateway);
    SystemUnderTest system(kGraph);
    const Credential reader = system.CreateKeyPair("public", "user");
    system.StartServer();
    system.StartGateway();
    const std::string request = RequestText(RelationsPath("ip-a"), reader.Fields());
    std::string body;
    {
      RestClient client(system.rest());
      body = client.Ask(request).body;
    }
    RawClient client(system.rest());
    int answered = 0;
    bool signalled = false;
    std::optional<RawAnswer> answer;
    while (answered < 2000 && client.Send(request) && (answer = client.Read()).has_value()) {
      if (answer->status == 200) {
        CHECK(answer->body == body);
      } else {
        REQUIRE(signalled);
        CheckError(*answer, {503, "unavailable", ""});
        if (!stop_gateway) break;
      }
      if (++answered == 50) {
        (stop_gateway ? system.gateway() : system.server()).Signal(SIGTERM);
        signalled = true;
      }
      if (answer->field("connection") == "close") break;
    }
    CHECK(answered >= 50);
    CHECK(answered < 2000);
    CHECK((stop_gateway ? system.gateway() : system.server()).Wait() == 0);
  }
}

TEST_CASE("a server that does not answer in time is an error, never a shorter answer") {
  SystemUnderTest system(kGraph);
  const Credential reader = system.CreateKeyPair("public", "user");
  const std::string request = RequestText(RelationsPath("ip-a"), reader.Fields());
  system.StartServer();
  system.StartGateway({"--request-timeout-ms", "300"});
  RestClient client(system.rest());
  RpcClient rpc(system.socket());
  const std::string question("\x0A\x04ip-a");
  // As often as the gateway has connections to the server, so that each is made.
  for (int i = 0; i < 4; ++i) CheckAnswered(AskUntil(200, client, request));
  CHECK(rpc.Call(kGetRelations, question, reader.Metadata()).code == "OK");

  system.server().Freeze();
  CheckError(client.Ask(request), {504, "deadline_exceeded", ""});
  const RpcOutcome late =
      rpc.Call(kGetRelations, question, reader.Metadata(), std::chrono::milliseconds(200));
  CHECK(late.code == "DEADLINE_EXCEEDED");
  CHECK(late.answer.empty());
  CHECK(client.Get("/healthz").status == 200);

  system.server().Signal(SIGCONT);
  CheckAnswered(AskUntil(200, client, request));
}

TEST_CASE("a gateway that is told to stop answers what it has taken on, and nothing more") {
  SystemUnderTest system(kGraph);
  const Credential reader = system.CreateKeyPair("public", "user");
  const std::string request = RequestText(RelationsPath("ip-a"), reader.Fields());
  system.StartServer();
  system.StartGateway();
  RawClient waiting(system.rest());
  REQUIRE(waiting.Ask(request).has_value());
  RawClient idle(system.rest());
  REQUIRE(idle.Ask(request).has_value());

  system.server().Freeze();
  REQUIRE(waiting.Send(request));
  // The gateway reads it meanwhile; nothing comes back.
  CHECK_FALSE(waiting.Readable(200));
  system.gateway().Signal(SIGTERM);
  CHECK(idle.Ends());
  system.server().Signal(SIGCONT);
  const auto answer = waiting.Read();
  REQUIRE(answer.has_value());
  CheckAnswered(*answer);
  CHECK(answer->field("connection") == "close");
  CHECK(waiting.Ends());
  CHECK(system.gateway().Wait() == 0);
  CHECK_FALSE(RawClient::CanConnect(system.rest()));
}

TEST_CASE("both programs stop with 0 on SIGTERM and on SIGINT and leave their sockets clean") {
  for (const int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    SystemUnderTest system(kGraph);
    system.StartServer();
    system.StartGateway();
    RawClient idle(system.rest());
    system.gateway().Signal(signal);
    CHECK(system.gateway().Wait() == 0);
    CHECK(idle.Ends());
    system.server().Signal(signal);
    CHECK(system.server().Wait() == 0);
    struct stat file = {};
    CHECK(stat(system.file("socket").c_str(), &file) != 0);
    CHECK_FALSE(RawClient::CanConnect(system.rest()));
  }
}

// A program that must not start: what it says and its exit code.
void CheckRefuses(const std::string& program, const std::vector<std::string>& arguments,
                  int exit_code, const std::vector<std::string>& said) {
  CAPTURE(program, arguments);
  ProcessUnderTest process(program, arguments);
  CHECK(process.ReadLine().empty());
  CHECK(process.Wait() == exit_code);
  const std::string errors = process.Errors();
  CAPTURE(errors);
  for (const std::string& part : said) {
    CAPTURE(part);
    CHECK(Contains(errors, part));
  }
}

TEST_CASE("a busy port is named by whoever wants it") {
  SystemUnderTest system(kGraph);
  SystemUnderTest other(kGraph);
  system.StartServer({"--listen", "127.0.0.1:0"});
  const std::string rpc = system.server().ReadAddress();
  REQUIRE_FALSE(rpc.empty());
  system.StartGateway();
  CheckRefuses(ServerProgram(), {"--data", other.data(), "--listen", rpc, "--cache-mb", "8"}, 1,
               {"cannot listen on " + rpc, "in use"});
  CheckRefuses(ServerProgram(),
               {"--data", other.data(), "--listen", system.socket(), "--cache-mb", "8"}, 1,
               {"cannot listen on " + system.socket()});
  CheckRefuses(GatewayProgram(), {"--backend", system.socket(), "--listen", system.rest()}, 1,
               {"cannot listen on " + system.rest(), "in use"});
  // Neither has done the first one any harm.
  RestClient client(system.rest());
  CHECK(client.Get("/readyz").status == 200);
}

TEST_CASE("a data directory that cannot be served is refused with its name and the reason") {
  SystemUnderTest system(kGraph);
  const std::string socket = "unix:" + system.file("other");
  const auto refuses = [&](const std::string& data, const std::vector<std::string>& said) {
    CheckRefuses(ServerProgram(), {"--data", data, "--listen", socket, "--cache-mb", "8"}, 1, said);
    const ProgramResult stats = RunCtl({"--data", data, "stats"});
    CAPTURE(data, stats.err);
    CHECK(stats.exit_code != 0);
    CHECK(stats.out.empty());
    for (const std::string& part : said) {
      if (part != "--create-if-missing") CHECK(Contains(stats.err, part));
    }
  };
  refuses(system.file("missing"), {"missing", "--create-if-missing"});
  mkdir(system.file("empty").c_str(), 0700);
  refuses(system.file("empty"), {"empty", "--create-if-missing"});
  mkdir(system.file("foreign").c_str(), 0700);
  WriteFile(system.file("foreign") + "/letter.txt", "not a store");
  refuses(system.file("foreign"), {"foreign"});
  WriteFile(system.file("plain"), "a file");
  refuses(system.file("plain"), {"plain"});
  CHECK(ReadFile(system.file("foreign") + "/letter.txt") == "not a store");

  system.StartServer();
  refuses(system.data(), {system.data()});
  CHECK(system.StopServer() == 0);

  {
    auto database = RocksDatabase::Open({system.data(), OpenMode::kExisting, uint64_t{8} << 20});
    REQUIRE(database.ok());
    const auto created = (*database)->Get(Family::kMeta, "created");
    REQUIRE(created.ok());
    REQUIRE(created->has_value());
    const std::string newer =
        std::to_string(kFormatVersion + 1) + (*created)->substr((*created)->find('\n'));
    rocksdb::WriteBatch batch;
    REQUIRE(batch.Put((*database)->family(Family::kMeta), "created", newer).ok());
    REQUIRE((*database)->Write(batch).ok());
    REQUIRE((*database)->Close().ok());
  }
  refuses(system.data(), {system.data(), "format " + std::to_string(kFormatVersion + 1)});
}

TEST_CASE("damage in the store is our fault: the client learns nothing of it, the log everything") {
  SystemUnderTest system(kGraph);
  const Credential reader = system.CreateKeyPair("public", "user");
  {
    auto database = RocksDatabase::Open({system.data(), OpenMode::kExisting, uint64_t{8} << 20});
    REQUIRE(database.ok());
    rocksdb::WriteBatch batch;
    REQUIRE((*database)
                ->ForEach(Family::kEntities, "",
                          [&](absl::string_view key, absl::string_view) {
                            batch.Put((*database)->family(Family::kEntities),
                                      rocksdb::Slice(key.data(), key.size()), "\xFF not a record");
                            return absl::OkStatus();
                          })
                .ok());
    REQUIRE(batch.Count() == 2);
    REQUIRE((*database)->Write(batch).ok());
    REQUIRE((*database)->Close().ok());
  }
  system.StartServer();
  system.StartGateway();
  RestClient client(system.rest());
  const RawAnswer answer = client.Get(RelationsPath("ip-a"), reader.Fields());
  CheckError(answer, {500, "internal", ""});
  CHECK(answer.field("x-error") == "internal error");
  RpcClient rpc(system.socket());
  const RpcOutcome outcome =
      rpc.Call(kGetRelations, std::string("\x0A\x04ip-a"), reader.Metadata());
  CHECK(outcome.code == "DATA_LOSS");
  CHECK(outcome.message == "internal error");
  CHECK(outcome.reason == "internal");
  // What cannot be read is not said to be missing, and the rest goes on.
  CheckError(client.Get(RelationsPath("ip-none"), reader.Fields()), {404, "not_found", ""});
  system.server().Signal(SIGTERM);
  CHECK(system.server().Wait() == 0);
  const std::string log = system.server().Errors();
  CAPTURE(log);
  CHECK(Contains(log, answer.field("x-error-id")));
  CHECK(Contains(log, "DATA_LOSS"));
  CHECK(system.StopGateway() == 0);
}

TEST_CASE("an error id leads to the lines of both logs, and no secret is in them") {
  SystemUnderTest system(kGraph);
  const Credential reader = system.CreateKeyPair("public", "user");
  system.StartServer();
  system.StartGateway();
  RestClient client(system.rest());
  const RawAnswer answer =
      client.Get(RelationsPath("ip-none"), reader.Fields() + "x-request-id: request-7\r\n");
  CheckError(answer, {404, "not_found", ""});
  const RawAnswer denied = client.Get(RelationsPath("ip-none"), "x-request-id: request-8\r\n");
  system.server().Signal(SIGTERM);
  CHECK(system.server().Wait() == 0);
  const std::string server_log = system.server().Errors();
  for (const RawAnswer& told : {answer, denied}) {
    CHECK(Contains(server_log, told.field("x-error-id")));
    CHECK(Contains(server_log, told.field("x-request-id")));
  }
  const RawAnswer away = client.Get(RelationsPath("ip-a"), reader.Fields());
  CheckError(away, {503, "unavailable", ""});
  system.gateway().Signal(SIGTERM);
  CHECK(system.gateway().Wait() == 0);
  const std::string log = system.gateway().Errors();
  for (const RawAnswer& told : {answer, denied, away}) {
    CHECK(Contains(log, told.field("x-error-id")));
    CHECK(Contains(log, told.field("x-request-id")));
  }
  for (const std::string& secret : {reader.api_key, reader.api_secret}) {
    CHECK_FALSE(Contains(log, secret));
    CHECK_FALSE(Contains(server_log, secret));
  }
}

}  // namespace
}  // namespace relations
