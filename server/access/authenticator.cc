#include "server/access/authenticator.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "server/access/jwt.h"
#include "storage/base/limits.h"

namespace relations {
namespace {

bool IsCredential(absl::string_view text, size_t bytes_max = limits::kCredentialBytesMax) {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

std::optional<Credentials> ParseBearer(absl::string_view authorization) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(authorization, ' ', absl::SkipEmpty());
  if (words.size() != 2 || !absl::EqualsIgnoreCase(words[0], "bearer") ||
      !IsCredential(words[1],
                    HasJwtShape(words[1]) ? limits::kJwtBytesMax : limits::kCredentialBytesMax)) {
    return std::nullopt;
  }
  Credentials credentials;
  credentials.bearer = words[1];
  return credentials;
}

}  // namespace

std::optional<Credentials> ParseCredentials(const CredentialHeaders& headers) {
  if (headers.authorization.size() > 1) {
    return std::nullopt;
  }
  if (!headers.authorization.empty() && !headers.authorization.front().empty()) {
    return ParseBearer(headers.authorization.front());
  }
  if (headers.api_key.size() != 1 || headers.api_secret.size() != 1 ||
      !IsCredential(headers.api_key.front()) || !IsCredential(headers.api_secret.front())) {
    return std::nullopt;
  }
  Credentials credentials;
  credentials.api_key = headers.api_key.front();
  credentials.api_secret = headers.api_secret.front();
  return credentials;
}

Verdict AuthenticateAndWait(Authenticator& authenticator, const Credentials& credentials,
                            absl::Time now) {
  // Shared: the setter may still be inside the promise when the waiter has its verdict.
  const auto promised = std::make_shared<std::promise<Verdict>>();
  std::optional<Verdict> at_hand = authenticator.Authenticate(
      credentials, now, [promised](Verdict verdict) { promised->set_value(std::move(verdict)); });
  return at_hand.has_value() ? *std::move(at_hand) : promised->get_future().get();
}

std::optional<Verdict> StoreAuthenticator::Authenticate(const Credentials& credentials,
                                                        absl::Time now, Later) {
  absl::StatusOr<std::optional<Principal>> found =
      credentials.bearer.empty()
          ? store_->FindKeyPair(credentials.api_key, credentials.api_secret, now)
          : store_->FindSession(credentials.bearer, now);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::UnauthenticatedError("credentials unknown, expired, unverified or revoked");
  }
  return **std::move(found);
}

bool HasAnyRole(const Principal& principal, const std::vector<std::string>& roles) {
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return std::find(principal.roles.begin(), principal.roles.end(), role) != principal.roles.end();
  });
}

}  // namespace relations
