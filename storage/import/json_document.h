// JSON that is read whole: one document or one line, parsed into simdjson's tree, and typed access
// to it. Input is untrusted: depth, size and number of values are bounded.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

using JsonElement = simdjson::dom::element;
using JsonObject = simdjson::dom::object;
using JsonArray = simdjson::dom::array;

// A parser and the tree that it last made. Not thread-safe.
class JsonParser {
 public:
  // Parses `text`, which must be followed by kPaddingBytes readable bytes. The tree lives until the
  // next call or the end of the parser. INVALID_ARGUMENT with the place and cause of the fault,
  // RESOURCE_EXHAUSTED when memory does not suffice.
  absl::StatusOr<JsonElement> Parse(absl::string_view text);

  static constexpr size_t kPaddingBytes = simdjson::SIMDJSON_PADDING;
  static constexpr size_t kDepthMax = 256;

 private:
  simdjson::dom::parser parser_;
  size_t capacity_ = 0;
};

// Makes of each escaped lone surrogate (\ud800) an escaped NUL, so that the one value that holds it
// is refused and not the whole document. Returns how many there were.
uint64_t ReplaceLoneSurrogates(std::string& text);

// No more values than this has `text`; it may be more than there are.
uint64_t CountValuesAtMost(absl::string_view text);

inline absl::string_view ToView(std::string_view text) { return {text.data(), text.size()}; }

// The member `key` of `object`, when it is there and not null.
std::optional<JsonElement> Member(const JsonObject& object, absl::string_view key);
// The same when it is of the type, else nothing.
std::optional<absl::string_view> StringMember(const JsonObject& object, absl::string_view key);
std::optional<JsonObject> ObjectMember(const JsonObject& object, absl::string_view key);
std::optional<JsonArray> ArrayMember(const JsonObject& object, absl::string_view key);
// A string or a whole number in decimal.
std::optional<std::string> TextMember(const JsonObject& object, absl::string_view key);
// The strings of an array, in order; others are left out.
std::vector<std::string> StringsMember(const JsonObject& object, absl::string_view key);

// The element as an object, an array or a string; nothing when it is another.
std::optional<JsonObject> AsObject(const JsonElement& element);
std::optional<JsonArray> AsArray(const JsonElement& element);
std::optional<absl::string_view> AsString(const JsonElement& element);

}  // namespace relations
