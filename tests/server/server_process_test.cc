// The program relations-server as it is started and stopped: settings, ready lines, exit codes.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/server/rpc_client.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// A child process; killed by its pid when it was not waited for.
class Program {
 public:
  Program(const TempDir& directory, std::vector<std::string> arguments)
      : error_path_(directory / "stderr") {
    arguments.insert(arguments.begin(), RELATIONS_BINARY_DIR "/relations-server");
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
      argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const int error = open(error_path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
      dup2(ends[1], STDOUT_FILENO);
      dup2(error, STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    fclose(output_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The next line of standard output, without its end; empty at its end.
  std::string Line() {
    std::string line;
    for (int c = fgetc(output_); c != EOF && c != '\n'; c = fgetc(output_)) {
      line += static_cast<char>(c);
    }
    return line;
  }
  void Signal(int signal) { kill(pid_, signal); }
  // The exit code, or minus the signal that ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string Errors() const {
    std::ostringstream text;
    text << std::ifstream(error_path_).rdbuf();
    return text.str();
  }

 private:
  const std::string error_path_;
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

// The address of a line "listening on ADDRESS".
std::string AddressOf(const std::string& line) {
  const std::string head = "listening on ";
  REQUIRE(line.substr(0, head.size()) == head);
  return line.substr(head.size());
}

TEST_CASE(
    "a server serves on every address that it names and stops cleanly on SIGTERM and SIGINT") {
  const TempDir directory;
  const std::string socket = "unix:" + (directory / "socket");
  for (const int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    Program server(directory, {"--data", directory / "store", "--create-if-missing", "--listen",
                               "127.0.0.1:0", "--listen", socket, "--cache-mb", "8"});
    const std::string first = AddressOf(server.Line());
    const std::string second = AddressOf(server.Line());
    CHECK(first.substr(0, 10) == "127.0.0.1:");
    CHECK(first != "127.0.0.1:0");
    CHECK(second == socket);
    for (const std::string& address : {first, second}) {
      RpcClient client(address);
      CHECK(client.Call(kHealthCheck, HealthRequest(""), {}).answer == kServing);
      CHECK(client.Call(kGetRelations, "", {}).code == "UNAUTHENTICATED");
    }
    server.Signal(signal);
    CHECK(server.Wait() == 0);
    CHECK(server.Line().empty());
    CHECK_FALSE(std::filesystem::exists(directory / "socket"));
  }
}

TEST_CASE("a call is one line of the log, with its ids and without its secrets") {
  const TempDir directory;
  Program server(directory, {"--data", directory / "store", "--create-if-missing", "--listen",
                             "unix:" + (directory / "socket"), "--cache-mb", "8"});
  RpcClient client(AddressOf(server.Line()));
  const RpcOutcome outcome = client.Call(kGetRelations, "",
                                         {{"authorization", "Bearer s3cr3t"},
                                          {"x-request-id", "request-1"},
                                          {"traceparent", "00-0af7651916cd43dd-b7ad6b71-01"}});
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
  const std::string log = server.Errors();
  CHECK(log.find("\"request_id\":\"request-1\"") != std::string::npos);
  CHECK(log.find("\"traceparent\":\"00-0af7651916cd43dd-b7ad6b71-01\"") != std::string::npos);
  CHECK(log.find("\"status\":\"UNAUTHENTICATED\"") != std::string::npos);
  CHECK(log.find("\"error_id\":\"" + outcome.error_id + "\"") != std::string::npos);
  CHECK(log.find("s3cr3t") == std::string::npos);
}

TEST_CASE("a server that was killed leaves a socket that the next one takes over") {
  const TempDir directory;
  const std::vector<std::string> arguments = {"--data",
                                              directory / "store",
                                              "--create-if-missing",
                                              "--listen",
                                              "unix:" + (directory / "socket"),
                                              "--cache-mb",
                                              "8"};
  {
    Program killed(directory, arguments);
    AddressOf(killed.Line());
    killed.Signal(SIGKILL);
    CHECK(killed.Wait() == -SIGKILL);
  }
  REQUIRE(std::filesystem::exists(directory / "socket"));
  Program server(directory, arguments);
  CHECK(AddressOf(server.Line()) == "unix:" + (directory / "socket"));
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
}

TEST_CASE("a server that cannot serve says why and ends with 1") {
  const TempDir directory;
  Program running(directory, {"--data", directory / "store", "--create-if-missing", "--listen",
                              "127.0.0.1:0", "--cache-mb", "8"});
  const std::string address = AddressOf(running.Line());

  struct Row {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Row> rows = {
      {{"--data", directory / "missing"}, "--create-if-missing"},
      {{"--data", directory / "store", "--listen", "unix:" + (directory / "other")}, "store"},
      {{"--data", directory / "second", "--create-if-missing", "--listen", address},
       "cannot listen on " + address + ": Address already in use"},
      {{"--data", directory / "second", "--create-if-missing", "--listen",
        "unix:" + (directory / "no/socket")},
       "No such file or directory"},
      {{"--data", directory / "second", "--create-if-missing", "--listen", "0.0.0.0:0"},
       "--allow-plaintext"},
      {{"--data", directory / "second", "--listen", "nowhere"}, "\"nowhere\""}};
  for (const Row& row : rows) {
    CAPTURE(row.message);
    const TempDir own;
    Program server(own, row.arguments);
    CHECK(server.Line().empty());
    CHECK(server.Wait() == 1);
    CHECK(server.Errors().find(row.message) != std::string::npos);
  }
}

TEST_CASE("wrong settings are told and end with 2, help and version end with 0") {
  const TempDir directory;
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"--data", "x", "--unknown"},
                                                       {"--data", "x", "--workers", "0"},
                                                       {"--data", "x", "--workers", "many"},
                                                       {"--data", "x", "--max-in-flight", "0"},
                                                       {"--data", "x", "--log-level", "loud"},
                                                       {"--data", "x", "--max-request-ms", "-1"}};
  for (const auto& arguments : wrong) {
    CAPTURE(arguments);
    Program server(directory, arguments);
    CHECK(server.Wait() == 2);
    CHECK_FALSE(server.Errors().empty());
  }
  Program help(directory, {"--help"});
  CHECK(help.Wait() == 0);
  std::string text;
  for (std::string line = help.Line(), next = help.Line(); !(line.empty() && next.empty());
       line = next, next = help.Line()) {
    text += line;
  }
  for (const char* name : {"--data", "--listen", "--workers", "--max-in-flight", "--cache-mb",
                           "--create-if-missing", "--read-roles", "--max-request-ms",
                           "--drain-timeout-ms", "--log-level", "--allow-plaintext"}) {
    CAPTURE(name);
    CHECK(text.find(name) != std::string::npos);
  }
}

}  // namespace
}  // namespace relations
