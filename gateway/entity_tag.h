// Entity tags of answers, and whether a client has the answer already (RFC 9110, sections 8.8.3 and
// 13.1.2). Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/content_coding.h"

namespace relations::gateway {

// A strong tag with its quotes, over all that a client sees of an answer: its body before coding,
// the stop reason, the coding. Equal answers have equal tags in every process; 128 bits make it
// sure that different ones differ, unless somebody works at that: the hash is no cryptographic one.
std::string EntityTagOf(absl::string_view body, absl::string_view stop_reason,
                        ContentCoding coding);

// True when `tag` is among the values of If-None-Match lines (weak or not), or when one of them is
// `*`. What is malformed matches nothing.
bool NamesTag(const std::vector<std::string>& if_none_match, absl::string_view tag);

}  // namespace relations::gateway
