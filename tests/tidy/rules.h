// The mechanical rules of the house, each a function from the tree to what breaks it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/tidy/source_tree.h"

namespace relations::tidy {

// What breaks a rule.
struct Fault {
  std::string path;
  // From 1; 0 when the file as a whole is meant.
  int line = 0;
  std::string what;
};

struct Rule {
  std::string name;
  std::function<std::vector<Fault>(const SourceTree&)> check;
};

// layers by include, layers by link
std::vector<Rule> LayerRules();
// every source is built, every test is run
std::vector<Rule> BuildRules();
// marks, lengths, headers, output, sleeps, hidden tests, white space
std::vector<Rule> CodeRules();
// links, folders with a README, sizes of files
std::vector<Rule> DocumentRules();

std::vector<Rule> AllRules();

}  // namespace relations::tidy
