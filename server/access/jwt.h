// JSON Web Tokens as bearer tokens (RFC 7519, compact form of RFC 7515): HEADER.CLAIMS.SIGNATURE,
// each part in base64url without padding.
//
// Accepted are RS256 and ES256 and nothing else. A header that names another algorithm (`none`
// above all), critical extensions, or a kind of token other than JWT or at+jwt is refused before a
// key is looked at.
//
// Thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

// True for three parts of base64url characters, none empty, with dots between.
bool HasJwtShape(absl::string_view token);

enum class JwtAlgorithm { kRs256, kEs256 };

// The accepted algorithm of that name. INVALID_ARGUMENT for others.
absl::StatusOr<JwtAlgorithm> JwtAlgorithmOf(absl::string_view name);

// A token taken apart; nothing is proved yet.
struct Jwt {
  JwtAlgorithm algorithm = JwtAlgorithm::kRs256;
  std::string key_id;
  // What is signed. Points into the token.
  absl::string_view signed_part;
  std::string signature;
  // JSON, to be read only after the signature was verified.
  std::string claims;
};

// INVALID_ARGUMENT says why a token is refused, without a word of the token itself.
absl::StatusOr<Jwt> ParseJwt(absl::string_view token);

// The bytes that base64url text without padding stands for. INVALID_ARGUMENT for other text.
absl::StatusOr<std::string> DecodeBase64Url(absl::string_view text);

}  // namespace relations
