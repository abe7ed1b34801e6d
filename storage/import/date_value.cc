#include "storage/import/date_value.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace relations {
namespace {

constexpr size_t kDateCharacters = 10;
constexpr size_t kFractionDigitsMax = 9;

// True when `text` has the characters of `shape`, in which 0 stands for any digit.
bool HasShape(absl::string_view text, absl::string_view shape) {
  return text.size() == shape.size() &&
         std::equal(text.begin(), text.end(), shape.begin(), [](char c, char expected) {
           return expected == '0' ? absl::ascii_isdigit(c) : c == expected;
         });
}

// The number of `count` digits at `begin`, which are digits.
int NumberAt(absl::string_view text, size_t begin, size_t count) {
  int number = 0;
  for (const char c : text.substr(begin, count)) number = number * 10 + (c - '0');
  return number;
}

bool IsDate(absl::string_view text) {
  if (!HasShape(text, "0000-00-00")) return false;
  const int month = NumberAt(text, 5, 2);
  const int day = NumberAt(text, 8, 2);
  // A day that its month does not have moves to the next month.
  const absl::CivilDay civil(NumberAt(text, 0, 4), month, day);
  return civil.month() == month && civil.day() == day;
}

bool IsTimeOfDay(absl::string_view text) {
  return HasShape(text, "00:00:00") && NumberAt(text, 0, 2) < 24 && NumberAt(text, 3, 2) < 60 &&
         NumberAt(text, 6, 2) < 60;
}

bool IsOffset(absl::string_view text) {
  return text == "Z" || ((HasShape(text, "+00:00") || HasShape(text, "-00:00")) &&
                         NumberAt(text, 1, 2) < 24 && NumberAt(text, 4, 2) < 60);
}

}  // namespace

NormalForm NormalDate(absl::string_view value) {
  if (!IsDate(value)) return Refused("is no day of the calendar");
  return Accepted(std::string(value));
}

NormalForm NormalDatetime(absl::string_view value) {
  const absl::string_view date = value.substr(0, kDateCharacters);
  if (!IsDate(date)) return Refused("does not begin with a day");
  absl::string_view rest = value.substr(kDateCharacters);
  if (rest.empty() || rest.front() != 'T' || !IsTimeOfDay(rest.substr(1, 8))) {
    return Refused("has no T and time of day behind its day");
  }
  const absl::string_view time = rest.substr(0, 9);
  rest.remove_prefix(time.size());

  absl::string_view fraction;
  if (!rest.empty() && rest.front() == '.') {
    size_t end = 1;
    while (end < rest.size() && absl::ascii_isdigit(rest[end])) ++end;
    if (end == 1 || end > kFractionDigitsMax + 1) {
      return Refused("has no fraction of 1 to 9 digits");
    }
    fraction = rest.substr(0, end);
    rest.remove_prefix(end);
    // The point goes with the last zero behind it.
    fraction = fraction.substr(0, fraction.find_last_not_of(".0") + 1);
  }
  if (!IsOffset(rest)) return Refused("has no offset such as Z or +02:00");
  const bool utc = rest == "+00:00" || rest == "-00:00";
  return Accepted(absl::StrCat(date, time, fraction, utc ? "Z" : rest));
}

}  // namespace relations
