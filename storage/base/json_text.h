// Text as JSON: the string escaping that logs and the operator's tool share.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// Appends `text` as a JSON string with its quotes. Control characters are escaped; a byte that is
// not part of valid UTF-8 becomes U+FFFD, so the result is valid whatever the input.
void AppendJsonString(absl::string_view text, std::string& json);

// True when `text` is valid UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool IsValidUtf8(absl::string_view text);

}  // namespace relations
