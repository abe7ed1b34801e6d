// From the paths that a user names to the inputs that an import reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace relations {

struct InputPaths {
  // In the order of reading; "-" is standard input.
  std::vector<std::string> files;
  // Bytes of all files, or 0 when one of them has no size (a pipe).
  uint64_t bytes = 0;
  // Files of directories that are of no kind that is imported.
  uint64_t other_files = 0;
  // Directories that cannot be listed or hold nothing to import, with the reason.
  struct Failure {
    std::string path;
    std::string reason;
  };
  std::vector<Failure> failures;
};

// Files are taken as named, directories give their files recursively in the order of their names,
// hidden ones and links to directories left out. NOT_FOUND for a path that is not there,
// INVALID_ARGUMENT for a table or another file that can hold nothing to import, for "-" given
// twice and for no path at all.
absl::StatusOr<InputPaths> ExpandPaths(absl::Span<const std::string> paths);

// True when a name, .gz aside, says JSON Lines (.jsonl, .ndjson).
bool NamesJsonLines(const std::string& path);

}  // namespace relations
