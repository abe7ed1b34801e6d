// JSON values byte for byte.
#include "gateway/json_writer.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

std::string StringOf(absl::string_view text) {
  std::string json;
  REQUIRE(AppendString(text, json));
  return json;
}

std::string NumberOf(double number) {
  JsonBuffer json(0);
  REQUIRE(AppendNumber(number, json));
  return std::string(json.view());
}

std::string TimeOf(int64_t seconds, int32_t nanos) {
  JsonBuffer json(0);
  REQUIRE(AppendTimestamp(seconds, nanos, json));
  return std::string(json.view());
}

TEST_CASE("Strings are escaped where JSON or a script needs it and nowhere else") {
  CHECK(StringOf("") == R"("")");
  CHECK(StringOf("plain text, longer than eight bytes") ==
        R"("plain text, longer than eight bytes")");
  CHECK(StringOf("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(StringOf("\b\t\n\f\r") == R"("\b\t\n\f\r")");
  CHECK(StringOf(absl::string_view("\0\x01\x1F", 3)) == R"("\u0000\u0001\u001f")");
  CHECK(StringOf("\x7F") == R"("\u007f")");
  CHECK(StringOf("\xC2\x80\xC2\x9F\xC2\xA0") == "\"\\u0080\\u009f\xC2\xA0\"");
  CHECK(StringOf("<a href='x'>&amp;") == R"("<a href='x'>&amp;")");
  CHECK(StringOf("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA") == "\"\\u2028\\u2029\xE2\x80\xAA\"");
  CHECK(StringOf("\xF0\x9F\x98\x80\xC3\xA9") == "\"\xF0\x9F\x98\x80\xC3\xA9\"");
}

TEST_CASE("A byte that needs escaping is found at every place of a string") {
  for (size_t length = 1; length <= 24; ++length) {
    for (size_t place = 0; place < length; ++place) {
      std::string text(length, 'x');
      text[place] = '\n';
      CHECK(StringOf(text) ==
            "\"" + std::string(place, 'x') + "\\n" + std::string(length - place - 1, 'x') + "\"");
    }
  }
}

TEST_CASE("Text that is not UTF-8 has no form") {
  for (const char* text : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
                           "\xC3", "\xE2\x80", "\xF0\x9F\x98", "\xC3(", "ok\xE2(\xA1"}) {
    std::string json;
    CHECK_FALSE(AppendString(text, json));
  }
}

TEST_CASE("Whole numbers print without fraction, others in the shortest form") {
  CHECK(NumberOf(0) == "0");
  CHECK(NumberOf(-0.0) == "0");
  CHECK(NumberOf(15169) == "15169");
  CHECK(NumberOf(-7) == "-7");
  CHECK(NumberOf(1e15) == "1000000000000000");
  CHECK(NumberOf(9007199254740992.0) == "9007199254740992");
  CHECK(NumberOf(-9007199254740992.0) == "-9007199254740992");
  CHECK(NumberOf(9007199254740994.0) == "9007199254740994");
  CHECK(NumberOf(1e22) == "1e+22");
  CHECK(NumberOf(0.1) == "0.1");
  CHECK(NumberOf(-2.5) == "-2.5");
  CHECK(NumberOf(1.0 / 3) == "0.3333333333333333");
  CHECK(NumberOf(5e-324) == "5e-324");
  JsonBuffer json(0);
  CHECK_FALSE(AppendNumber(std::nan(""), json));
  CHECK_FALSE(AppendNumber(std::numeric_limits<double>::infinity(), json));
}

TEST_CASE("Times are RFC 3339 in UTC with as many digits as they need") {
  CHECK(TimeOf(0, 0) == R"("1970-01-01T00:00:00Z")");
  CHECK(TimeOf(1686839400, 0) == R"("2023-06-15T14:30:00Z")");
  CHECK(TimeOf(1686839400, 500000000) == R"("2023-06-15T14:30:00.5Z")");
  CHECK(TimeOf(1686839400, 1) == R"("2023-06-15T14:30:00.000000001Z")");
  CHECK(TimeOf(1686839400, 123456000) == R"("2023-06-15T14:30:00.123456Z")");
  CHECK(TimeOf(-1, 0) == R"("1969-12-31T23:59:59Z")");
  CHECK(TimeOf(-1, 999999999) == R"("1969-12-31T23:59:59.999999999Z")");
  CHECK(TimeOf(951782400, 0) == R"("2000-02-29T00:00:00Z")");
  CHECK(TimeOf(-62135596800, 0) == R"("0001-01-01T00:00:00Z")");
  CHECK(TimeOf(253402300799, 999999999) == R"("9999-12-31T23:59:59.999999999Z")");
  JsonBuffer json(0);
  CHECK_FALSE(AppendTimestamp(-62135596801, 0, json));
  CHECK_FALSE(AppendTimestamp(253402300800, 0, json));
  CHECK_FALSE(AppendTimestamp(0, -1, json));
  CHECK_FALSE(AppendTimestamp(0, 1000000000, json));
}

}  // namespace
}  // namespace relations::gateway
