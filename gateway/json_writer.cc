#include "gateway/json_writer.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

namespace relations::gateway {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101u;
constexpr uint64_t kHighBits = 0x80 * kEveryByte;
constexpr double kExactIntegerMax = 9007199254740992.0;  // 2^53
constexpr int64_t kSecondsMin = -62135596800;            // 0001-01-01T00:00:00Z
constexpr int64_t kSecondsMax = 253402300799;            // 9999-12-31T23:59:59Z
constexpr int64_t kSecondsPerDay = 86400;

bool IsPlain(uint8_t byte) { return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; }

// True when none of the eight bytes needs a look: each is printable ASCII but quote and backslash.
bool AllPlain(uint64_t word) {
  const auto has_zero = [](uint64_t x) { return (x - kEveryByte) & ~x & kHighBits; };
  const uint64_t below_space = (word - 0x20 * kEveryByte) & ~word & kHighBits;
  const uint64_t quote = has_zero(word ^ ('"' * kEveryByte));
  const uint64_t backslash = has_zero(word ^ ('\\' * kEveryByte));
  const uint64_t del = has_zero(word ^ (0x7F * kEveryByte));
  return ((word & kHighBits) | below_space | quote | backslash | del) == 0;
}

// The length of the run of plain bytes that starts `text`.
size_t PlainRun(absl::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (!AllPlain(word)) break;
  }
  while (i < text.size() && IsPlain(static_cast<uint8_t>(text[i]))) ++i;
  return i;
}

void AppendEscape(uint32_t code_point, std::string& json) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (code_point) {
    case '"':
      json += "\\\"";
      return;
    case '\\':
      json += "\\\\";
      return;
    case '\b':
      json += "\\b";
      return;
    case '\t':
      json += "\\t";
      return;
    case '\n':
      json += "\\n";
      return;
    case '\f':
      json += "\\f";
      return;
    case '\r':
      json += "\\r";
      return;
    default:
      json += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) {
        json += kHex[(code_point >> shift) & 0xF];
      }
  }
}

// Decodes the sequence of two to four bytes that starts `text`; its length, or 0 when it is not
// well-formed (Unicode standard, table 3-7: no overlong form, no surrogate, at most U+10FFFF).
size_t DecodeSequence(absl::string_view text, uint32_t& code_point) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t length = first < 0xC2   ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  code_point = first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return 0;
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return overlong || surrogate || code_point > 0x10FFFF ? 0 : length;
}

// Writes `width` digits and returns the place behind them.
char* WriteDigits(uint32_t value, int width, char* place) {
  for (int i = width - 1; i >= 0; --i) {
    place[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return place + width;
}

}  // namespace

bool AppendString(absl::string_view text, std::string& json) {
  json += '"';
  while (true) {
    const size_t plain = PlainRun(text);
    json.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      break;
    }
    if (static_cast<uint8_t>(text[0]) < 0x80) {
      AppendEscape(static_cast<uint8_t>(text[0]), json);
      text.remove_prefix(1);
      continue;
    }
    uint32_t code_point = 0;
    const size_t length = DecodeSequence(text, code_point);
    if (length == 0) {
      return false;
    }
    if (code_point < 0xA0 || code_point == 0x2028 || code_point == 0x2029) {
      AppendEscape(code_point, json);
    } else {
      json.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
  json += '"';
  return true;
}

void AppendInteger(int64_t number, std::string& json) {
  char digits[24];
  const auto result = std::to_chars(digits, digits + sizeof digits, number);
  json.append(digits, result.ptr - digits);
}

bool AppendNumber(double number, std::string& json) {
  if (!std::isfinite(number)) {
    return false;
  }
  if (std::abs(number) <= kExactIntegerMax && std::trunc(number) == number) {
    AppendInteger(static_cast<int64_t>(number), json);
    return true;
  }
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, number);
  json.append(digits, result.ptr - digits);
  return true;
}

bool AppendTimestamp(int64_t seconds, int32_t nanos, std::string& json) {
  if (seconds < kSecondsMin || seconds > kSecondsMax || nanos < 0 || nanos > 999999999) {
    return false;
  }
  int64_t days = seconds / kSecondsPerDay;
  int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  const auto second_of_day = static_cast<uint32_t>(rest);
  // "2023-06-15T14:30:00.123456789Z" with its quotes fits well.
  char text[40];
  char* end = text;
  const auto write = [&end](uint32_t value, int width, char separator) {
    end = WriteDigits(value, width, end);
    *end++ = separator;
  };
  *end++ = '"';
  write(static_cast<uint32_t>(static_cast<int>(date.year())), 4, '-');
  write(static_cast<unsigned>(date.month()), 2, '-');
  write(static_cast<unsigned>(date.day()), 2, 'T');
  write(second_of_day / 3600, 2, ':');
  write(second_of_day / 60 % 60, 2, ':');
  end = WriteDigits(second_of_day % 60, 2, end);
  if (nanos != 0) {
    *end++ = '.';
    end = WriteDigits(static_cast<uint32_t>(nanos), 9, end);
    while (end[-1] == '0') --end;
  }
  *end++ = 'Z';
  *end++ = '"';
  json.append(text, end - text);
  return true;
}

}  // namespace relations::gateway
