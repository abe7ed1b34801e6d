// The files of the repository as text, by their paths from its root.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace relations::tidy {

struct SourceFile {
  // The bytes; empty for a file that is large or holds a NUL byte.
  std::string text;
  size_t bytes = 0;
};

class SourceTree {
 public:
  SourceTree() = default;
  // For tests: a tree of these files.
  explicit SourceTree(const std::map<std::string, std::string>& texts);
  // Reads the directory; build trees, caches and what git keeps to itself are left out.
  static SourceTree Load(const std::string& root);

  const std::map<std::string, SourceFile>& files() const { return files_; }
  bool Has(const std::string& path) const { return files_.contains(path); }
  // True for a file or a folder with files.
  bool HasPath(const std::string& path) const;

 private:
  std::map<std::string, SourceFile> files_;
};

// Parts of a path: "a/b/c.cc" is in "a/b", its name "c.cc", its stem "c", its extension ".cc".
std::string FolderOf(const std::string& path);
std::string NameOf(const std::string& path);
std::string StemOf(const std::string& path);
std::string ExtensionOf(const std::string& path);

bool StartsWith(const std::string& text, const std::string& start);
bool EndsWith(const std::string& text, const std::string& end);
// C++ of ours: .h and .cc.
bool IsCpp(const std::string& path);

// The lines of a text, without their ends.
std::vector<std::string> LinesOf(const std::string& text);

}  // namespace relations::tidy
