// The whole product as an operator runs it: metrics and limits of the gateway, TLS on both sides.
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "tests/ctl/run_program.h"
#include "tests/gateway/raw_client.h"
#include "tests/operations/product_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/test_authority.h"

namespace relations {
namespace {

using gateway::RawClient;

constexpr char kTarget[] = "/api/analytics/v1/entity/ip-a/relations";
constexpr char kTrace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Ask(const std::string& fields = "") {
  return std::string("GET ") + kTarget + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

TEST_CASE("the gateway counts requests by route and status, and its log lines carry the trace") {
  ProductUnderTest product({}, {"--metrics-listen", "127.0.0.1:0"});
  const std::string line = product.gateway().ReadLine();
  REQUIRE(line.substr(0, 11) == "metrics on ");
  {
    RawClient client(product.address());
    CHECK(client.Ask(Ask(product.bearer() + "traceparent: " + kTrace + "\r\n"))->status == 404);
    CHECK(client.Ask(Ask())->status == 401);
  }
  // A call is in flight until its end was counted, which the client need not wait for.
  // Each scrape has a connection of its own: the listener ends them as it likes.
  const auto scrape = [&] {
    return RawClient(line.substr(11)).Ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  auto answer = scrape();
  while (answer && !Has(answer->body, "relations_gateway_calls_in_flight 0\n") &&
         std::chrono::steady_clock::now() < give_up) {
    answer = scrape();
  }
  REQUIRE(answer);
  INFO(answer->body);
  const std::string route = "{route=\"/api/analytics/v1/entity/{id}/relations\"";
  CHECK(Has(answer->body,
            "relations_gateway_request_duration_seconds_count" + route + ",status=\"404\"} 1\n"));
  CHECK(Has(answer->body,
            "relations_gateway_request_duration_seconds_count" + route + ",status=\"401\"} 1\n"));
  CHECK(Has(answer->body, "relations_gateway_request_received_bytes_total" + route));
  CHECK(Has(answer->body, "relations_gateway_connections "));
  CHECK(Has(answer->body, "relations_gateway_calls_in_flight 0\n"));
  CHECK(Has(answer->body, "relations_build_info{program=\"relations-gateway\""));
  product.gateway().Signal(SIGTERM);
  product.gateway().Wait();
  product.server().Signal(SIGTERM);
  product.server().Wait();
  const std::string trace = std::string("\"traceparent\":\"") + kTrace + "\"";
  CHECK(Has(product.gateway().Errors(), trace));
  CHECK(Has(product.server().Errors(), trace));
}

TEST_CASE("a caller past his rate gets 429 with what he needs to know") {
  ProductUnderTest product({"--rate-limit", "user=0.01:2"});
  RawClient client(product.address());
  const auto first = client.Ask(Ask(product.bearer()));
  REQUIRE(first);
  CHECK(first->status == 404);
  CHECK(first->field("ratelimit-limit") == "2");
  CHECK(first->field("ratelimit-remaining") == "1");
  CHECK(first->field("ratelimit-reset") == "100");
  client.Ask(Ask(product.bearer()));
  const auto refused = client.Ask(Ask(product.bearer()));
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->field("ratelimit-remaining") == "0");
  CHECK(std::stoi(refused->field("retry-after")) >= 99);
  CHECK(Has(refused->body, "\"code\":\"rate_limited\""));
}

TEST_CASE("a client address that fails to authenticate too often must wait, others need not") {
  ProductUnderTest product({}, {"--failed-auth-limit", "0.01:3"});
  RawClient client(product.address());
  for (int i = 0; i < 3; ++i) CHECK(client.Ask(Ask("Authorization: Bearer no\r\n"))->status == 401);
  const auto refused = client.Ask(Ask(product.bearer()));
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(std::stoi(refused->field("retry-after")) >= 99);
  CHECK(Has(refused->body, "too many failed authentications"));
  // The same question from another address.
  const std::string bearer = product.bearer().substr(0, product.bearer().find('\r'));
  const auto ask_from = [&](const std::string& source) {
    return RunProgram("/usr/bin/curl", {"-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time",
                                        "20", "--interface", source, "-H", bearer,
                                        "http://" + product.address() + kTarget})
        .out;
  };
  CHECK(ask_from("127.0.0.1") == "429");
  CHECK(ask_from("127.0.0.2") == "404");
}

TEST_CASE("SIGHUP takes over the gateway's limits and level") {
  TempDir directory;
  std::ofstream(directory / "config") << "failed-auth-limit = \"0.01:1\"\n";
  ProductUnderTest product({}, {"--config", directory / "config"});
  RawClient client(product.address());
  CHECK(client.Ask(Ask())->status == 401);
  CHECK(client.Ask(Ask())->status == 429);
  std::ofstream(directory / "config", std::ios::trunc) << "failed-auth-limit = 0\n";
  product.gateway().Signal(SIGHUP);
  int status = 0;
  for (int i = 0; i < 20000 && status != 401; ++i) status = client.Ask(Ask())->status;
  CHECK(status == 401);
}

// curl's exit code and what it printed: the status alone.
ProgramResult Curl(const std::string& address, std::vector<std::string> arguments) {
  const std::string port = address.substr(address.rfind(':') + 1);
  arguments.insert(arguments.end(),
                   {"-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", "--resolve",
                    "front.test:" + port + ":127.0.0.1", "https://front.test:" + port + kTarget});
  return RunProgram("/usr/bin/curl", arguments);
}

TEST_CASE("HTTPS: TLS 1.2 and later, the certificate is read again when it changes") {
  TempDir directory;
  TestAuthority authority(directory / "ca.pem");
  authority.Issue("other.test", directory / "tls.pem", directory / "tls.key");
  ProductUnderTest product(
      {}, {"--tls-cert", directory / "tls.pem", "--tls-key", directory / "tls.key"});
  const std::vector<std::string> trusting = {"--cacert", directory / "ca.pem"};
  // It names another host.
  CHECK(Curl(product.address(), trusting).exit_code == 60);
  authority.Issue("front.test", directory / "tls.pem", directory / "tls.key");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  ProgramResult result;
  while (result.out != "401" && std::chrono::steady_clock::now() < patience) {
    result = Curl(product.address(), trusting);
  }
  CHECK(result.out == "401");
  CHECK(Curl(product.address(), {"--cacert", directory / "ca.pem", "--tls-max", "1.2"}).out ==
        "401");
  CHECK(Curl(product.address(), {"--cacert", directory / "ca.pem", "--tls-max", "1.1", "--ciphers",
                                 "DEFAULT@SECLEVEL=0"})
            .exit_code == 35);
  // A file that does not work is told and changes nothing.
  std::ofstream(directory / "tls.key", std::ios::trunc) << "no key\n";
  bool told = false;
  while (!told && std::chrono::steady_clock::now() < patience) {
    CHECK(Curl(product.address(), trusting).out == "401");
    told = Has(product.gateway().Errors(), "not read again");
  }
  CHECK(told);
  // Several requests and the end of the connection over TLS.
  product.gateway().Signal(SIGTERM);
  CHECK(product.gateway().Wait() == 0);
}

TEST_CASE("HTTPS with client certificates lets in those of the authority alone") {
  TempDir directory;
  TestAuthority authority(directory / "ca.pem");
  authority.Issue("front.test", directory / "tls.pem", directory / "tls.key");
  authority.Issue("client.test", directory / "client.pem", directory / "client.key");
  TestAuthority stranger(directory / "stranger-ca.pem");
  stranger.Issue("client.test", directory / "stranger.pem", directory / "stranger.key");
  ProductUnderTest product({}, {"--tls-cert", directory / "tls.pem", "--tls-key",
                                directory / "tls.key", "--tls-client-ca", directory / "ca.pem"});
  const auto with = [&](const std::string& name) {
    return Curl(product.address(),
                {"--cacert", directory / "ca.pem", "--cert", directory / (name + ".pem"), "--key",
                 directory / (name + ".key")});
  };
  CHECK(with("client").out == "401");
  CHECK(with("stranger").out == "000");
  CHECK(Curl(product.address(), {"--cacert", directory / "ca.pem"}).out == "000");
}

TEST_CASE("mutual TLS between gateway and server carries requests") {
  TempDir directory;
  TestAuthority authority(directory / "ca.pem");
  authority.Issue("server.test", directory / "server.pem", directory / "server.key");
  authority.Issue("gateway.test", directory / "gateway.pem", directory / "gateway.key");
  ProductUnderTest product({"--listen", "127.0.0.1:0", "--tls-cert", directory / "server.pem",
                            "--tls-key", directory / "server.key", "--tls-client-ca",
                            directory / "ca.pem"});
  const std::string backend = product.server().ReadAddress();
  REQUIRE_FALSE(backend.empty());
  const std::vector<std::string> base = {"--backend", backend, "--listen", "127.0.0.1:0"};
  const auto status = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    ProcessUnderTest gateway(GatewayProgram(), more);
    RawClient client(gateway.ReadAddress());
    return client.Ask(Ask(product.bearer()))->status;
  };
  const std::vector<std::string> mutual = {
      "--backend-tls",           "--backend-ca",  directory / "ca.pem",      "--backend-cert",
      directory / "gateway.pem", "--backend-key", directory / "gateway.key", "--backend-name"};
  std::vector<std::string> right = mutual;
  right.push_back("server.test");
  CHECK(status(right) == 404);
  std::vector<std::string> wrong = mutual;
  wrong.push_back("imposter.test");
  CHECK(status(wrong) == 503);
  CHECK(status({"--backend-tls", "--backend-ca", directory / "ca.pem", "--backend-name",
                "server.test"}) == 503);
}

TEST_CASE("plain text leaves the machine only where it is allowed by name") {
  const TempDir directory;
  for (const std::vector<std::string>& refused :
       {std::vector<std::string>{"--backend", "unix:/x", "--listen", "0.0.0.0:0"},
        std::vector<std::string>{"--backend", "db.example:443"},
        std::vector<std::string>{"--backend", "unix:/x", "--backend-ca", "/x"},
        std::vector<std::string>{"--backend", "unix:/x", "--tls-client-ca", "/x"},
        std::vector<std::string>{"--backend", "unix:/x", "--tls-cert", directory / "none"}}) {
    CAPTURE(refused);
    CHECK(RunProgram(GatewayProgram(), refused).exit_code == 2);
  }
}

}  // namespace
}  // namespace relations
