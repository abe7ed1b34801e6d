// What feeds mean by the network values they write: defanged dots taken back (M2 of import.md) and
// values under the wrong type put right (M3). Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

// `text` with its brackets around dots, at signs, colons and slashes undone, and hxxp and fxp at
// its start spelt out. "hxxps[://]evil[.]com" is "https://evil.com".
std::string Refanged(absl::string_view text);

struct FeedValue {
  // A literal. The value is one of this type, yet to be normalised.
  absl::string_view type;
  std::string text;
  // Why it can be nothing; a literal, empty when it may be something.
  absl::string_view refusal;
};

// What a trimmed value of one of the types ip, cidr, domain, hostname, url and email-address is;
// nothing for every other type.
std::optional<FeedValue> ReadNetworkValue(absl::string_view type, absl::string_view trimmed);

}  // namespace relations
