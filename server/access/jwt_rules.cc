#include "server/access/jwt_rules.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/access/claims.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

absl::Status Refuse(absl::string_view what) {
  return absl::UnauthenticatedError(absl::StrCat("the token ", what));
}

absl::Status JudgeTime(const JsonObject& claims, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<absl::Time> expires, FindSeconds(claims, "exp"));
  if (!expires.has_value()) return Refuse("has no expiry");
  if (*expires + JwtRules::kLeeway <= now) return Refuse("has expired");
  ASSIGN_OR_RETURN(const std::optional<absl::Time> begins, FindSeconds(claims, "nbf"));
  if (begins.has_value() && *begins - JwtRules::kLeeway > now) return Refuse("is not valid yet");
  return absl::OkStatus();
}

Verdict Judge(const JwtRules& rules, absl::string_view text, absl::Time now) {
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const JsonObject claims, ParseJsonObject(parser, text));
  ASSIGN_OR_RETURN(const std::optional<std::string> issuer, FindText(claims, "iss"));
  if (issuer != rules.issuer) return Refuse("is of another issuer");
  ASSIGN_OR_RETURN(const std::vector<std::string> audience, FindTexts(claims, "aud"));
  if (std::find(audience.begin(), audience.end(), rules.audience) == audience.end()) {
    return Refuse("is for another audience");
  }
  RETURN_IF_ERROR(JudgeTime(claims, now));
  Principal principal;
  ASSIGN_OR_RETURN(const std::optional<std::string> user, FindText(claims, "sub"));
  principal.user_id = user.value_or("");
  if (!IsUserId(principal.user_id)) return Refuse("names no user");
  ASSIGN_OR_RETURN(const std::vector<std::string> groups, FindTexts(claims, rules.group_claim));
  ASSIGN_OR_RETURN(principal.groups, TakeGroups(groups));
  ASSIGN_OR_RETURN(std::vector<std::string> roles, FindTexts(claims, rules.role_claim));
  ASSIGN_OR_RETURN(principal.roles, TakeRoles(std::move(roles)));
  return principal;
}

}  // namespace

Verdict JudgeClaims(const JwtRules& rules, absl::string_view claims, absl::Time now) {
  Verdict verdict = Judge(rules, claims, now);
  if (verdict.ok() || absl::IsUnauthenticated(verdict.status())) return verdict;
  return absl::UnauthenticatedError(
      absl::StrCat("the token cannot be read: ", verdict.status().message()));
}

}  // namespace relations
