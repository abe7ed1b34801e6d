// Stored text on a terminal. What the store holds was written by strangers: a control character in
// it could move the cursor, hide text or answer for the user, so none is ever printed raw.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// `text` with every control character (C0, DEL, C1), every character that reorders or hides text
// (bidirectional controls, zero width, line and paragraph separators) and every byte that is no
// UTF-8 as an escape: \n, \t, \x1b, \u202e. A backslash becomes \\, so that nothing can pretend to
// be an escape.
std::string Printable(absl::string_view text);

// JSON with the same characters, where they stand outside ASCII, as \uXXXX: means the same, and can
// be shown. `json` must be valid JSON in UTF-8, whose strings hold no raw ASCII control.
std::string PrintableJson(absl::string_view json);

// How many columns a terminal needs for `text`, counting one a character: good enough to align a
// table.
size_t Columns(absl::string_view text);

// "1 file", "2 files".
std::string Counted(uint64_t count, absl::string_view one, absl::string_view many);

}  // namespace relations
