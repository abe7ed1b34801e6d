#include "tests/support/process_under_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace relations {
namespace {

// No test program runs as long.
constexpr unsigned kLifetimeMaxSeconds = 600;

// The variables that programs of any kind need; none of ours.
std::vector<std::string> PlainEnvironment() {
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) {
      environment.push_back(std::string(name) + "=" + value);
    }
  }
  return environment;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ProcessUnderTest::ProcessUnderTest(const std::string& program,
                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = Pointers(words);
  const std::vector<std::string> variables = PlainEnvironment();
  const std::vector<char*> envp = Pointers(variables);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  // A file, not a pipe: a program that logs much never waits for its reader.
  const int errors =
      open((directory_ / "stderr").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(kLifetimeMaxSeconds);
    if (getppid() == parent) execve(program.c_str(), argv.data(), envp.data());
    _exit(127);
  }
  if (pid_ < 0) std::abort();
  close(nothing);
  close(errors);
  close(ends[1]);
  output_ = ends[0];
}

ProcessUnderTest::~ProcessUnderTest() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  close(output_);
}

std::string ProcessUnderTest::ReadLine() {
  std::string line;
  char c = 0;
  pollfd readable{output_, POLLIN, 0};
  while (poll(&readable, 1, kPatienceMs) > 0 && read(output_, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

std::string ProcessUnderTest::ReadAddress() {
  const std::string line = ReadLine();
  const std::string prefix = "listening on ";
  return line.compare(0, prefix.size(), prefix) == 0 ? line.substr(prefix.size()) : "";
}

std::string ProcessUnderTest::Errors() const {
  std::ostringstream text;
  text << std::ifstream(directory_ / "stderr", std::ios::binary).rdbuf();
  return text.str();
}

void ProcessUnderTest::Signal(int signal) { kill(pid_, signal); }

void ProcessUnderTest::Freeze() {
  kill(pid_, SIGSTOP);
  int status = 0;
  while (waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  if (!WIFSTOPPED(status)) std::abort();
}

int ProcessUnderTest::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string ServerProgram() { return RELATIONS_BINARY_DIR "/relations-server"; }
std::string GatewayProgram() { return RELATIONS_BINARY_DIR "/relations-gateway"; }

}  // namespace relations
