// Runs one of our binaries to its end, as a user does, and keeps what it said. What serves until it
// is stopped is a ProcessUnderTest (tests/support/process_under_test.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace relations {

struct ProgramResult {
  // 128 + signal when it was killed.
  int exit_code = 0;
  std::string out;
  std::string err;
};

struct ProgramInput {
  std::string standard_input;
  // Added to an environment that holds PATH and nothing else.
  std::vector<std::pair<std::string, std::string>> environment;
};

// `program` is a path. Killed after a minute, which no test comes near.
ProgramResult RunProgram(const std::string& program, const std::vector<std::string>& arguments,
                         const ProgramInput& input = {});

// The built relationsctl.
ProgramResult RunCtl(const std::vector<std::string>& arguments, const ProgramInput& input = {});

// The whole of a file.
std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& text);

}  // namespace relations
