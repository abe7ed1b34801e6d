// main of the crash tests: Catch2's, with --seed N and --seconds N before it.
#ifndef RELATIONS_CATCH2_V3
#define CATCH_CONFIG_RUNNER
#endif
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tests/crash/crash_run.h"
#include "tests/support/catch.h"

int main(int argc, char** argv) {
  std::vector<char*> others;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool seed = word == "--seed";
    if (!seed && word != "--seconds") {
      others.push_back(argv[i]);
      continue;
    }
    if (++i == argc || std::string(argv[i]).find_first_not_of("0123456789") != std::string::npos) {
      std::cerr << word << " needs a number\n";
      return 2;
    }
    setenv(seed ? "RELATIONS_CRASH_SEED" : "RELATIONS_CRASH_SECONDS", argv[i], /*overwrite=*/1);
  }
  std::cout << "seed " << relations::CrashRun().seed() << std::endl;
  return Catch::Session().run(static_cast<int>(others.size()), others.data());
}
