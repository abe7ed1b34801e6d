// What is not built or not run is dead: every source file stands in a CMakeLists.txt, every test in
// a program that ctest runs.
#include <algorithm>
#include <regex>
#include <set>

#include "tests/tidy/rules.h"

namespace relations::tidy {
namespace {

// The words of a CMakeLists.txt, comments left out.
std::vector<std::string> WordsOf(const std::string& text) {
  static const std::regex word(R"-([^\s()"]+)-");
  std::vector<std::string> words;
  for (const std::string& line : LinesOf(text)) {
    const std::string code = line.substr(0, line.find('#'));
    for (std::sregex_iterator match(code.begin(), code.end(), word), end; match != end; ++match) {
      words.push_back(match->str());
    }
  }
  return words;
}

// The paths from the root that a word in a folder's CMakeLists.txt may stand for.
std::vector<std::string> PathsOf(const std::string& folder, const std::string& word) {
  static const std::string root = "${CMAKE_SOURCE_DIR}/";
  if (StartsWith(word, root)) return {word.substr(root.size())};
  const std::string path = folder.empty() ? word : folder + "/" + word;
  // A program named in a loop over "${program}.cc".
  return {path, path + ".cc"};
}

std::set<std::string> Listed(const SourceTree& tree) {
  std::set<std::string> listed;
  for (const auto& [path, file] : tree.files()) {
    if (NameOf(path) != "CMakeLists.txt") continue;
    for (const std::string& word : WordsOf(file.text)) {
      for (const std::string& meant : PathsOf(FolderOf(path), word)) listed.insert(meant);
    }
  }
  return listed;
}

// Holds tests, whatever its name.
bool HasTests(const SourceFile& file) {
  for (const std::string& line : LinesOf(file.text)) {
    if (StartsWith(line, "TEST_CASE(") || StartsWith(line, "TEMPLATE_TEST_CASE(")) return true;
  }
  return false;
}

std::vector<Fault> CheckSourcesAreBuilt(const SourceTree& tree) {
  const std::set<std::string> listed = Listed(tree);
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (EndsWith(path, ".cc") && !HasTests(file) && !listed.contains(path)) {
      faults.push_back({path, 0, "no CMakeLists.txt lists it"});
    }
  }
  return faults;
}

// The words of each call of a function in a text, between its parentheses.
std::vector<std::vector<std::string>> CallsOf(const std::string& function,
                                              const std::string& text) {
  std::string code;
  for (const std::string& line : LinesOf(text)) code += line.substr(0, line.find('#')) + "\n";
  const std::regex call("(?:^|\\s)" + function + R"(\s*\(([^)]*)\))");
  std::vector<std::vector<std::string>> calls;
  for (std::sregex_iterator match(code.begin(), code.end(), call), end; match != end; ++match) {
    calls.push_back(WordsOf((*match)[1].str()));
  }
  return calls;
}

std::vector<Fault> CheckTestsAreRun(const SourceTree& tree) {
  std::set<std::string> run;
  for (const auto& [path, file] : tree.files()) {
    if (NameOf(path) != "CMakeLists.txt") continue;
    for (const char* function : {"relations_add_test", "relations_add_crash_test"}) {
      for (const auto& words : CallsOf(function, file.text)) {
        for (const std::string& word : words) {
          for (const std::string& meant : PathsOf(FolderOf(path), word)) run.insert(meant);
        }
      }
    }
  }
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!EndsWith(path, ".cc") || !HasTests(file)) continue;
    if (!run.contains(path)) {
      faults.push_back({path, 0, "no relations_add_test runs it"});
    } else if (!EndsWith(path, "_test.cc")) {
      faults.push_back({path, 0, "tests stand in files named *_test.cc"});
    }
  }
  return faults;
}

std::vector<Fault> CheckListedOnce(const SourceTree& tree) {
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (NameOf(path) != "CMakeLists.txt") continue;
    for (const char* function : {"add_library", "add_executable", "relations_add_test"}) {
      for (const auto& words : CallsOf(function, file.text)) {
        std::set<std::string> seen;
        for (const std::string& word : words) {
          if (EndsWith(word, ".cc") && !seen.insert(word).second) {
            faults.push_back({path, 0, word + " stands twice in one target"});
          }
        }
      }
    }
  }
  return faults;
}

// A folder whose CMakeLists.txt nobody adds is not built at all.
std::vector<Fault> CheckFoldersAreAdded(const SourceTree& tree) {
  std::set<std::string> added = {"CMakeLists.txt"};
  for (const auto& [path, file] : tree.files()) {
    if (NameOf(path) != "CMakeLists.txt") continue;
    const std::string folder = FolderOf(path);
    for (const auto& words : CallsOf("add_subdirectory", file.text)) {
      if (words.empty()) continue;
      added.insert((folder.empty() ? "" : folder + "/") + words.front() + "/CMakeLists.txt");
    }
  }
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (NameOf(path) == "CMakeLists.txt" && !added.contains(path)) {
      faults.push_back({path, 0, "no add_subdirectory adds its folder"});
    }
  }
  return faults;
}

}  // namespace

std::vector<Rule> BuildRules() {
  return {{"every source is built", CheckSourcesAreBuilt},
          {"every test is run", CheckTestsAreRun},
          {"a source stands once in a target", CheckListedOnce},
          {"every folder is added", CheckFoldersAreAdded}};
}

}  // namespace relations::tidy
