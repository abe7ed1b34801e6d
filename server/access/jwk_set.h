// The public keys of an identity provider: a JSON Web Key Set (RFC 7517).
//
// Kept are keys that can verify RS256 or ES256: RSA of 2,048 to 8,192 bits, and the curve P-256. A
// key for another use, algorithm or curve, without a `kid`, or that is no key, is left out, as the
// standard asks.
//
// Immutable; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "openssl/evp.h"
#include "server/access/jwt.h"

namespace relations {

class JwkSet {
 public:
  static constexpr size_t kBytesMax = 256 << 10;
  static constexpr size_t kKeysMax = 256;

  // INVALID_ARGUMENT when the text is no set, is too large, or holds no key that can be used.
  static absl::StatusOr<JwkSet> Parse(absl::string_view json);

  size_t size() const { return keys_.size(); }
  // True when a key of this name is there, for whatever algorithm.
  bool Has(absl::string_view key_id) const;

  // Whether a key of the token's name and for its algorithm made its signature.
  bool Verifies(const Jwt& token) const;

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  struct Entry {
    std::string id;
    JwtAlgorithm algorithm;
    Key key;
  };

  std::vector<Entry> keys_;
};

}  // namespace relations
