// deploy/quickstart.sh with the binaries of this build: the one command of a newcomer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ProgramResult Quickstart(std::vector<std::string> arguments) {
  return RunProgram(std::string(RELATIONS_SOURCE_DIR) + "/deploy/quickstart.sh", arguments);
}

TEST_CASE("quickstart answers the question of the README, and does so again") {
  const TempDir directory;
  std::string key;
  for (int round = 0; round < 2; ++round) {
    const ProgramResult result = Quickstart(
        {"--once", "--port", "0", "--data", directory / "demo", "--bin", RELATIONS_BINARY_DIR});
    CAPTURE(round, result.out, result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.out.compare(0, 12, "HTTP/1.1 200") == 0);
    CHECK(Contains(result.out, R"("attributes":{"domain":"vodafoneegypt.tech")"));
    CHECK(Contains(result.out, R"("attributes":{"malware":"predator"})"));
    CHECK(Contains(result.out, "x-stop-reason: limit"));
    CHECK_FALSE(Contains(result.out + result.err, "apiSecret"));
    // The second round uses the key of the first.
    const std::string stored = ReadFile(directory / "demo/demo-key.json");
    CHECK(stored.size() > 100);
    if (round == 1) CHECK(stored == key);
    key = stored;
  }
}

TEST_CASE("quickstart names a port that is taken") {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener, 1) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const TempDir directory;
  const ProgramResult result = Quickstart(
      {"--once", "--port", port, "--data", directory / "demo", "--bin", RELATIONS_BINARY_DIR});
  close(listener);
  CHECK(result.exit_code == 1);
  CHECK(Contains(result.err, "port " + port + " is in use"));
}

TEST_CASE("quickstart refuses options that it does not know") {
  CHECK(Quickstart({"--nonsense"}).exit_code == 2);
  CHECK(Quickstart({"--port"}).exit_code == 2);
  CHECK(Quickstart({"--port", "65536"}).exit_code == 2);
  CHECK(Quickstart({"--port", "80a"}).exit_code == 2);
  const TempDir directory;
  CHECK(Quickstart({"--once", "--port", "0", "--bin", directory.path()}).exit_code == 1);
}

}  // namespace
}  // namespace relations
