// Rules of documents and of the tree as a whole.
#include <cctype>
#include <regex>
#include <set>

#include "tests/tidy/rules.h"

namespace relations::tidy {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

// A relative path made plain: "a/b/../c" is "a/c". Empty when it leaves the tree.
std::string Resolved(const std::string& folder, const std::string& link) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : folder + "/" + link + "/") {
    if (c != '/') {
      part += c;
      continue;
    }
    if (part == "..") {
      if (parts.empty()) return "..";
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    part.clear();
  }
  std::string path;
  for (const std::string& name : parts) path += (path.empty() ? "" : "/") + name;
  return path;
}

// The anchor of a heading: small letters, digits, hyphens for blanks.
std::string AnchorOf(const std::string& heading) {
  std::string anchor;
  for (const unsigned char c : heading) {
    if (std::isalnum(c) || c == '-' || c == '_' || c >= 0x80) {
      anchor += static_cast<char>(std::tolower(c));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::set<std::string> AnchorsOf(const std::string& text) {
  static const std::regex heading("^#+ +(.*)$");
  std::set<std::string> anchors;
  for (const std::string& line : LinesOf(text)) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) anchors.insert(AnchorOf(match[1]));
  }
  return anchors;
}

std::vector<Fault> CheckLinks(const SourceTree& tree) {
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  static const std::regex absolute("^[a-z]+:");
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (!EndsWith(path, ".md")) continue;
    int number = 0;
    bool in_code = false;
    for (const std::string& line : LinesOf(file.text)) {
      ++number;
      if (StartsWith(line, "```")) in_code = !in_code;
      if (in_code) continue;
      for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
        const std::string target = (*match)[1];
        if (std::regex_search(target, absolute)) continue;
        const size_t hash = target.find('#');
        const std::string file_part = target.substr(0, hash);
        const std::string meant = file_part.empty() ? path : Resolved(FolderOf(path), file_part);
        if (!tree.HasPath(meant)) {
          faults.push_back({path, number, "nothing is at " + target});
        } else if (hash != std::string::npos && EndsWith(meant, ".md") &&
                   !AnchorsOf(tree.files().at(meant).text).contains(target.substr(hash + 1))) {
          faults.push_back({path, number, "no heading is at " + target});
        }
      }
    }
  }
  return faults;
}

std::vector<Fault> CheckReadmes(const SourceTree& tree) {
  std::set<std::string> folders;
  for (const auto& [path, file] : tree.files()) {
    const size_t slash = path.find('/');
    if (slash != std::string::npos && path.front() != '.') folders.insert(path.substr(0, slash));
  }
  std::vector<Fault> faults;
  if (!tree.Has("README.md")) faults.push_back({"README.md", 0, "is missing"});
  for (const std::string& folder : folders) {
    if (!tree.Has(folder + "/README.md")) {
      faults.push_back({folder + "/README.md", 0, "is missing"});
    }
  }
  return faults;
}

std::vector<Fault> CheckTopLevel(const SourceTree& tree) {
  static const std::set<std::string> known = {
      "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "deploy", "gateway", "proto",
      "server",         "storage",           "tests"};
  std::vector<Fault> faults;
  std::set<std::string> told;
  for (const auto& [path, file] : tree.files()) {
    const std::string top = path.substr(0, path.find('/'));
    if (top.front() != '.' && !known.contains(top) && told.insert(top).second) {
      faults.push_back({top, 0, "does not belong to the top level"});
    }
  }
  return faults;
}

std::vector<Fault> CheckSizes(const SourceTree& tree) {
  std::vector<Fault> faults;
  for (const auto& [path, file] : tree.files()) {
    if (file.bytes > kFileBytesMax && !StartsWith(path, "deploy/sample/")) {
      faults.push_back({path, 0, std::to_string(file.bytes) + " bytes"});
    }
  }
  return faults;
}

}  // namespace

std::vector<Rule> DocumentRules() {
  return {{"links lead somewhere", CheckLinks},
          {"every folder tells what it is", CheckReadmes},
          {"a top level of known names", CheckTopLevel},
          {"no large files", CheckSizes}};
}

std::vector<Rule> AllRules() {
  std::vector<Rule> all;
  for (const std::vector<Rule>& rules :
       {LayerRules(), BuildRules(), CodeRules(), DocumentRules()}) {
    all.insert(all.end(), rules.begin(), rules.end());
  }
  return all;
}

}  // namespace relations::tidy
