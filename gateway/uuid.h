// Identifiers of requests and errors.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace relations::gateway {

// A fresh random UUID (version 4) in lower case. Thread-safe.
std::string MakeUuid();

// True for a lower-case UUID of version 4.
bool IsUuid(absl::string_view text);

}  // namespace relations::gateway
