#include "storage/import/timestamp_text.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "storage/graph_types.h"

namespace relations {
namespace {

// Takes fixed-width fields off the front of a text; failed once, it stays failed.
class FieldReader {
 public:
  explicit FieldReader(absl::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  char Peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  int Digits(size_t width) {
    int value = 0;
    for (size_t i = 0; i < width; ++i) {
      value = value * 10 + Digit();
    }
    return value;
  }
  int Digit() {
    const char c = Char();
    ok_ = ok_ && absl::ascii_isdigit(static_cast<unsigned char>(c));
    return ok_ ? c - '0' : 0;
  }
  char Char() {
    ok_ = ok_ && !rest_.empty();
    if (!ok_) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void Expect(char wanted) { ok_ = Char() == wanted && ok_; }
  void Require(bool condition) { ok_ = ok_ && condition; }

 private:
  absl::string_view rest_;
  bool ok_ = true;
};

absl::CivilDay ReadDay(FieldReader& fields) {
  const int year = fields.Digits(4);
  fields.Expect('-');
  const int month = fields.Digits(2);
  fields.Expect('-');
  const int day = fields.Digits(2);
  const absl::CivilDay civil(year, month, day);
  // A day that normalises to another (31 April) is none.
  fields.Require(civil.month() == month && civil.day() == day && civil.year() == year);
  return civil;
}

// The first instant of a day in UTC, without the detour through a time zone.
absl::Time StartOf(absl::CivilDay day) {
  return absl::FromUnixSeconds((day - absl::CivilDay(1970, 1, 1)) * 86'400);
}

std::optional<absl::Time> IfTimestamp(absl::Time time) {
  return IsTimestamp(time) ? std::optional<absl::Time>(time) : std::nullopt;
}

}  // namespace

std::optional<absl::Time> ParseRfc3339(absl::string_view text) {
  FieldReader fields(text);
  const absl::CivilDay day = ReadDay(fields);
  const char separator = fields.Char();
  fields.Require(separator == 'T' || separator == 't' || separator == ' ');
  const int hour = fields.Digits(2);
  fields.Expect(':');
  const int minute = fields.Digits(2);
  fields.Expect(':');
  const int second = fields.Digits(2);
  // 60 is a leap second and reads as the second after it.
  fields.Require(hour < 24 && minute < 60 && second <= 60);
  int64_t nanos = 0;
  if (fields.Peek() == '.') {
    fields.Char();
    int64_t unit = 100'000'000;
    do {
      nanos += fields.Digit() * unit;
      fields.Require(unit > 0);
      unit /= 10;
    } while (fields.ok() && absl::ascii_isdigit(static_cast<unsigned char>(fields.Peek())));
  }
  absl::Duration offset;
  const char zone = fields.Char();
  if (zone == '+' || zone == '-') {
    const int offset_hours = fields.Digits(2);
    fields.Expect(':');
    const int offset_minutes = fields.Digits(2);
    fields.Require(offset_hours < 24 && offset_minutes < 60);
    offset = absl::Hours(offset_hours) + absl::Minutes(offset_minutes);
    offset = zone == '-' ? -offset : offset;
  } else {
    fields.Require(zone == 'Z' || zone == 'z');
  }
  if (!fields.ok() || !fields.at_end()) {
    return std::nullopt;
  }
  return IfTimestamp(StartOf(day) + absl::Seconds(hour * 3600 + minute * 60 + second) +
                     absl::Nanoseconds(nanos) - offset);
}

std::optional<absl::Time> ParseUnixSeconds(absl::string_view text) {
  // Twelve digits reach beyond the year 9999 and fit into 64 bits.
  if (text.empty() || text.size() > 12) {
    return std::nullopt;
  }
  int64_t seconds = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return std::nullopt;
    }
    seconds = seconds * 10 + (c - '0');
  }
  return seconds == 0 ? std::nullopt : IfTimestamp(absl::FromUnixSeconds(seconds));
}

std::optional<absl::Time> ParseDay(absl::string_view text) {
  FieldReader fields(text);
  const absl::CivilDay day = ReadDay(fields);
  if (!fields.ok() || !fields.at_end()) {
    return std::nullopt;
  }
  return IfTimestamp(StartOf(day));
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

}  // namespace relations
