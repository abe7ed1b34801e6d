// Content codings of an answer (RFC 9110, sections 8.4 and 12.5.3): which one a client is sent, and
// the coded bytes. Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations::gateway {

enum class ContentCoding { kIdentity, kGzip, kZstd };

// Answers smaller than this are sent as they are: they fit one packet, coded or not.
inline constexpr size_t kCodedBytesMin = 1400;

// The word of the header Content-Encoding; empty for kIdentity.
absl::string_view CodingName(ContentCoding coding);

// The coding for a body of `body_bytes`, by the values of the Accept-Encoding lines of a request:
// the acceptable one of the highest weight, of equal ones zstd, then gzip, then none. A coding is
// never used that was not asked for; `*` asks for gzip, which every client of HTTP knows. Elements
// that are malformed are passed over. A client that refuses everything gets kIdentity.
ContentCoding ChooseCoding(const std::vector<std::string>& accept_encoding, size_t body_bytes);

// `body` in `coding`; the same bytes for the same body. INTERNAL when memory runs out.
absl::StatusOr<std::string> EncodeBody(ContentCoding coding, std::string body);

}  // namespace relations::gateway
