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

// Sixteen bytes side by side: a vector register on every machine that has them.
using Block [[gnu::vector_size(16)]] = int8_t;

// Each of these is true when none of the bytes needs a look: all are printable ASCII but quote and
// backslash. As signed numbers the bytes from 0x80 on are below the blank too.
bool AllPlain(Block block) {
  const auto bad = (block < 0x20) | (block == '"') | (block == '\\') | (block == 0x7F);
  uint64_t halves[2];
  std::memcpy(halves, &bad, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}
bool AllPlain(uint64_t word) {
  const auto has_zero = [](uint64_t x) { return (x - kEveryByte) & ~x & kHighBits; };
  const uint64_t below_space = (word - 0x20 * kEveryByte) & ~word & kHighBits;
  const uint64_t quote = has_zero(word ^ ('"' * kEveryByte));
  const uint64_t backslash = has_zero(word ^ ('\\' * kEveryByte));
  const uint64_t del = has_zero(word ^ (0x7F * kEveryByte));
  return ((word & kHighBits) | below_space | quote | backslash | del) == 0;
}

// Copies the piece of T's size at `from`; false when it is not all plain.
template <typename T>
bool CopyPiece(const char* from, char* to) {
  T piece;
  std::memcpy(&piece, from, sizeof piece);
  std::memcpy(to, &piece, sizeof piece);
  return AllPlain(piece);
}

// Copies `text` to `to` if all of it is plain, else nothing that counts. The last piece overlaps
// the one before it, so that no byte is copied alone.
bool CopyPlain(absl::string_view text, char* to) {
  const char* const from = text.data();
  const size_t size = text.size();
  if (size >= sizeof(Block)) {
    size_t i = 0;
    for (; i + sizeof(Block) <= size; i += sizeof(Block)) {
      if (!CopyPiece<Block>(from + i, to + i)) return false;
    }
    return i == size || CopyPiece<Block>(from + size - sizeof(Block), to + size - sizeof(Block));
  }
  if (size >= sizeof(uint64_t)) {
    return CopyPiece<uint64_t>(from, to) &&
           CopyPiece<uint64_t>(from + size - sizeof(uint64_t), to + size - sizeof(uint64_t));
  }
  for (size_t i = 0; i < size; ++i) {
    if (!IsPlain(static_cast<uint8_t>(from[i]))) return false;
    to[i] = from[i];
  }
  return true;
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

void AppendEscape(uint32_t code_point, JsonBuffer& json) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (code_point) {
    case '"':
      json.Raw("\\\"");
      return;
    case '\\':
      json.Raw("\\\\");
      return;
    case '\b':
      json.Raw("\\b");
      return;
    case '\t':
      json.Raw("\\t");
      return;
    case '\n':
      json.Raw("\\n");
      return;
    case '\f':
      json.Raw("\\f");
      return;
    case '\r':
      json.Raw("\\r");
      return;
    default:
      json.Raw("\\u");
      for (int shift = 12; shift >= 0; shift -= 4) {
        json.Raw(kHex[(code_point >> shift) & 0xF]);
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

constexpr char kDigitPairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

// Writes two digits and returns the place behind them.
char* WritePair(uint32_t value, char* place) {
  std::memcpy(place, kDigitPairs + 2 * value, 2);
  return place + 2;
}

// Writes `.` and the digits of a fraction of nine digits, without trailing zeros.
char* WriteFraction(uint32_t nanos, char* place) {
  *place++ = '.';
  *place++ = static_cast<char>('0' + nanos / 100000000);
  nanos %= 100000000;
  for (uint32_t unit = 1000000; unit > 0; unit /= 100) {
    place = WritePair(nanos / unit % 100, place);
  }
  while (place[-1] == '0') --place;
  return place;
}

// A string that is not all plain, from its first quote on.
bool AppendEscaped(absl::string_view text, JsonBuffer& json) {
  json.Raw('"');
  while (true) {
    const size_t plain = PlainRun(text);
    json.Raw(text.substr(0, plain));
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
      json.Raw(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  json.Raw('"');
  return true;
}

}  // namespace

bool AppendString(absl::string_view text, JsonBuffer& json) {
  char* const place = json.Reserve(text.size() + 2);
  if (!CopyPlain(text, place + 1)) {
    return AppendEscaped(text, json);
  }
  *place = '"';
  char* const end = place + 1 + text.size();
  *end = '"';
  json.Advance(end + 1);
  return true;
}

bool AppendString(absl::string_view text, std::string& json) {
  JsonBuffer buffer(text.size() + 2);
  const bool valid = AppendString(text, buffer);
  json.append(buffer.view().data(), buffer.size());
  return valid;
}

void AppendInteger(int64_t number, JsonBuffer& json) {
  if (number >= 0 && number < 10) {
    json.Raw(static_cast<char>('0' + number));
    return;
  }
  char* const place = json.Reserve(24);
  json.Advance(std::to_chars(place, place + 24, number).ptr);
}

bool AppendNumber(double number, JsonBuffer& json) {
  if (!std::isfinite(number)) {
    return false;
  }
  if (std::abs(number) <= kExactIntegerMax && std::trunc(number) == number) {
    AppendInteger(static_cast<int64_t>(number), json);
    return true;
  }
  char* const place = json.Reserve(32);
  json.Advance(std::to_chars(place, place + 32, number).ptr);
  return true;
}

bool AppendTimestamp(int64_t seconds, int32_t nanos, JsonBuffer& json) {
  if (seconds < kSecondsMin || seconds > kSecondsMax || nanos < 0 || nanos > 999999999) {
    return false;
  }
  const auto since_first = static_cast<uint64_t>(seconds - kSecondsMin);
  const auto days = static_cast<int>(since_first / kSecondsPerDay) +
                    static_cast<int>(kSecondsMin / kSecondsPerDay);
  const auto second_of_day = static_cast<uint32_t>(since_first % kSecondsPerDay);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const auto year = static_cast<uint32_t>(static_cast<int>(date.year()));
  // "2023-06-15T14:30:00.123456789Z" with its quotes takes 32 bytes.
  char* end = json.Reserve(32);
  *end++ = '"';
  end = WritePair(year / 100, end);
  end = WritePair(year % 100, end);
  *end++ = '-';
  end = WritePair(static_cast<unsigned>(date.month()), end);
  *end++ = '-';
  end = WritePair(static_cast<unsigned>(date.day()), end);
  *end++ = 'T';
  end = WritePair(second_of_day / 3600, end);
  *end++ = ':';
  end = WritePair(second_of_day / 60 % 60, end);
  *end++ = ':';
  end = WritePair(second_of_day % 60, end);
  if (nanos != 0) {
    end = WriteFraction(static_cast<uint32_t>(nanos), end);
  }
  *end++ = 'Z';
  *end++ = '"';
  json.Advance(end);
  return true;
}

}  // namespace relations::gateway
