// The form of the ids that the server gives to errors.
#pragma once

#include "absl/strings/string_view.h"

namespace relations::gateway {

// True for a lower-case UUID of version 4.
bool IsUuid(absl::string_view text);

}  // namespace relations::gateway
