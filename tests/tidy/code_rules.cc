// Rules of single files of code: lengths, headers, what is not said, what is not done.
#include <algorithm>
#include <regex>

#include "tests/tidy/rules.h"

namespace relations::tidy {
namespace {

constexpr size_t kColumnsMax = 100;
constexpr size_t kLinesMax = 450;
constexpr size_t kTestLinesMax = 600;

bool IsCode(const std::string& path) {
  return IsCpp(path) || EndsWith(path, ".proto") || EndsWith(path, ".sh") ||
         NameOf(path) == "CMakeLists.txt" || EndsWith(path, ".cmake") || StartsWith(path, ".ci/");
}

// Files of our own words: code, documents, settings.
bool IsText(const std::string& path) {
  return IsCode(path) || EndsWith(path, ".md") || EndsWith(path, ".scenario") ||
         EndsWith(path, ".json") || EndsWith(path, ".yaml") || EndsWith(path, ".yml");
}

using LineCheck = std::function<std::string(const std::string& line)>;

// A fault for each line of the chosen files of which `check` says something.
std::vector<Fault> CheckLines(const SourceTree& tree,
                              const std::function<bool(const std::string& path)>& chosen,
                              const LineCheck& check) {
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!chosen(path)) continue;
    int number = 0;
    for (const std::string& line : LinesOf(file.text)) {
      ++number;
      if (const std::string what = check(line); !what.empty()) {
        faults.push_back({path, number, what});
      }
    }
  }
  return faults;
}

LineCheck Refuse(const std::string& pattern, const std::string& what) {
  return [expression = std::regex(pattern), what](const std::string& line) {
    return std::regex_search(line, expression) ? what : "";
  };
}

std::vector<Fault> CheckMarks(const SourceTree& tree) {
  // Spelled in two halves: this file obeys the rule too.
  const std::string marks =
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b";
  return CheckLines(
      tree, [](const std::string& path) { return IsCode(path) || IsText(path); },
      Refuse(marks, "a mark of unfinished work"));
}

std::vector<Fault> CheckDeadCode(const SourceTree& tree) {
  return CheckLines(tree, IsCpp,
                    Refuse("^\\s*#\\s*if\\s+(0|false)\\b", "code that is never built"));
}

size_t ColumnsOf(const std::string& line) {
  // Every byte but the later ones of a UTF-8 sequence.
  return static_cast<size_t>(std::count_if(
      line.begin(), line.end(), [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

std::vector<Fault> CheckColumns(const SourceTree& tree) {
  return CheckLines(
      tree, [](const std::string& path) { return IsCpp(path) || EndsWith(path, ".proto"); },
      [](const std::string& line) {
        return ColumnsOf(line) > kColumnsMax ? std::to_string(ColumnsOf(line)) + " columns" : "";
      });
}

std::vector<Fault> CheckFileLength(const SourceTree& tree) {
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!IsCpp(path)) continue;
    const size_t lines = LinesOf(file.text).size();
    if (lines > (StartsWith(path, "tests/") ? kTestLinesMax : kLinesMax)) {
      faults.push_back({path, 0, std::to_string(lines) + " lines"});
    }
  }
  return faults;
}

std::vector<Fault> CheckHeaders(const SourceTree& tree) {
  static const std::regex using_namespace("^\\s*using\\s+namespace\\b");
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!EndsWith(path, ".h")) continue;
    const std::vector<std::string> lines = LinesOf(file.text);
    if (lines.empty() || !StartsWith(lines.front(), "//")) {
      faults.push_back({path, 1, "a header starts with what it is"});
    }
    const auto is_comment = [](const std::string& line) {
      return line.empty() || StartsWith(line, "//");
    };
    const auto code = std::find_if_not(lines.begin(), lines.end(), is_comment);
    if (code == lines.end() || *code != "#pragma once") {
      faults.push_back({path, 0, "the first line of code of a header is #pragma once"});
    }
    for (size_t i = 0; i < lines.size(); ++i) {
      if (std::regex_search(lines[i], using_namespace)) {
        faults.push_back({path, static_cast<int>(i) + 1, "a header opens no namespace to others"});
      }
    }
  }
  return faults;
}

