// The rule of e-mail addresses and what is written like them (Jabber ids, NetIds). Thread-safe.
#pragma once

#include "absl/strings/string_view.h"
#include "storage/import/normal_form.h"

namespace relations {

// The bare address in lower case: of one address of RFC 5322, with its display name, comments and
// quotes dropped; else of `Anything <name@domain>` or `name@domain` whose domain NormalDomain
// accepts.
NormalForm NormalEmail(absl::string_view value);

}  // namespace relations
