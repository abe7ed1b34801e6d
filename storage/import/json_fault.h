// Where and why a text is not JSON, for messages: the fast parser tells only that.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// "line 3, column 14: a comma or } is missing" for the first fault of `text`; empty when it finds
// none. Linear in the text, memory bounded by its depth in bits.
std::string DescribeJsonFault(absl::string_view text);

}  // namespace relations
