// The tokens of STIX patterns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

struct StixPatternToken {
  enum class Kind {
    // A keyword, a type, a step of a path.
    kWord,
    // '...', escapes resolved.
    kString,
    // h'...', b'...', t'...': the text between the quotes.
    kHex,
    kBinary,
    kTimestamp,
    kInteger,
    kFloat,
    // = == != <> < <= > >= and single punctuation.
    kSymbol,
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  // Byte offset in the pattern.
  size_t position = 0;
};

// The tokens of `pattern`, the last one kEnd; white space and comments are left out.
// INVALID_ARGUMENT at what is no token.
absl::StatusOr<std::vector<StixPatternToken>> TokenizeStixPattern(absl::string_view pattern);

// "at character 17: CAUSE", from 1.
absl::Status StixPatternFault(size_t position, absl::string_view cause);

}  // namespace relations
