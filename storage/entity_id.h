// Entity ids: opaque to readers, made here for entities that this system names itself.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// True when `id` has the grammar of an entity id: 3 to 128 characters of A-Z a-z 0-9 and '-', at
// least one '-', none at either end. Says nothing about whether such an entity exists.
bool IsEntityId(absl::string_view id);

// The id of the entity of `type` whose normalised main value is `value`:
// type + "-" + lower-case hex of SHA3-256 (FIPS 202) over the value's UTF-8 bytes. Thread-safe.
std::string MakeEntityId(absl::string_view type, absl::string_view value);

}  // namespace relations
