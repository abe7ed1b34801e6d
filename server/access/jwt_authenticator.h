// Verifies tokens that an identity provider has signed, without asking it: signature (jwk_set.h),
// then claims (jwt_rules.h).
//
// A token that names a key that is not there makes the keys be looked for, at most once in a while
// (jwt_keys.h); the call waits for that. While there are no keys at all, nobody can tell.
//
// Thread-safe.
#pragma once

#include <memory>
#include <optional>

#include "server/access/authenticator.h"
#include "server/access/jwt_keys.h"
#include "server/access/jwt_rules.h"

namespace relations {

class JwtAuthenticator final : public Authenticator {
 public:
  JwtAuthenticator(std::unique_ptr<JwtKeys> keys, JwtRules rules)
      : rules_(std::move(rules)), keys_(std::move(keys)) {}

  // REQUIRES: the credentials are a bearer token.
  std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time now,
                                      Later later) override;

  JwtKeys& keys() { return *keys_; }

 private:
  Verdict Judge(const Jwt& token, const JwkSet& keys, absl::Time now) const;

  const JwtRules rules_;
  // Destroyed first: its thread uses what is above.
  const std::unique_ptr<JwtKeys> keys_;
};

}  // namespace relations
