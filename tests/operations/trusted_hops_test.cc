// TLS, and who may speak for others.
#include <signal.h>
#include <unistd.h>

#include "server/trusted_hops.h"
#include "tests/ctl/run_program.h"
#include "tests/server/rpc_client.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/test_authority.h"

namespace relations {
namespace {

// Authenticated, and then the empty id is refused.
constexpr char kKnown[] = "INVALID_ARGUMENT";
const Headers kAsserted = {{"user-id", "7e57e57e-0000-4000-8000-000000000001"},
                           {"groups", "public"}};

TEST_CASE("groups that a hop asserts are joined, trimmed and judged") {
  const TrustedHops hops{{}, {}, {"user"}};
  const auto principal = AssertedPrincipal(hops, {"u-1"}, {"b, a ,", ",,c", ""});
  REQUIRE(principal.ok());
  REQUIRE(principal->has_value());
  CHECK((*principal)->user_id == "u-1");
  CHECK((*principal)->groups == GroupSet{"a", "b", "c"});
  CHECK((*principal)->roles == std::vector<std::string>{"user"});
  CHECK_FALSE(AssertedPrincipal(hops, {}, {"a"})->has_value());
  CHECK_FALSE(AssertedPrincipal(hops, {"u", "v"}, {}).ok());
  CHECK_FALSE(AssertedPrincipal(hops, {""}, {}).ok());
  CHECK_FALSE(AssertedPrincipal(hops, {"u"}, {"a\x01z"}).ok());
}

TEST_CASE("a process of a trusted user asserts over a unix socket, one of another user cannot") {
  const uint32_t own = getuid();
  for (const uint32_t trusted : {own, own + 1}) {
    CAPTURE(trusted);
    const TempDir directory;
    ProcessUnderTest server(ServerProgram(),
                            {"--data", directory / "store", "--create-if-missing", "--listen",
                             "unix:" + (directory / "socket"), "--cache-mb", "8", "--trusted-uids",
                             std::to_string(trusted)});
    RpcClient client(server.ReadAddress());
    CHECK(client.Call(kGetRelations, "", kAsserted).code ==
          (trusted == own ? kKnown : "UNAUTHENTICATED"));
    CHECK(client.Call(kGetRelations, "", {}).code == "UNAUTHENTICATED");
    server.Signal(SIGTERM);
    CHECK(server.Wait() == 0);
    CHECK(access((directory / "socket").c_str(), F_OK) != 0);
  }
}

TEST_CASE("without trusted hops the headers of one are ignored") {
  const TempDir directory;
  ProcessUnderTest server(ServerProgram(),
                          {"--data", directory / "store", "--create-if-missing", "--listen",
                           "unix:" + (directory / "socket"), "--cache-mb", "8"});
  RpcClient client(server.ReadAddress());
  CHECK(client.Call(kGetRelations, "", kAsserted).code == "UNAUTHENTICATED");
}

struct TlsServerProcess {
  TlsServerProcess(const std::vector<std::string>& more) {
    authority.Issue("server.test", directory / "server.pem", directory / "server.key");
    authority.Issue("gateway.test", directory / "gateway.pem", directory / "gateway.key");
    authority.Issue("other.test", directory / "other.pem", directory / "other.key");
    std::vector<std::string> arguments = {"--data",
                                          directory / "store",
                                          "--create-if-missing",
                                          "--cache-mb",
                                          "8",
                                          "--listen",
                                          "127.0.0.1:0",
                                          "--tls-cert",
                                          directory / "server.pem",
                                          "--tls-key",
                                          directory / "server.key",
                                          "--tls-refresh-s",
                                          "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process = std::make_unique<ProcessUnderTest>(ServerProgram(), arguments);
    address = process->ReadAddress();
  }
  TlsFiles Client(const std::string& name) const {
    if (name.empty()) return {"", "", directory / "ca.pem"};
    return {directory / (name + ".pem"), directory / (name + ".key"), directory / "ca.pem"};
  }

  TempDir directory;
  TestAuthority authority{directory / "ca.pem"};
  std::unique_ptr<ProcessUnderTest> process;
  std::string address;
};

std::string CodeOf(RpcClient&& client, const Headers& headers) {
  return client.Call(kGetRelations, "", headers, std::chrono::seconds(20)).code;
}

TEST_CASE(
    "a server with a certificate speaks TLS alone, to those who know its authority and name") {
  TlsServerProcess server({});
  REQUIRE_FALSE(server.address.empty());
  CHECK(CodeOf(RpcClient(server.address, server.Client(""), "server.test"), {}) ==
        "UNAUTHENTICATED");
  CHECK(CodeOf(RpcClient(server.address, server.Client(""), "wrong.test"), {}) == "UNAVAILABLE");
  CHECK(CodeOf(RpcClient(server.address), {}) == "UNAVAILABLE");
  const TempDir elsewhere;
  const TestAuthority stranger(elsewhere / "ca.pem");
  CHECK(CodeOf(RpcClient(server.address, {"", "", elsewhere / "ca.pem"}, "server.test"), {}) ==
        "UNAVAILABLE");
}

TEST_CASE("the files of TLS count anew when they change") {
  TlsServerProcess server({});
  CHECK(CodeOf(RpcClient(server.address, server.Client(""), "server.test"), {}) ==
        "UNAUTHENTICATED");
  server.authority.Issue("renewed.test", server.directory / "server.pem",
                         server.directory / "server.key");
  std::string code;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (code != "UNAUTHENTICATED" && std::chrono::steady_clock::now() < patience) {
    code = CodeOf(RpcClient(server.address, server.Client(""), "renewed.test"), {});
  }
  CHECK(code == "UNAUTHENTICATED");
}

TEST_CASE("TLS files that do not work stop the start with their name") {
  const TempDir directory;
  TestAuthority authority(directory / "ca.pem");
  authority.Issue("a.test", directory / "a.pem", directory / "a.key");
  authority.Issue("b.test", directory / "b.pem", directory / "b.key");
  struct Row {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Row> rows = {
      {{"--tls-cert", directory / "a.pem"}, "the key is missing"},
      {{"--tls-cert", directory / "a.pem", "--tls-key", directory / "b.key"}, "b.key"},
      {{"--tls-cert", directory / "none.pem", "--tls-key", directory / "a.key"}, "none.pem"},
      {{"--tls-client-ca", directory / "ca.pem"}, "--tls-cert"},
      {{"--tls-cert", directory / "a.pem", "--tls-key", directory / "a.key", "--trusted-peers",
        "x"},
       "--tls-client-ca"}};
  for (const Row& row : rows) {
    CAPTURE(row.message);
    std::vector<std::string> arguments = {"--data", directory / "store", "--create-if-missing",
                                          "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    ProcessUnderTest server(ServerProgram(), arguments);
    CHECK(server.Wait() == 1);
    INFO(server.Errors());
    CHECK(server.Errors().find(row.message) != std::string::npos);
  }
}

TEST_CASE(
    "a certificate's name makes a trusted hop, another certificate of the authority does not") {
  const TempDir shared;
  TestAuthority authority(shared / "ca.pem");
  authority.Issue("server.test", shared / "server.pem", shared / "server.key");
  authority.Issue("gateway.test", shared / "gateway.pem", shared / "gateway.key");
  authority.Issue("other.test", shared / "other.pem", shared / "other.key");
  ProcessUnderTest server(
      ServerProgram(),
      {"--data", shared / "store", "--create-if-missing", "--cache-mb", "8", "--listen",
       "127.0.0.1:0", "--tls-cert", shared / "server.pem", "--tls-key", shared / "server.key",
       "--tls-client-ca", shared / "ca.pem", "--trusted-peers", "gateway.test"});
  const std::string address = server.ReadAddress();
  const auto code = [&](const TlsFiles& files) {
    return CodeOf(RpcClient(address, files, "server.test"), kAsserted);
  };
  CHECK(code({shared / "gateway.pem", shared / "gateway.key", shared / "ca.pem"}) == kKnown);
  CHECK(code({shared / "other.pem", shared / "other.key", shared / "ca.pem"}) == "UNAUTHENTICATED");
  CHECK(code({"", "", shared / "ca.pem"}) == "UNAVAILABLE");
}

TEST_CASE("relationsctl asks over mutual TLS, and health is for probes") {
  TlsServerProcess server({});
  const auto health = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--server", server.address, "--timeout-ms", "5000", "health"});
    return RunCtl(more);
  };
  const std::string authorities = server.directory / "ca.pem";
  CHECK(health({"--tls-ca", authorities, "--tls-name", "server.test"}).out == "serving\n");
  CHECK(health({"--tls-ca", authorities, "--tls-name", "wrong.test"}).exit_code != 0);
  CHECK(health({}).exit_code != 0);
  const ProgramResult missing = health({"--tls-ca", "/no/such/file"});
  CHECK(missing.exit_code != 0);
  CHECK(missing.err.find("/no/such/file") != std::string::npos);
}

}  // namespace
}  // namespace relations
