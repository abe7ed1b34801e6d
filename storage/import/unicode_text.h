// Text in Unicode: what of it is kept, how it is trimmed, lower case and A-labels.
// Thread-safe. Input is UTF-8; where a function takes invalid UTF-8, each byte that is not part of
// a valid sequence counts as U+FFFD.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// True when every byte is below 0x80: what most values are, and quick to see.
bool IsAscii(absl::string_view text);

enum class LetterCase { kKeep, kLower };

// Letters, numbers, punctuation, symbols and white space of `text`; every other code point
// (combining marks, control and format characters) becomes one space. Takes invalid UTF-8.
std::string CleanText(absl::string_view text, LetterCase letter_case);

// Lower case by Unicode's simple mapping, code point by code point: no final sigma, no locale.
// Takes invalid UTF-8.
std::string LowerCase(absl::string_view text);

// Title case of lower-case text, word by word as in English: "saint-denis" is "Saint-Denis".
std::string TitleCase(absl::string_view lower);

// `text` without the white space and the invisible characters at its ends (import.md M1). A view of
// `text`, which must be valid UTF-8.
absl::string_view TrimBlank(absl::string_view text);

// True when there is nothing but white space.
bool IsBlank(absl::string_view text);

// True when a control character or white space is in `text`.
bool HasControlOrSpace(absl::string_view text);

// `labels`, one or several with dots between, as A-labels (UTS #46, non-transitional, STD3 rules
// off). Nothing when a code point is not allowed or an encoding is broken. Says nothing about
// lengths, hyphens or empty labels.
std::optional<std::string> ToALabels(absl::string_view labels);

}  // namespace relations
