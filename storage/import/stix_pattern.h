// STIX patterns (STIX 2.1, section 9): parsed in full, of which an import takes the values that
// are compared for equality (S4).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

struct StixPattern {
  struct Value {
    // The entity type that the comparison's path stands for.
    std::string type;
    // As written, escapes resolved; not yet cleaned.
    std::string text;
  };
  // In the order of the pattern.
  std::vector<Value> values;
  // Hashes and names that one [...] gives to one file, as indexes of `values`; at least one is a
  // hash.
  std::vector<std::vector<size_t>> files;
  // What gives no entity, by kind: "pattern path x:y", "pattern comparison LIKE".
  std::vector<std::string> unmapped;
};

// INVALID_ARGUMENT with the position and cause when `pattern` is none. One longer than
// limits::kImportPatternBytesMax or nested beyond limits::kImportPatternDepthMax is refused.
absl::StatusOr<StixPattern> ParseStixPattern(absl::string_view pattern);

}  // namespace relations
