// What an operator relies on: settings that tell where they come from, reload by signal, metrics,
// slow calls in the log.
#include <signal.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/gateway/raw_client.h"
#include "tests/server/rpc_client.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"

namespace relations {
namespace {

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::string ReadAll(ProcessUnderTest& process) {
  std::string text;
  for (int blank = 0; blank < 2;) {
    const std::string line = process.ReadLine();
    blank = line.empty() ? blank + 1 : 0;
    text += line + "\n";
  }
  return text;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A server over a new store in `directory`, with a config file there.
std::vector<std::string> Arguments(const TempDir& directory) {
  return {"--config",
          directory / "config",
          "--data",
          directory / "store",
          "--listen",
          "unix:" + (directory / "socket"),
          "--create-if-missing",
          "--cache-mb",
          "8"};
}

// Calls until the log of the server holds `text`; false when it never does.
bool LogsWhileCalled(ProcessUnderTest& server, RpcClient& client, const std::string& text) {
  for (int i = 0; i < 20000; ++i) {
    if (Has(server.Errors(), text)) return true;
    client.Call(kGetRelations, "", {});
  }
  return false;
}

std::string Session(const TempDir& directory, const std::string& roles) {
  ProcessUnderTest ctl(
      RELATIONS_BINARY_DIR "/relationsctl",
      {"--data", directory / "store", "sessions", "create", "--user",
       "7e57e57e-0000-4000-8000-000000000001", "--groups", "public", "--roles", roles, "--json"});
  const std::string json = ctl.ReadLine();
  REQUIRE(ctl.Wait() == 0);
  const size_t begin = json.find("\"bearer\":\"");
  REQUIRE(begin != std::string::npos);
  return json.substr(begin + 10, 64);
}

TEST_CASE("the effective settings are printed with their origin, and the print is a config file") {
  const TempDir directory;
  WriteText(directory / "config", "cache-mb = 64\nread-roles = \"user,auditor\"\n");
  std::vector<std::string> arguments = Arguments(directory);
  arguments.push_back("--print-config");
  ProcessUnderTest printing(ServerProgram(), arguments);
  const std::string text = ReadAll(printing);
  CHECK(printing.Wait() == 0);
  INFO(text);
  CHECK(Has(text, "# flag\ncache-mb = \"8\"\n"));
  CHECK(Has(text, "# file\nread-roles = \"user,auditor\"\n"));
  CHECK(Has(text, "# default\nmax-in-flight = \"1024\"\n"));
  CHECK(Has(text, "# default\n# tls-cert =\n"));

  WriteText(directory / "printed", text);
  ProcessUnderTest again(ServerProgram(), {"--config", directory / "printed", "--print-config"});
  const std::string second = ReadAll(again);
  CHECK(again.Wait() == 0);
  CHECK(Has(second, "# file\ncache-mb = \"8\"\n"));
  CHECK(Has(second, "# file\nread-roles = \"user,auditor\"\n"));
  CHECK(Has(second, "# file\ncreate-if-missing = \"true\"\n"));
}

TEST_CASE("unknown keys of the config file stop the start with their name") {
  const TempDir directory;
  WriteText(directory / "config", "no-such-setting = 1\n");
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  CHECK(server.Wait() == 2);
  CHECK(Has(server.Errors(), "no-such-setting"));
}

TEST_CASE("SIGHUP takes over what it can, tells what it cannot, and keeps the old for a mistake") {
  const TempDir directory;
  WriteText(directory / "config", "log-level = error\n");
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  const std::string address = server.ReadAddress();
  RpcClient client(address);
  client.Call(kGetRelations, "", {});
  CHECK_FALSE(Has(server.Errors(), "\"request\""));

  WriteText(directory / "config", "log-level = nonsense\n");
  server.Signal(SIGHUP);
  CHECK(LogsWhileCalled(server, client, "settings not read again"));
  CHECK_FALSE(Has(server.Errors(), "\"request\""));

  WriteText(directory / "config", "log-level = info\nmax-in-flight = 7\n");
  server.Signal(SIGHUP);
  CHECK(LogsWhileCalled(server, client, "\"message\":\"request\""));
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
}

TEST_CASE("settings that need a restart are told so on SIGHUP") {
  const TempDir directory;
  WriteText(directory / "config", "");
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  RpcClient client(server.ReadAddress());
  WriteText(directory / "config", "max-in-flight = 7\nslow-call-ms = 5\n");
  server.Signal(SIGHUP);
  CHECK(LogsWhileCalled(server, client, "settings read again"));
  CHECK(Has(
      server.Errors(),
      R"("setting waits for a restart","setting":"max-in-flight","value":"7","origin":"file")"));
  CHECK(Has(server.Errors(), R"("setting changed","setting":"slow-call-ms","value":"5")"));
}

TEST_CASE("SIGUSR1 and SIGUSR2 change the level of the log by one step") {
  const TempDir directory;
  WriteText(directory / "config", "log-level = warning\n");
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  RpcClient client(server.ReadAddress());
  client.Call(kGetRelations, "", {});
  CHECK_FALSE(Has(server.Errors(), "\"message\":\"request\""));
  server.Signal(SIGUSR1);
  CHECK(LogsWhileCalled(server, client, "\"message\":\"request\""));
  server.Signal(SIGUSR2);
  CHECK(LogsWhileCalled(server, client, "\"log_level\":\"warning\""));
}

TEST_CASE("metrics count calls by method and status and tell of caches and the database") {
  const TempDir directory;
  WriteText(directory / "config", "metrics-listen = 127.0.0.1:0\n");
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  RpcClient client(server.ReadAddress());
  const std::string line = server.ReadLine();
  REQUIRE(line.substr(0, 11) == "metrics on ");
  REQUIRE(client.Call(kGetRelations, "", {}).code == "UNAUTHENTICATED");
  gateway::RawClient scraper(line.substr(11));
  const auto answer = scraper.Ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  INFO(answer->body);
  for (const char* part :
       {"relations_server_call_duration_seconds_count{method=\"GetRelations\","
        "status=\"UNAUTHENTICATED\"} 1\n",
        "relations_server_call_duration_seconds_bucket", "relations_server_call_sent_bytes_total",
        "relations_server_calls_in_flight ", "relations_server_calls_waiting 0\n",
        "relations_build_info{program=\"relations-server\",version=\"",
        "relations_node_cache_hit_ratio", "relations_rocksdb_wal_syncs_total",
        "relations_rocksdb_file_bytes{family=\"entities\"}"}) {
    CAPTURE(part);
    CHECK(Has(answer->body, part));
  }
}

TEST_CASE("a metrics address that is in use stops the start") {
  const TempDir directory;
  WriteText(directory / "config", "metrics-listen = 127.0.0.1:0\n");
  ProcessUnderTest first(ServerProgram(), Arguments(directory));
  first.ReadAddress();
  const std::string taken = first.ReadLine().substr(11);
  const TempDir other;
  WriteText(other / "config", "metrics-listen = " + taken + "\n");
  ProcessUnderTest second(ServerProgram(), Arguments(other));
  CHECK(second.Wait() == 1);
  CHECK(Has(second.Errors(), "cannot give metrics on " + taken));
}

TEST_CASE("a user who calls too often is told when to come back, and rules are reloaded") {
  const TempDir directory;
  WriteText(directory / "config", "rate-limit = \"user=0.001:2\"\n");
  {
    ProcessUnderTest creating(ServerProgram(), Arguments(directory));
    creating.ReadAddress();
    creating.Signal(SIGTERM);
    REQUIRE(creating.Wait() == 0);
  }
  const Headers user = {{"authorization", "Bearer " + Session(directory, "user")}};
  ProcessUnderTest server(ServerProgram(), Arguments(directory));
  RpcClient client(server.ReadAddress());
  const RpcOutcome first = client.Call(kGetRelations, "", user);
  CHECK(first.code == "INVALID_ARGUMENT");
  CHECK(first.rate_limit == "2");
  CHECK(first.rate_remaining == "1");
  CHECK(client.Call(kGetRelations, "", user).code == "INVALID_ARGUMENT");
  const RpcOutcome refused = client.Call(kGetRelations, "", user);
  CHECK(refused.code == "RESOURCE_EXHAUSTED");
  CHECK(refused.reason == "rate_limited");
  CHECK(std::stoi(refused.retry_after) > 100);

  WriteText(directory / "config", "rate-limit = \"user=1000:1000\"\n");
  server.Signal(SIGHUP);
  CHECK(LogsWhileCalled(server, client, "settings read again"));
}

}  // namespace
}  // namespace relations
