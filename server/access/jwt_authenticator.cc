#include "server/access/jwt_authenticator.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace relations {
namespace {

Verdict NoKeys() { return absl::UnavailableError("there are no keys to verify tokens with"); }

Verdict Refuse(absl::string_view what) {
  return absl::UnauthenticatedError(absl::StrCat("the token: ", what));
}

}  // namespace

std::optional<Verdict> JwtAuthenticator::Authenticate(const Credentials& credentials,
                                                      absl::Time now, Later later) {
  const absl::StatusOr<Jwt> token = ParseJwt(credentials.bearer);
  if (!token.ok()) return Refuse(token.status().message());
  const std::shared_ptr<const JwkSet> keys = keys_->current();
  if (keys != nullptr && keys->Has(token->key_id)) return Judge(*token, *keys, now);
  const bool waits =
      keys_->LookForMissing([this, source = keys_.get(), text = std::string(credentials.bearer),
                             now, later = std::move(later)] {
        const std::shared_ptr<const JwkSet> fresh = source->current();
        later(fresh == nullptr ? NoKeys() : Judge(*ParseJwt(text), *fresh, now));
      });
  if (waits) return std::nullopt;
  return keys == nullptr ? NoKeys() : Judge(*token, *keys, now);
}

Verdict JwtAuthenticator::Judge(const Jwt& token, const JwkSet& keys, absl::Time now) const {
  if (!keys.Has(token.key_id)) return Refuse("its key is not known");
  if (!keys.Verifies(token)) return Refuse("its signature is not by the key that it names");
  return JudgeClaims(rules_, token.claims, now);
}

}  // namespace relations
