// The program itself: start, stop by signal, and refusals to start.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/gateway/fake_backend.h"
#include "tests/gateway/gateway_under_test.h"

namespace relations::gateway {
namespace {

constexpr int kPatienceMs = 20000;

// A relations-gateway process; killed at the end if it still runs.
class GatewayProcess {
 public:
  explicit GatewayProcess(std::vector<std::string> arguments) {
    int output[2];
    int errors[2];
    REQUIRE(pipe2(output, O_CLOEXEC) == 0);
    REQUIRE(pipe2(errors, O_CLOEXEC) == 0);
    arguments.insert(arguments.begin(), RELATIONS_BINARY_DIR "/relations-gateway");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(output[1], STDOUT_FILENO);
      dup2(errors[1], STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(output[1]);
    close(errors[1]);
    output_ = output[0];
    errors_ = errors[0];
  }
  ~GatewayProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
    close(errors_);
  }
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  // The next line of standard output; empty at its end or when time runs out.
  std::string ReadLine() {
    std::string line;
    char c;
    pollfd readable{output_, POLLIN, 0};
    while (poll(&readable, 1, kPatienceMs) > 0 && read(output_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  // All that comes on standard error until it ends.
  std::string ReadErrors() {
    std::string text;
    char buffer[4096];
    ssize_t count;
    while ((count = read(errors_, buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<size_t>(count));
    }
    return text;
  }
  void Signal(int number) { kill(pid_, number); }
  // The exit code; -1 after death by a signal.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int errors_ = -1;
};

std::string ListenedOn(GatewayProcess& process) {
  const std::string line = process.ReadLine();
  const std::string prefix = "listening on ";
  REQUIRE(line.substr(0, prefix.size()) == prefix);
  return line.substr(prefix.size());
}

TEST_CASE("The program serves until SIGTERM, finishes what is under way and exits with 0") {
  for (const int stop : {SIGTERM, SIGINT}) {
    TempDir directory;
    FakeBackend backend(directory / "backend");
    GatewayProcess process({"--backend", "unix:" + directory / "backend", "--listen", "127.0.0.1:0",
                            "--listen", "unix:" + directory / "front", "--threads", "1"});
    const std::string tcp = ListenedOn(process);
    const std::string local = ListenedOn(process);
    CHECK(local == "unix:" + directory / "front");

    RawClient client(tcp);
    CHECK(client.Ask(Request(kRelations, kBearer))->status == 200);
    backend.Hold();
    RawClient waiting(local);
    REQUIRE(waiting.Send(Request(kRelations, kBearer)));
    REQUIRE(backend.WaitForCalls(2));
    process.Signal(stop);
    // On one thread the end of an idle connection shows that the others know of the stop, too.
    CHECK(client.Ends());
    backend.Release();
    const auto answer = waiting.Read();
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->field("connection") == "close");
    waiting.Close();
    CHECK(process.Wait() == 0);
    CHECK(access((directory / "front").c_str(), F_OK) != 0);
  }
}

TEST_CASE("A drain that takes too long is cut, and the exit code is still 0") {
  TempDir directory;
  FakeBackend backend(directory / "backend");
  backend.Hold();
  GatewayProcess process({"--backend", "unix:" + directory / "backend", "--listen", "127.0.0.1:0",
                          "--drain-timeout-ms", "100"});
  RawClient client(ListenedOn(process));
  REQUIRE(client.Send(Request(kRelations, kBearer)));
  REQUIRE(backend.WaitForCalls(1));
  process.Signal(SIGTERM);
  CHECK(process.Wait() == 0);
  CHECK_FALSE(client.Read());
}

TEST_CASE("The log has one line for each request, without credentials or parameters") {
  TempDir directory;
  FakeBackend backend(directory / "backend");
  GatewayProcess process({"--backend", "unix:" + directory / "backend", "--listen", "127.0.0.1:0"});
  RawClient client(ListenedOn(process));
  CHECK(client
            .Ask(Request(std::string(kRelations) + "?types=sentinel&x=sentinel",
                         "Authorization: Bearer sentinel\r\nApi-Key: sentinel\r\n"
                         "x-request-id: r-1\r\n"))
            ->status == 200);
  CHECK(client.Ask(Request("/sentinel", "x-request-id: r-2\r\n"))->status == 404);
  client.Close();
  process.Signal(SIGTERM);
  CHECK(process.Wait() == 0);
  const std::string log = process.ReadErrors();
  INFO(log);
  CHECK(log.find("sentinel") == std::string::npos);
  CHECK(log.find(R"("message":"request","id":"r-1","method":"GET",)"
                 R"("route":"/api/analytics/v1/entity/{id}/relations","status":200)") !=
        std::string::npos);
  CHECK(log.find(R"("message":"request","id":"r-2","method":"GET","route":"none","status":404)") !=
        std::string::npos);
}

TEST_CASE("A request that fails has one line too, an error with its cause") {
  TempDir directory;
  FakeBackend backend(directory / "backend");
  backend.SetScript([](const FakeBackend::Call& call) {
    FakeBackend::Outcome outcome = FakeBackend::AnswerAsServer(call);
    if (call.request.id() == "ip-1") {
      outcome.code = absl::StatusCode::kInternal;
      outcome.message = "a disk is gone";
    } else {
      outcome.response.clear_stop_reason();
    }
    return outcome;
  });
  GatewayProcess process({"--backend", "unix:" + directory / "backend", "--listen", "127.0.0.1:0"});
  RawClient client(ListenedOn(process));
  const auto ask = [&](const std::string& entity, const std::string& id) {
    return client
        .Ask(Request("/api/analytics/v1/entity/" + entity + "/relations",
                     std::string(kBearer) + "x-request-id: " + id + "\r\n"))
        ->status;
  };
  CHECK(ask("ip-1", "failed") == 500);
  CHECK(ask("ip-2", "unreadable") == 500);
  client.Close();
  process.Signal(SIGTERM);
  CHECK(process.Wait() == 0);
  const std::string log = process.ReadErrors();
  INFO(log);
  const auto lines_with = [&](const std::string& text) {
    int count = 0;
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
    return count;
  };
  CHECK(lines_with(R"("id":"failed")") == 1);
  CHECK(lines_with(R"("id":"unreadable")") == 1);
  CHECK(lines_with(R"("level":"error")") == 2);
  CHECK(lines_with(R"("cause":"INTERNAL: a disk is gone")") == 1);
  CHECK(lines_with("no known stop reason") == 1);
}

TEST_CASE("A busy port stops the start with a message that names it") {
  TempDir directory;
  GatewayProcess first({"--backend", "unix:" + directory / "none", "--listen", "127.0.0.1:0"});
  const std::string address = ListenedOn(first);
  GatewayProcess second({"--backend", "unix:" + directory / "none", "--listen", address});
  const std::string errors = second.ReadErrors();
  CHECK(second.Wait() == 1);
  INFO(errors);
  CHECK(errors.find("cannot listen on " + address) != std::string::npos);
}

TEST_CASE("Bad settings stop the start with a message and exit code 2") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, std::vector<std::string>{"--backend", "db.example:1"},
        std::vector<std::string>{"--backend", "unix:/x", "--nonsense"}}) {
    GatewayProcess process(arguments);
    CHECK_FALSE(process.ReadErrors().empty());
    CHECK(process.Wait() == 2);
  }
}

}  // namespace
}  // namespace relations::gateway
