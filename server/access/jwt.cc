#include "server/access/jwt.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "server/access/claims.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr size_t kParts = 3;
constexpr size_t kKeyIdBytesMax = 256;

bool IsBase64Url(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

absl::Status Refuse(absl::string_view what) { return absl::InvalidArgumentError(what); }

// `typ`, where it is there: an ID token or an access token, not a logout token and the like.
bool IsAcceptedType(absl::string_view type) {
  return absl::EqualsIgnoreCase(type, "JWT") || absl::EqualsIgnoreCase(type, "at+jwt") ||
         absl::EqualsIgnoreCase(type, "application/at+jwt");
}

absl::Status ReadHeader(absl::string_view json, Jwt& token) {
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const JsonObject header, ParseJsonObject(parser, json));
  ASSIGN_OR_RETURN(const std::optional<std::string> algorithm, FindText(header, "alg"));
  ASSIGN_OR_RETURN(token.algorithm, JwtAlgorithmOf(algorithm.value_or("")));
  ASSIGN_OR_RETURN(const std::optional<std::string> type, FindText(header, "typ"));
  if (type.has_value() && !IsAcceptedType(*type)) return Refuse("the token is of another type");
  simdjson::dom::element critical;
  if (!header.at_key("crit").get(critical)) {
    return Refuse("the token has critical extensions, of which none is known");
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> key_id, FindText(header, "kid"));
  if (!key_id.has_value()) return Refuse("the token names no key");
  if (key_id->size() > kKeyIdBytesMax) return Refuse("the name of the token's key is too long");
  token.key_id = *key_id;
  return absl::OkStatus();
}

}  // namespace

bool HasJwtShape(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  return parts.size() == kParts && std::all_of(parts.begin(), parts.end(), IsBase64Url);
}

absl::StatusOr<JwtAlgorithm> JwtAlgorithmOf(absl::string_view name) {
  if (name == "RS256") return JwtAlgorithm::kRs256;
  if (name == "ES256") return JwtAlgorithm::kEs256;
  return Refuse("the algorithm is neither RS256 nor ES256");
}

absl::StatusOr<std::string> DecodeBase64Url(absl::string_view text) {
  std::string bytes;
  if (!IsBase64Url(text) || !absl::WebSafeBase64Unescape(text, &bytes)) {
    return Refuse("not base64url");
  }
  return bytes;
}

absl::StatusOr<Jwt> ParseJwt(absl::string_view token) {
  if (token.size() > limits::kJwtBytesMax) return Refuse("the token is too long");
  if (!HasJwtShape(token)) return Refuse("not three parts of base64url");
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  Jwt parsed;
  ASSIGN_OR_RETURN(const std::string header, DecodeBase64Url(parts[0]));
  RETURN_IF_ERROR(ReadHeader(header, parsed));
  parsed.signed_part = token.substr(0, parts[0].size() + 1 + parts[1].size());
  ASSIGN_OR_RETURN(parsed.claims, DecodeBase64Url(parts[1]));
  ASSIGN_OR_RETURN(parsed.signature, DecodeBase64Url(parts[2]));
  return parsed;
}

}  // namespace relations
