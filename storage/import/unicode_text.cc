#include "storage/import/unicode_text.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/idna.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"

namespace relations {
namespace {

constexpr UChar32 kReplacement = 0xFFFD;

// The code point at `*position`, which moves behind it; U+FFFD, and one byte on, when there is
// none.
UChar32 NextCodePoint(absl::string_view text, size_t* position) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t next = *position;
  UChar32 code_point = 0;
  U8_NEXT(bytes, next, text.size(), code_point);
  if (code_point < 0) {
    ++*position;
    return kReplacement;
  }
  *position = next;
  return code_point;
}

void Append(UChar32 code_point, std::string& text) {
  uint8_t bytes[U8_MAX_LENGTH];
  size_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code_point);
  text.append(reinterpret_cast<const char*>(bytes), length);
}

bool IsKept(UChar32 code_point) {
  constexpr uint32_t kClasses = U_GC_L_MASK | U_GC_N_MASK | U_GC_P_MASK | U_GC_S_MASK;
  return (U_GET_GC_MASK(code_point) & kClasses) != 0 || u_isUWhiteSpace(code_point);
}

// Besides white space, what M1 takes from the ends.
bool IsTrimmed(UChar32 code_point) {
  return u_isUWhiteSpace(code_point) || code_point == 0x180E ||
         (code_point >= 0x200B && code_point <= 0x200D) || code_point == 0x2060 ||
         code_point == 0xFEFF;
}

bool IsKeptAscii(char c) { return !absl::ascii_iscntrl(c) || absl::ascii_isspace(c); }

}  // namespace

bool IsAscii(absl::string_view text) {
  // Eight bytes at a time, then the rest.
  uint64_t high_bits = 0;
  while (text.size() >= sizeof(high_bits)) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof(bytes));
    high_bits |= bytes;
    text.remove_prefix(sizeof(bytes));
  }
  for (const char c : text) high_bits |= static_cast<uint8_t>(c);
  return (high_bits & 0x8080808080808080) == 0;
}

std::string CleanText(absl::string_view text, LetterCase letter_case) {
  std::string clean;
  clean.reserve(text.size());
  const bool lower = letter_case == LetterCase::kLower;
  for (size_t position = 0; position < text.size();) {
    const char c = text[position];
    if (absl::ascii_isascii(c)) {
      clean += !IsKeptAscii(c) ? ' ' : lower ? absl::ascii_tolower(c) : c;
      ++position;
      continue;
    }
    const UChar32 code_point = NextCodePoint(text, &position);
    if (!IsKept(code_point)) {
      clean += ' ';
    } else {
      Append(lower ? u_tolower(code_point) : code_point, clean);
    }
  }
  return clean;
}

std::string LowerCase(absl::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    const char c = text[position];
    if (absl::ascii_isascii(c)) {
      lower += absl::ascii_tolower(c);
      ++position;
    } else {
      Append(u_tolower(NextCodePoint(text, &position)), lower);
    }
  }
  return lower;
}

std::string TitleCase(absl::string_view lower) {
  std::string title;
  icu::StringByteSink<std::string> sink(&title);
  UErrorCode error = U_ZERO_ERROR;
  icu::CaseMap::utf8ToTitle("en", U_TITLECASE_NO_LOWERCASE | U_TITLECASE_ADJUST_TO_CASED,
                            /*iter=*/nullptr,
                            icu::StringPiece(lower.data(), static_cast<int32_t>(lower.size())),
                            sink, /*edits=*/nullptr, error);
  // Fails only for want of ICU's own data; the text is then left as it is.
  return U_SUCCESS(error) ? title : std::string(lower);
}

absl::string_view TrimBlank(absl::string_view text) {
  size_t begin = 0;
  while (begin < text.size()) {
    size_t next = begin;
    if (!IsTrimmed(NextCodePoint(text, &next))) break;
    begin = next;
  }
  size_t end = text.size();
  while (end > begin) {
    size_t previous = end - 1;
    while (previous > begin && U8_IS_TRAIL(static_cast<uint8_t>(text[previous]))) --previous;
    size_t next = previous;
    if (!IsTrimmed(NextCodePoint(text, &next))) break;
    end = previous;
  }
  return text.substr(begin, end - begin);
}

bool IsBlank(absl::string_view text) {
  for (size_t position = 0; position < text.size();) {
    if (!u_isUWhiteSpace(NextCodePoint(text, &position))) return false;
  }
  return true;
}

bool HasControlOrSpace(absl::string_view text) {
  for (size_t position = 0; position < text.size();) {
    const UChar32 code_point = NextCodePoint(text, &position);
    if (u_isUWhiteSpace(code_point) || u_charType(code_point) == U_CONTROL_CHAR) return true;
  }
  return false;
}

std::optional<std::string> ToALabels(absl::string_view labels) {
  UErrorCode error = U_ZERO_ERROR;
  // Immutable, and shared: making one reads ICU's mapping tables.
  static const std::unique_ptr<const icu::IDNA> idna(
      icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII, error));
  if (idna == nullptr) return std::nullopt;
  error = U_ZERO_ERROR;
  std::string a_labels;
  icu::StringByteSink<std::string> sink(&a_labels);
  icu::IDNAInfo info;
  idna->nameToASCII_UTF8(icu::StringPiece(labels.data(), static_cast<int32_t>(labels.size())), sink,
                         info, error);
  constexpr uint32_t kLeftToTheCaller =
      UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG |
      UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;
  if (U_FAILURE(error) || (info.getErrors() & ~kLeftToTheCaller) != 0) return std::nullopt;
  return a_labels;
}

}  // namespace relations
