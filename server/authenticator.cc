#include "server/authenticator.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "storage/base/limits.h"

namespace relations {
namespace {

bool IsCredential(absl::string_view text) {
  return !text.empty() && text.size() <= limits::kCredentialBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

std::optional<Credentials> ParseBearer(absl::string_view authorization) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(authorization, ' ', absl::SkipEmpty());
  if (words.size() != 2 || !absl::EqualsIgnoreCase(words[0], "bearer") || !IsCredential(words[1])) {
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

absl::StatusOr<std::optional<Principal>> StoreAuthenticator::Authenticate(
    const Credentials& credentials, absl::Time now) {
  return credentials.bearer.empty()
             ? store_->FindKeyPair(credentials.api_key, credentials.api_secret, now)
             : store_->FindSession(credentials.bearer, now);
}

bool HasAnyRole(const Principal& principal, const std::vector<std::string>& roles) {
  return std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
    return std::find(principal.roles.begin(), principal.roles.end(), role) != principal.roles.end();
  });
}

}  // namespace relations