// Storage is used by programs that own their standard streams; it has a log.
std::vector<Fault> CheckStreams(const SourceTree& tree) {
  return CheckLines(
      tree, [](const std::string& path) { return IsCpp(path) && StartsWith(path, "storage/"); },
      Refuse("\\bstd::(cerr|clog)\\b", "storage writes to its log"));
}

std::vector<Fault> CheckOutput(const SourceTree& tree) {
  const auto is_library = [](const std::string& path) {
    return IsCpp(path) && !StartsWith(path, "tests/") && !StartsWith(path, "server/ctl/") &&
           NameOf(path) != "main.cc";
  };
  return CheckLines(tree, is_library,
                    Refuse("\\bstd::cout\\b|\\b(std::)?(printf|puts|putchar)\\s*\\(",
                           "only programs write to standard output; libraries log"));
}

std::vector<Fault> CheckSleeps(const SourceTree& tree) {
  // Crash tests draw by lot when a program dies, and a soak lasts: there time is what is waited
  // for.
  const auto waits = [](const std::string& path) {
    return IsCpp(path) && path != "tests/crash/kill_test.cc" &&
           path != "tests/crash/served_history.cc" && path != "tests/crash/soak_test.cc";
  };
  return CheckLines(tree, waits,
                    Refuse("\\b(sleep_for|sleep_until|usleep|nanosleep|SleepFor)\\s*\\(|"
                           "(^|[^\\w.>])sleep\\s*\\(",
                           "wait for what is to happen, not for time to pass"));
}

// A test under a tag like [.shared] is one that takes long: a ctest entry of its own names the tag.
std::vector<Fault> CheckHiddenTests(const SourceTree& tree) {
  const auto is_test = [](const std::string& path) { return EndsWith(path, "_test.cc"); };
  std::vector<Fault> faults =
      CheckLines(tree, is_test,
                 Refuse("TEST_CASE.*\"\\[[^\"]*(\\.|!mayfail|!shouldfail|!hide)[^\"]*\\]\"",
                        "a test that is compiled is run, and must pass"));
  static const std::regex tagged("TEST_CASE.*\"\\[\\.([a-z]+)\\]\"");
  std::erase_if(faults, [&](const Fault& fault) {
    const std::vector<std::string> lines = LinesOf(tree.files().at(fault.path).text);
    std::smatch match;
    if (!std::regex_search(lines[static_cast<size_t>(fault.line) - 1], match, tagged)) return false;
    const auto list = tree.files().find(FolderOf(fault.path) + "/CMakeLists.txt");
    return list != tree.files().end() &&
           list->second.text.find("\"[" + match[1].str() + "]\"") != std::string::npos;
  });
  return faults;
}

std::vector<Fault> CheckWhiteSpace(const SourceTree& tree) {
  std::vector<Fault> faults = CheckLines(
      tree, IsText, Refuse("[ \\t\\r]$", "blanks or a carriage return at the end of the line"));
  for (const auto& [path, file] : tree.files()) {
    if (IsText(path) && !file.text.empty() && file.text.back() != '\n') {
      faults.push_back({path, 0, "the last line has no end"});
    }
    if (IsText(path) && file.text.find('\t') != std::string::npos) {
      faults.push_back({path, 0, "a tab"});
    }
  }
  return faults;
}

}  // namespace

std::vector<Rule> CodeRules() {
  return {{"no marks of unfinished work", CheckMarks},
          {"no dead code", CheckDeadCode},
          {"lines of at most 100 columns", CheckColumns},
          {"files that can be read in one sitting", CheckFileLength},
          {"headers say what they are", CheckHeaders},
          {"libraries do not print", CheckOutput},
          {"storage logs", CheckStreams},
          {"no sleeping", CheckSleeps},
          {"no hidden tests", CheckHiddenTests},
          {"clean white space", CheckWhiteSpace}};
}

}  // namespace relations::tidy
