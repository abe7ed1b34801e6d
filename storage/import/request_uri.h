// A url read as the target of an HTTP request and written anew, byte for byte as other producers of
// entity ids do (data_types.tsv, row URL). Thread-safe.
//
//   HTTP://Example.COM/a b#c?q=ü#f   ->   http://example.com/a%20b%23c?q=ü#f
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// The form, or nothing when `text` is no such target: a control character, an escape that is not
// whole, a character that no host may have, a port that is no number, neither scheme nor leading /.
std::optional<std::string> RequestUriForm(absl::string_view text);

// `text` with its percent escapes replaced by their bytes; nothing when an escape is not whole.
std::optional<std::string> PercentDecoded(absl::string_view text);

// True for an empty string and for ":" with any number of digits.
bool IsOptionalPort(absl::string_view text);

}  // namespace relations
