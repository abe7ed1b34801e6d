#include "storage/import/input_paths.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kImportedSuffixes = {".json", ".jsonl", ".ndjson",
                                                          ".stix", ".stix2", ".misp"};
constexpr std::array<const char*, 2> kTableSuffixes = {".csv", ".tsv"};

// The name in lower case without .gz.
std::string PlainName(absl::string_view path) {
  std::string name = absl::AsciiStrToLower(path);
  name.resize(absl::StripSuffix(name, ".gz").size());
  return name;
}

template <typename Suffixes>
bool EndsWithOneOf(const std::string& path, const Suffixes& suffixes) {
  const std::string name = PlainName(path);
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&name](const char* suffix) { return absl::EndsWith(name, suffix); });
}

// Adds a file; false when its size cannot be told.
bool AddFile(const fs::path& path, InputPaths& inputs) {
  inputs.files.push_back(path.string());
  std::error_code error;
  const bool is_regular = fs::is_regular_file(path, error);
  const uint64_t size = is_regular ? fs::file_size(path, error) : 0;
  inputs.bytes += error ? 0 : size;
  return is_regular;
}

bool IsHidden(const fs::path& path) { return absl::StartsWith(path.filename().string(), "."); }

// The importable files below `directory`, sorted.
void AddDirectory(const std::string& directory, InputPaths& inputs) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code kind_error;
    const bool is_directory = entry->is_directory(kind_error) && !entry->is_symlink(kind_error);
    if (IsHidden(entry->path())) {
      if (is_directory) {
        entry.disable_recursion_pending();
      }
    } else if (!is_directory) {
      if (entry->is_regular_file(kind_error) &&
          EndsWithOneOf(entry->path().string(), kImportedSuffixes)) {
        found.push_back(entry->path());
      } else {
        ++inputs.other_files;
      }
    }
    entry.increment(error);
  }
  if (error) {
    inputs.failures.push_back({directory, absl::StrCat("cannot be listed: ", error.message())});
  } else if (found.empty()) {
    inputs.failures.push_back({directory, "the directory holds no file that can be imported"});
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& path : found) {
    AddFile(path, inputs);
  }
}

}  // namespace

absl::StatusOr<InputPaths> ExpandPaths(absl::Span<const std::string> paths) {
  if (paths.empty()) {
    return absl::InvalidArgumentError("no file or directory to import is named");
  }
  InputPaths inputs;
  bool sizes_known = true;
  bool has_standard_input = false;
  for (const std::string& path : paths) {
    if (path == "-") {
      if (has_standard_input) {
        return absl::InvalidArgumentError("- (standard input) is named twice");
      }
      has_standard_input = true;
      sizes_known = false;
      inputs.files.push_back(path);
      continue;
    }
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      return absl::NotFoundError(absl::StrCat(path, ": ", error.message()));
    }
    if (fs::is_directory(status)) {
      AddDirectory(path, inputs);
      continue;
    }
    if (EndsWithOneOf(path, kTableSuffixes)) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": tables are not imported; give their content as JSON Lines, STIX or MISP"));
    }
    sizes_known = AddFile(path, inputs) && sizes_known;
  }
  if (!sizes_known) {
    inputs.bytes = 0;
  }
  return inputs;
}

bool NamesJsonLines(const std::string& path) {
  static constexpr std::array<const char*, 2> kSuffixes = {".jsonl", ".ndjson"};
  return EndsWithOneOf(path, kSuffixes);
}

}  // namespace relations
