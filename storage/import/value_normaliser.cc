#include "storage/import/value_normaliser.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/import/date_value.h"
#include "storage/import/email_value.h"
#include "storage/import/entity_types.h"
#include "storage/import/feed_text.h"
#include "storage/import/network_value.h"
#include "storage/import/normal_form.h"
#include "storage/import/plain_value.h"
#include "storage/import/unicode_text.h"
#include "storage/import/url_value.h"

namespace relations {
namespace {

constexpr size_t kShownBytesMax = 80;

// `value` as a JSON string, cut between code points.
std::string Shown(absl::string_view value) {
  size_t length = std::min(value.size(), kShownBytesMax);
  while (length > 0 && length < value.size() &&
         (static_cast<uint8_t>(value[length]) & 0xC0) == 0x80) {
    --length;
  }
  std::string shown;
  AppendJsonString(value.substr(0, length), shown);
  if (length < value.size()) shown += "...";
  return shown;
}

absl::Status BadValue(absl::string_view type, DataType data_type, absl::string_view value,
                      absl::string_view refusal) {
  return PublicError(
      absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
      absl::StrCat(type, " ", Shown(value), " ", refusal, "; accepted: ", AcceptedBy(data_type)),
      type);
}

absl::Status UnknownType(absl::string_view type) {
  return PublicError(
      absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
      absl::StrCat("entity type ", Shown(type),
                   " is unknown; accepted: the listed types, and x- with a-z 0-9 and - behind it"),
      "type");
}

bool IsUnicode(absl::string_view value) { return IsAscii(value) || IsValidUtf8(value); }

bool IsText(DataType data_type) {
  return data_type == DataType::kString || data_type == DataType::kCaseSensitiveString;
}

NormalForm NormalText(LetterCase letter_case, absl::string_view value) {
  std::string text = CleanText(value, letter_case);
  return IsBlank(text) ? Refused("is blank") : Accepted(std::move(text));
}

NormalForm NormalPlace(absl::string_view value) {
  return IsBlank(value) ? Refused("is blank") : Accepted(TitleCase(LowerCase(value)));
}

NormalForm NormalPath(absl::string_view value) {
  if (absl::StrContains(value, "://")) return Refused("is a url");
  return Accepted(LowerCase(value));
}

// The name of an adversary. Names that look like a domain or an e-mail address are names all the
// same: ATT&CK has TEMP.Veles and admin@338.
NormalForm NormalAdversary(absl::string_view value) {
  if (value.front() == '/') return Refused("is a path");
  if (SchemeLength(value) > 0) return Refused("is a url");
  if (NormalUuid(value).accepted()) return Refused("is a UUID");
  if (NormalIp(value).accepted()) return Refused("is an IP address");
  if (NormalPhone(value).accepted()) return Refused("is a phone number");
  return Accepted(std::string(value));
}

NormalForm NormalRegex(absl::string_view value) {
  const RE2 pattern(re2::StringPiece(value.data(), value.size()), RE2::Quiet);
  return pattern.ok() ? Accepted(std::string(value)) : Refused("does not compile");
}

NormalForm NormalOf(DataType data_type, absl::string_view value) {
  switch (data_type) {
    case DataType::kCaseSensitiveString:
      return NormalText(LetterCase::kKeep, value);
    case DataType::kString:
      return NormalText(LetterCase::kLower, value);
    case DataType::kIp:
      return NormalIp(value);
    case DataType::kCidr:
      return NormalCidr(value);
    case DataType::kEmail:
      return NormalEmail(value);
    case DataType::kFqdn:
      return NormalDomain(value);
    case DataType::kUrl:
      return NormalUrl(value);
    case DataType::kUuid:
      return NormalUuid(value);
    case DataType::kFileId:
      return NormalFileId(value);
    case DataType::kMd5:
      return NormalMd5(value);
    case DataType::kDigest160:
      return NormalDigest(40, value);
    case DataType::kDigest224:
      return NormalDigest(56, value);
    case DataType::kDigest256:
      return NormalDigest(64, value);
    case DataType::kDigest384:
      return NormalDigest(96, value);
    case DataType::kDigest512:
      return NormalDigest(128, value);
    case DataType::kHexadecimal:
      return NormalHexadecimal(value);
    case DataType::kFingerprint:
      return NormalFingerprint(value);
    case DataType::kBase64:
      return NormalBase64(value);
    case DataType::kInteger:
      return NormalInteger(value);
    case DataType::kAsn:
      return NormalAsn(value);
    case DataType::kFloat:
      return NormalFloat(value);
    case DataType::kPlace:
      return NormalPlace(value);
    case DataType::kDate:
      return NormalDate(value);
    case DataType::kDatetime:
      return NormalDatetime(value);
    case DataType::kMac:
      return NormalMac(value);
    case DataType::kMimeType:
      return NormalMimeType(value);
    case DataType::kPhone:
      return NormalPhone(value);
    case DataType::kPort:
      return NormalPort(value);
    case DataType::kPath:
      return NormalPath(value);
    case DataType::kAdversary:
      return NormalAdversary(value);
    case DataType::kRegex:
      return NormalRegex(value);
  }
  return Refused("has a type without a rule");
}

// The form of what a feed gives, in which a url may have a fragment.
NormalForm FeedNormalOf(DataType data_type, absl::string_view value) {
  return data_type == DataType::kUrl ? NormalFeedUrl(value) : NormalOf(data_type, value);
}

bool IsExactAsDouble(int64_t integer) {
  const auto number = static_cast<double>(integer);
  // 2^63, to which the largest integers are rounded, is none itself.
  return number < 0x1p63 && static_cast<int64_t>(number) == integer;
}

// True for the normal form of a network of one address.
bool IsSingleAddress(absl::string_view cidr) {
  return absl::EndsWith(cidr, absl::StrContains(cidr, ':') ? "/128" : "/32");
}

// What is wrong with any value, whatever its type; empty when nothing is. NUL and broken UTF-8 in
// text have a normal form (a space, U+FFFD), in nothing else.
absl::string_view RefusalOfAny(DataType data_type, absl::string_view value) {
  if (value.empty()) return "is empty";
  if (value.size() > limits::kValueBytesMax) return "is longer than 65536 bytes";
  if (IsText(data_type)) return {};
  if (absl::StrContains(value, '\0')) return "holds a NUL";
  if (!IsUnicode(value)) return "is no valid UTF-8";
  return {};
}

using NormalFormOf = NormalForm (*)(DataType data_type, absl::string_view value);

absl::StatusOr<std::string> NormaliseAs(absl::string_view type, DataType data_type,
                                        absl::string_view value,
                                        NormalFormOf normal_form_of = NormalOf) {
  const absl::string_view refusal = RefusalOfAny(data_type, value);
  if (!refusal.empty()) return BadValue(type, data_type, value, refusal);
  NormalForm form = normal_form_of(data_type, value);
  // Escapes and lower case can lengthen a value.
  if (form.value.size() > limits::kValueBytesMax) form = Refused("is longer than 65536 bytes");
  if (!form.accepted()) return BadValue(type, data_type, value, form.refusal);
  return std::move(form.value);
}

}  // namespace

absl::StatusOr<std::string> NormaliseValue(absl::string_view type, absl::string_view value) {
  const std::optional<DataType> data_type = DataTypeOf(type);
  if (!data_type) return UnknownType(type);
  return NormaliseAs(type, *data_type, value);
}

absl::StatusOr<TypedValue> CleanValue(absl::string_view type, absl::string_view raw) {
  const std::optional<DataType> asked = DataTypeOf(type);
  if (!asked) return UnknownType(type);
  if (!IsUnicode(raw)) return BadValue(type, *asked, raw, "is no valid UTF-8");
  const absl::string_view trimmed = TrimBlank(raw);
  if (trimmed.empty()) return BadValue(type, *asked, raw, "is empty");
  if (absl::StrContains(trimmed, '\0')) return BadValue(type, *asked, trimmed, "holds a NUL");
  if (trimmed.size() > limits::kValueBytesMax) {
    return BadValue(type, *asked, trimmed, "is longer than 65536 bytes");
  }
  const std::optional<FeedValue> network = ReadNetworkValue(type, trimmed);
  if (!network) {
    ASSIGN_OR_RETURN(std::string value, NormaliseAs(type, *asked, trimmed));
    return TypedValue{std::string(type), std::move(value)};
  }
  if (!network->refusal.empty()) return BadValue(type, *asked, trimmed, network->refusal);
  ASSIGN_OR_RETURN(std::string value, NormaliseAs(network->type, *DataTypeOf(network->type),
                                                  network->text, FeedNormalOf));
  if (network->type == "cidr" && IsSingleAddress(value)) {
    return TypedValue{"ip", value.substr(0, value.find('/'))};
  }
  return TypedValue{std::string(network->type), std::move(value)};
}

std::optional<TypedValue> HostOfUrl(absl::string_view url) {
  const std::optional<std::string> host = HostText(url);
  if (!host) return std::nullopt;
  NormalForm ip = NormalIp(*host);
  if (ip.accepted()) return TypedValue{"ip", std::move(ip.value)};
  NormalForm domain = NormalDomain(*host);
  if (domain.accepted()) return TypedValue{"domain", std::move(domain.value)};
  return std::nullopt;
}

std::string SafeRelationType(absl::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (absl::ascii_isalnum(c)) {
      safe += absl::ascii_tolower(c);
    } else if (!safe.empty() && safe.back() != '-') {
      safe += '-';
    }
  }
  if (!safe.empty() && safe.back() == '-') safe.pop_back();
  return safe.empty() ? "related-to" : safe;
}

