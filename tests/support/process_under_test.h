// One of our programs as a child process: its ready lines, its log, its end. Nothing here waits for
// ever: reading gives up after kPatienceMs, and the child ends with the test, however that ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace relations {

class ProcessUnderTest {
 public:
  static constexpr int kPatienceMs = 30000;

  // Starts `program` (a path) in an environment without settings of ours.
  ProcessUnderTest(const std::string& program, const std::vector<std::string>& arguments);
  // Kills the child by its pid when it was not waited for.
  ~ProcessUnderTest();
  ProcessUnderTest(const ProcessUnderTest&) = delete;
  ProcessUnderTest& operator=(const ProcessUnderTest&) = delete;

  // The next line of standard output; empty at its end or when time runs out.
  std::string ReadLine();
  // ADDR of a next line "listening on ADDR"; empty when the next line is none.
  std::string ReadAddress();
  // What it has written to standard error so far.
  std::string Errors() const;

  void Signal(int signal);
  // Returns when the child has stopped; SIGCONT lets it go on.
  void Freeze();
  // Its exit code, or minus the signal that ended it. Call it once.
  int Wait();

 private:
  TempDir directory_;
  pid_t pid_ = -1;
  int output_ = -1;
};

// Paths of the built programs.
std::string ServerProgram();
std::string GatewayProgram();

}  // namespace relations
