#include "server/access/auth_answer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/access/claims.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr char kExpireAt[] = "expireAt";

bool IsRefusal(unsigned status) {
  return status == 400 || status == 401 || status == 403 || status == 404;
}

absl::StatusOr<std::optional<absl::Time>> ExpiryOf(const JsonObject& account) {
  std::string_view text;
  if (account.at_key(kExpireAt).get(text)) return FindSeconds(account, kExpireAt);
  absl::Time time;
  int64_t seconds = 0;
  const absl::string_view form(text.data(), text.size());
  if (!form.empty() && std::all_of(form.begin(), form.end(), absl::ascii_isdigit)) {
    // Beyond 64 bits is beyond all days.
    return absl::SimpleAtoi(form, &seconds) ? absl::FromUnixSeconds(seconds)
                                            : absl::InfiniteFuture();
  }
  // The library also knows words for the ends of time.
  if (!form.empty() && absl::ascii_isdigit(static_cast<unsigned char>(form.front())) &&
      absl::ParseTime(absl::RFC3339_full, form, &time, nullptr))
    return time;
  return absl::InvalidArgumentError("expireAt is neither seconds nor a time of RFC 3339");
}

absl::StatusOr<AuthAnswer> ReadAccount(absl::string_view body, absl::Time now) {
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const JsonObject account, ParseJsonObject(parser, body));
  bool verified = false;
  if (account.at_key("verified").get(verified) || !verified) {
    return AuthAnswer{absl::UnauthenticatedError("the account is not verified"), {}};
  }
  ASSIGN_OR_RETURN(const std::optional<absl::Time> expires, ExpiryOf(account));
  if (!expires.has_value() || *expires <= now) {
    return AuthAnswer{absl::UnauthenticatedError("the credentials have expired"), {}};
  }
  Principal principal;
  ASSIGN_OR_RETURN(const std::optional<std::string> user, FindText(account, "userID"));
  ASSIGN_OR_RETURN(const std::optional<std::string> key, FindText(account, "keyID"));
  principal.user_id = user.has_value() ? *user : key.value_or("");
  principal.credential_id = key.value_or("");
  if (!IsUserId(principal.user_id)) {
    return absl::InvalidArgumentError("neither userID nor keyID names a user");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> groups, FindTexts(account, "groups"));
  ASSIGN_OR_RETURN(principal.groups, TakeGroups(groups));
  ASSIGN_OR_RETURN(std::vector<std::string> roles, FindTexts(account, "roles"));
  ASSIGN_OR_RETURN(principal.roles, TakeRoles(std::move(roles)));
  return AuthAnswer{std::move(principal), *expires};
}

}  // namespace

AuthAnswer ReadAuthAnswer(unsigned status, absl::string_view body, absl::Time now) {
  if (IsRefusal(status)) {
    return {absl::UnauthenticatedError(absl::StrCat("the authentication service answers ", status)),
            {}};
  }
  if (status != 200) {
    return {absl::UnavailableError(absl::StrCat("the authentication service answers ", status)),
            {}};
  }
  auto answer = ReadAccount(body, now);
  if (answer.ok()) return *std::move(answer);
  return {
      absl::UnavailableError(absl::StrCat(
          "the answer of the authentication service cannot be read: ", answer.status().message())),
      {}};
}

}  // namespace relations