google::protobuf::Value AttributeOf(absl::string_view type, absl::string_view value) {
  google::protobuf::Value attribute;
  const std::optional<DataType> data_type = DataTypeOf(type);
  double number = 0;
  if (data_type == DataType::kFloat && absl::SimpleAtod(value, &number)) {
    attribute.set_number_value(number);
    return attribute;
  }
  int64_t integer = 0;
  if ((data_type == DataType::kInteger || data_type == DataType::kAsn) &&
      absl::SimpleAtoi(value, &integer) && IsExactAsDouble(integer)) {
    attribute.set_number_value(static_cast<double>(integer));
    return attribute;
  }
  attribute.set_string_value(std::string(value));
  return attribute;
}

bool IsKnownType(absl::string_view type) { return DataTypeOf(type).has_value(); }

bool IsCveName(absl::string_view value) {
  static const RE2 kCve("(?i)CVE-[0-9]{4}-[0-9]{4,}");
  const absl::string_view name = TrimBlank(value);
  return RE2::FullMatch(re2::StringPiece(name.data(), name.size()), kCve);
}

std::string NumberText(double number) {
  // Every whole number below is a double of its own.
  constexpr double kExactMax = 9007199254740992;
  const bool is_negative_zero = number == 0 && std::signbit(number);
  if (std::trunc(number) == number && std::abs(number) <= kExactMax && !is_negative_zero) {
    return absl::StrCat(static_cast<int64_t>(number));
  }
  return FloatText(number);
}

}  // namespace relations
