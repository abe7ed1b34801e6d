#include "tests/ctl/run_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace relations {
namespace {

constexpr unsigned kSecondsMax = 60;

struct Descriptors {
  int in = -1;
  int out = -1;
  int err = -1;
};

// Starts the program in a child process and returns its pid.
pid_t Start(const std::string& program, const std::vector<std::string>& arguments,
            const std::vector<std::string>& environment, const Descriptors& descriptors) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& variable : environment) {
    envp.push_back(const_cast<char*>(variable.c_str()));
  }
  envp.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(descriptors.in, STDIN_FILENO);
  dup2(descriptors.out, STDOUT_FILENO);
  dup2(descriptors.err, STDERR_FILENO);
  // Survives exec: whatever happens to the test, the child ends.
  alarm(kSecondsMax);
  execve(program.c_str(), argv.data(), envp.data());
  _exit(127);
}

std::vector<std::string> BaseEnvironment() {
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

int Wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

ProgramResult RunProgram(const std::string& program, const std::vector<std::string>& arguments,
                         const ProgramInput& input) {
  const TempDir directory;
  WriteFile(directory / "in", input.standard_input);
  std::vector<std::string> environment = BaseEnvironment();
  for (const auto& [name, value] : input.environment) environment.push_back(name + "=" + value);
  // Files, not pipes: neither side ever waits for the other.
  const Descriptors descriptors = {
      open((directory / "in").c_str(), O_RDONLY | O_CLOEXEC),
      open((directory / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
      open((directory / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const pid_t pid = Start(program, arguments, environment, descriptors);
  close(descriptors.in);
  close(descriptors.out);
  close(descriptors.err);
  ProgramResult result;
  result.exit_code = Wait(pid);
  result.out = ReadFile(directory / "out");
  result.err = ReadFile(directory / "err");
  return result;
}

ProgramResult RunCtl(const std::vector<std::string>& arguments, const ProgramInput& input) {
  return RunProgram(std::string(RELATIONS_BINARY_DIR) + "/relationsctl", arguments, input);
}

}  // namespace relations
