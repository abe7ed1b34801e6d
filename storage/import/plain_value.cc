#include "storage/import/plain_value.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace relations {
namespace {

constexpr size_t kUuidCharacters = 36;

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

bool IsDecimal(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// `text` matches the whole of `pattern`.
bool Matches(absl::string_view text, const RE2& pattern) {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

// 8-4-4-4-12 hexadecimal digits.
bool IsDashedUuid(absl::string_view text) {
  if (text.size() != kUuidCharacters) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

// Six pairs of digits with `separator` between them.
bool IsMac(absl::string_view text, char separator) {
  if (text.size() != 17) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != separator : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

}  // namespace

NormalForm NormalDigest(size_t digits, absl::string_view value) {
  if (value.size() != digits) return Refused("has not the length of its digest");
  if (!IsHex(value)) return Refused("holds what is no hexadecimal digit");
  return Accepted(absl::AsciiStrToLower(value));
}

NormalForm NormalMd5(absl::string_view value) {
  return NormalDigest(value.size() == 16 ? 16 : 32, value);
}

NormalForm NormalHexadecimal(absl::string_view value) {
  if (value.size() % 2 != 0) return Refused("has an odd number of digits");
  return NormalDigest(value.size(), value);
}

NormalForm NormalFingerprint(absl::string_view value) {
  const std::string digits = absl::StrReplaceAll(value, {{":", ""}});
  if (digits.empty()) return Refused("has no digits");
  return NormalDigest(digits.size(), digits);
}

NormalForm NormalUuid(absl::string_view value) {
  absl::string_view digits = value;
  if (absl::StartsWithIgnoreCase(digits, "urn:uuid:")) {
    digits.remove_prefix(9);
  } else if (digits.size() == kUuidCharacters + 2 && digits.front() == '{' &&
             digits.back() == '}') {
    digits = digits.substr(1, kUuidCharacters);
  } else if (digits.size() == 32 && IsHex(digits)) {
    return Accepted(absl::AsciiStrToLower(
        absl::StrCat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
                     digits.substr(16, 4), "-", digits.substr(20))));
  }
  if (!IsDashedUuid(digits)) return Refused("is no UUID");
  return Accepted(absl::AsciiStrToLower(digits));
}

NormalForm NormalFileId(absl::string_view value) {
  NormalForm form = NormalMd5(value);
  if (!form.accepted()) form = NormalDigest(64, value);
  if (!form.accepted()) form = NormalUuid(value);
  return form.accepted() ? form : Refused("is neither a UUID nor a digest");
}

NormalForm NormalBase64(absl::string_view value) {
  // The decoder passes over white space and takes text without padding; the rule does neither.
  std::string decoded;
  if (value.size() % 4 != 0 || std::any_of(value.begin(), value.end(), absl::ascii_isspace) ||
      value.find('.') != absl::string_view::npos || !absl::Base64Unescape(value, &decoded)) {
    return Refused("is no base64 of the standard alphabet with padding");
  }
  return Accepted(std::string(value));
}

NormalForm NormalInteger(absl::string_view value) {
  const bool sign = absl::StartsWith(value, "+") || absl::StartsWith(value, "-");
  int64_t number = 0;
  if (!IsDecimal(value.substr(sign ? 1 : 0))) return Refused("is no whole number");
  if (!absl::SimpleAtoi(value, &number)) return Refused("does not fit in 64 bits");
  return Accepted(absl::StrCat(number));
}

NormalForm NormalAsn(absl::string_view value) {
  NormalForm form = NormalInteger(value);
  if (form.accepted()) return form;
  absl::string_view digits = absl::StripAsciiWhitespace(value);
  if (absl::StartsWithIgnoreCase(digits, "AS")) {
    digits = absl::StripLeadingAsciiWhitespace(digits.substr(2));
  }
  uint32_t number = 0;
  if (!IsDecimal(digits) || !absl::SimpleAtoi(digits, &number)) {
    return Refused("is no number of an autonomous system");
  }
  return Accepted(absl::StrCat(number));
}

NormalForm NormalFloat(absl::string_view value) {
  static const RE2 kDecimal("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?");
  double number = 0;
  if (!Matches(value, kDecimal) || !absl::SimpleAtod(value, &number)) {
    return Refused("is no decimal number");
  }
  if (!std::isfinite(number)) return Refused("does not fit in 64 bits");
  return Accepted(FloatText(number));
}

std::string FloatText(double number) {
  // Shortest digits, at most 24 characters in this notation: -d.dddddddddddddddde-ddd.
  char buffer[32];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  const absl::string_view text(buffer, static_cast<size_t>(scientific.ptr - buffer));
  int exponent = 0;
  if (!absl::SimpleAtoi(text.substr(text.find('e') + 1), &exponent)) return std::string(text);
  if (exponent < -4 || exponent > 5) return std::string(text);
  const auto plain =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::fixed);
  return std::string(buffer, plain.ptr);
}

NormalForm NormalMac(absl::string_view value) {
  if (IsMac(value, '-')) return Accepted(absl::AsciiStrToUpper(value));
  if (IsMac(value, ':')) return Accepted(absl::AsciiStrToLower(value));
  return Refused("is no hardware address");
}

NormalForm NormalMimeType(absl::string_view value) {
  static const RE2 kMimeType("[a-z][a-z0-9-]*/[a-z0-9][a-z0-9.+_-]+[a-z0-9]");
  std::string lower = absl::AsciiStrToLower(value);
  if (!Matches(lower, kMimeType)) return Refused("is no type and subtype of 3 characters or more");
  return Accepted(std::move(lower));
}

NormalForm NormalPhone(absl::string_view value) {
  static const RE2 kPhone(R"(\+[1-9][0-9]{0,2}( ?\([1-9][0-9]{0,3}\))?( ?-?[0-9]{1,4}){1,3})");
  if (!Matches(value, kPhone)) return Refused("is no international phone number");
  return Accepted(std::string(value));
}

NormalForm NormalPort(absl::string_view value) {
  std::string lower = absl::AsciiStrToLower(value);
  const absl::string_view text = lower;
  const absl::string_view digits = text.substr(0, text.find('/'));
  const absl::string_view protocol = text.substr(digits.size());
  if (protocol != "/tcp" && protocol != "/udp") return Refused("does not end in /tcp or /udp");
  uint32_t number = 0;
  if (!IsDecimal(digits) || digits.front() == '0' || !absl::SimpleAtoi(digits, &number) ||
      number > 65535) {
    return Refused("has no port from 1 to 65535");
  }
  return Accepted(std::move(lower));
}

}  // namespace relations
