// Settings and addresses: what is taken and what is refused with a message.
#include "gateway/config.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

std::variant<Config, int> Read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "relations-gateway");
  return ReadConfig(static_cast<int>(arguments.size()), arguments.data());
}

// The message of a refusal, which goes to standard error with exit code 2.
std::string Refusal(std::vector<const char*> arguments) {
  std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  const auto config = Read(std::move(arguments));
  std::cerr.rdbuf(before);
  const int* exit_code = std::get_if<int>(&config);
  REQUIRE(exit_code != nullptr);
  CHECK(*exit_code == 2);
  return text.str();
}

bool Mentions(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("Only the backend must be given") {
  const auto config = Read({"--backend", "unix:/run/r.sock"});
  REQUIRE(std::holds_alternative<Config>(config));
  const Config& c = std::get<Config>(config);
  CHECK(c.upstream.backend == "unix:/run/r.sock");
  REQUIRE(c.server.listen.size() == 1);
  CHECK(c.server.listen[0].ip == "127.0.0.1");
  CHECK(c.server.listen[0].port == 8080);
  CHECK(c.server.threads >= 1);
  CHECK(c.upstream.channels == std::clamp(c.server.threads / 2, 1, 64));
  CHECK(c.upstream.request_timeout.count() == 10000);
}

TEST_CASE("Settings are taken from flags and from the environment") {
  setenv("RELATIONS_MAX_CONNECTIONS", "7", 1);
  const auto config = Read({"--backend", "localhost:5", "--listen", "[::1]:0", "--listen",
                            "unix:/tmp/x", "--threads", "3", "--cors-origins",
                            "https://a.example,http://b:81", "--drain-timeout-ms", "50"});
  unsetenv("RELATIONS_MAX_CONNECTIONS");
  REQUIRE(std::holds_alternative<Config>(config));
  const Config& c = std::get<Config>(config);
  REQUIRE(c.server.listen.size() == 2);
  CHECK(c.server.listen[0].ip == "::1");
  CHECK(c.server.listen[1].unix_path == "/tmp/x");
  CHECK(c.server.threads == 3);
  CHECK(c.server.max_connections == 7);
  CHECK(c.front.cors_origins == std::vector<std::string>{"https://a.example", "http://b:81"});
  CHECK(c.drain_timeout.count() == 50);
}

TEST_CASE("Settings that cannot hold are refused with a message that names them") {
  CHECK(Mentions(Refusal({}), "--backend"));
  CHECK(Mentions(Refusal({"--backend", ""}), "--backend"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--no-such"}), "--no-such"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--threads", "-1"}), "--threads"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--idle-timeout-ms", "0"}), "--idle-timeout-ms"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--log-level", "loud"}), "log level"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--listen", "8080"}), "8080"));
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--cors-origins", "*"}), "--cors-origins"));
}

TEST_CASE("Plain text that leaves the machine needs its flag") {
  CHECK(Mentions(Refusal({"--backend", "unix:/x", "--listen", "0.0.0.0:80"}), "--allow-plaintext"));
  CHECK(Mentions(Refusal({"--backend", "db.example:50051"}), "--allow-plaintext"));
  CHECK(std::holds_alternative<Config>(
      Read({"--backend", "db.example:50051", "--listen", "0.0.0.0:80", "--allow-plaintext"})));
}

TEST_CASE("Addresses to listen on are read strictly") {
  CHECK(ParseListenAddress("localhost:80")->ip == "127.0.0.1");
  CHECK(ParseListenAddress("10.1.2.3:65535")->port == 65535);
  CHECK(ParseListenAddress("[2001:db8::1]:1")->ip == "2001:db8::1");
  CHECK(ParseListenAddress("unix:relative.sock")->unix_path == "relative.sock");
  CHECK(ParseListenAddress("unix:" + std::string(107, 'p')).ok());
  for (const std::string& text :
       {std::string(), std::string(":80"), std::string("127.0.0.1"), std::string("127.0.0.1:"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"), std::string("127.0.0.1: 1"),
        std::string("127.0.0.1:+1"), std::string("::1:80"), std::string("[::1]80"),
        std::string("host.example:80"), std::string("*:80"), std::string("unix:"),
        "unix:" + std::string(108, 'p')}) {
    INFO(text);
    CHECK_FALSE(ParseListenAddress(text).ok());
  }
}

TEST_CASE("Only loopback and unix sockets stay on the host") {
  for (const char* target :
       {"unix:/x", "unix:///x", "unix-abstract:x", "127.0.0.1:1", "127.9.9.9:1", "localhost:1",
        "[::1]:1", "dns:///localhost:1", "dns:localhost:1", "ipv4:127.0.0.1:1", "ipv6:[::1]:1"}) {
    INFO(target);
    CHECK(BackendStaysOnHost(target));
  }
  for (const char* target : {"10.0.0.1:1", "db:1", "localhost.example:1", "localhost",
                             "ipv4:127.0.0.1:1,10.0.0.1:1", "dns://8.8.8.8/localhost:1", ""}) {
    INFO(target);
    CHECK_FALSE(BackendStaysOnHost(target));
  }
}

TEST_CASE("Origins are a scheme and a host, nothing more") {
  for (const char* origin : {"https://a.example", "http://localhost:3000", "https://[::1]:8"}) {
    CHECK(CheckOrigin(origin).ok());
  }
  for (const char* origin :
       {"*", "", "a.example", "https://", "https://a/", "https://*.a", "null", "https://a b"}) {
    INFO(origin);
    CHECK_FALSE(CheckOrigin(origin).ok());
  }
}

}  // namespace
}  // namespace relations::gateway
