#include "tests/tidy/source_tree.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace relations::tidy {
namespace {

namespace fs = std::filesystem;

// Larger files are data.
constexpr size_t kTextBytesMax = 4 << 20;

SourceFile Read(const fs::path& path) {
  SourceFile file;
  file.bytes = fs::file_size(path);
  if (file.bytes > kTextBytesMax) return file;
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  file.text = text.str();
  if (file.text.find('\0') != std::string::npos) file.text.clear();
  return file;
}

}  // namespace

SourceTree::SourceTree(const std::map<std::string, std::string>& texts) {
  for (const auto& [path, text] : texts) files_[path] = {text, text.size()};
}

SourceTree SourceTree::Load(const std::string& root) {
  static const std::set<std::string> left_out = {".git", ".cache", "build"};
  SourceTree tree;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && left_out.contains(entry->path().filename())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !entry->is_symlink()) {
      tree.files_[fs::relative(entry->path(), root).generic_string()] = Read(entry->path());
    }
  }
  return tree;
}

bool SourceTree::HasPath(const std::string& path) const {
  if (path.empty() || Has(path)) return true;
  const auto after = files_.lower_bound(path + "/");
  return after != files_.end() && StartsWith(after->first, path + "/");
}

std::string FolderOf(const std::string& path) { return fs::path(path).parent_path().string(); }
std::string NameOf(const std::string& path) { return fs::path(path).filename().string(); }
std::string StemOf(const std::string& path) { return fs::path(path).stem().string(); }
std::string ExtensionOf(const std::string& path) { return fs::path(path).extension().string(); }

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), std::string::npos, end) == 0;
}

bool IsCpp(const std::string& path) { return EndsWith(path, ".h") || EndsWith(path, ".cc"); }

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace relations::tidy
