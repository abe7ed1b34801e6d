// The rule of urls. Two readings of a url are accepted, the first that fits gives the form:
//
//   request   as an HTTP request line names its target: scheme://authority/path?query, scheme:rest,
//             /path or *. There is no fragment: a # is part of the path, where it is escaped, or of
//             the query. Escapes must be whole. What is no character of a path is escaped in it.
//   feed      scheme://authority and anything without white space, as feeds give them: a # begins a
//             fragment, the rest stays as it is.
//
// The first is what other producers of ids do (data_types.tsv), the second M4 of import.md. Feeds
// mean a fragment by a # even where the first reading fits (NormalFeedUrl). Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/import/normal_form.h"

namespace relations {

// `value` must be valid UTF-8.
NormalForm NormalUrl(absl::string_view value);

// As NormalUrl, but a # before any ? begins a fragment, which stays as it is: feeds, and tables of
// urls made from them, hold such urls, and one url must be one entity.
NormalForm NormalFeedUrl(absl::string_view value);

// The length of the scheme when `text` begins with scheme://, else 0.
size_t SchemeLength(absl::string_view text);

// The host of scheme://authority..., percent-decoded, without user, port and brackets. Nothing when
// there is no authority or its host is empty.
std::optional<std::string> HostText(absl::string_view url);

}  // namespace relations
