// JSON values as the REST answer writes them. Each function appends one value to `json`; false
// means that the input has no form in the answer (what was appended by then is to be thrown away).
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/json_buffer.h"

namespace relations::gateway {

// A string with its quotes. Escaped: quote, backslash, control characters (U+0000-001F,
// U+007F-009F; short forms \b \t \n \f \r) and the line separators U+2028 and U+2029, which scripts
// may not hold raw. False unless `text` is valid UTF-8.
bool AppendString(absl::string_view text, JsonBuffer& json);
bool AppendString(absl::string_view text, std::string& json);

// A number: whole values within +-2^53 without fraction or exponent, others in the shortest form
// that reads back to the same value. False for what JSON cannot say (NaN, infinities).
bool AppendNumber(double number, JsonBuffer& json);

void AppendInteger(int64_t number, JsonBuffer& json);

// A time in RFC 3339, UTC, "Z": no fraction for a whole second, else up to nine digits without
// trailing zeros. False outside the years 1 to 9999 and for nanos outside 0 to 999,999,999.
bool AppendTimestamp(int64_t seconds, int32_t nanos, JsonBuffer& json);

}  // namespace relations::gateway
