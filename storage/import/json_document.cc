#include "storage/import/json_document.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/import/json_fault.h"

namespace relations {
namespace {

// Smaller documents share the memory of one of this size.
constexpr size_t kCapacityMin = 64 << 10;

absl::Status FaultStatus(simdjson::error_code error, absl::string_view text) {
  if (error == simdjson::MEMALLOC || error == simdjson::CAPACITY) {
    return absl::ResourceExhaustedError("not enough memory to parse it");
  }
  const std::string fault = DescribeJsonFault(text);
  if (!fault.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("not JSON: ", fault));
  }
  if (error == simdjson::NUMBER_ERROR) {
    return absl::InvalidArgumentError("a number is too large for 64 bits or for a double");
  }
  if (error == simdjson::STRING_ERROR) {
    return absl::InvalidArgumentError("a string is not valid Unicode");
  }
  return absl::InvalidArgumentError(absl::StrCat("not JSON: ", simdjson::error_message(error)));
}

// The UTF-16 code unit that the escape at `at` stands for, or -1 when it is no \uXXXX.
int EscapedUnit(absl::string_view text, size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) {
    return -1;
  }
  int unit = 0;
  const char* const first = text.data() + at + 2;
  const auto [end, error] = std::from_chars(first, first + 4, unit, 16);
  return error == std::errc() && end == first + 4 && unit >= 0 ? unit : -1;
}

bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

absl::StatusOr<JsonElement> JsonParser::Parse(absl::string_view text) {
  if (text.size() > capacity_) {
    const size_t capacity = std::max(kCapacityMin, text.size() + text.size() / 4);
    if (const auto error = parser_.allocate(capacity, kDepthMax)) {
      capacity_ = 0;
      return FaultStatus(error, text);
    }
    capacity_ = capacity;
  }
  JsonElement root;
  if (const auto error =
          parser_.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(root)) {
    return FaultStatus(error, text);
  }
  return root;
}

uint64_t ReplaceLoneSurrogates(std::string& text) {
  uint64_t count = 0;
  size_t at = text.find('\\');
  while (at != std::string::npos) {
    const int unit = EscapedUnit(text, at);
    size_t length = unit < 0 ? 2 : 6;
    if (IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(text, at + 6))) {
      length = 12;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      text.replace(at + 2, 4, "0000");
      ++count;
    }
    at = text.find('\\', at + length);
  }
  return count;
}

uint64_t CountValuesAtMost(absl::string_view text) {
  // Before each value but the first stands one of these.
  return 1 + static_cast<uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
           return c == ',' || c == ':' || c == '[' || c == '{';
         }));
}

std::optional<JsonElement> Member(const JsonObject& object, absl::string_view key) {
  JsonElement member;
  if (object.at_key(std::string_view(key.data(), key.size())).get(member) || member.is_null()) {
    return std::nullopt;
  }
  return member;
}

std::optional<JsonObject> AsObject(const JsonElement& element) {
  JsonObject object;
  if (element.get(object)) return std::nullopt;
  return object;
}

std::optional<JsonArray> AsArray(const JsonElement& element) {
  JsonArray array;
  if (element.get(array)) return std::nullopt;
  return array;
}

std::optional<absl::string_view> AsString(const JsonElement& element) {
  std::string_view text;
  if (element.get(text)) return std::nullopt;
  return ToView(text);
}

std::optional<absl::string_view> StringMember(const JsonObject& object, absl::string_view key) {
  const std::optional<JsonElement> member = Member(object, key);
  return member.has_value() ? AsString(*member) : std::nullopt;
}

std::optional<JsonObject> ObjectMember(const JsonObject& object, absl::string_view key) {
  const std::optional<JsonElement> member = Member(object, key);
  return member.has_value() ? AsObject(*member) : std::nullopt;
}

std::optional<JsonArray> ArrayMember(const JsonObject& object, absl::string_view key) {
  const std::optional<JsonElement> member = Member(object, key);
  return member.has_value() ? AsArray(*member) : std::nullopt;
}

std::optional<std::string> TextMember(const JsonObject& object, absl::string_view key) {
  const std::optional<JsonElement> member = Member(object, key);
  if (!member.has_value()) return std::nullopt;
  if (const auto text = AsString(*member)) return std::string(*text);
  if (member->is_int64()) return absl::StrCat(int64_t{*member});
  if (member->is_uint64()) return absl::StrCat(uint64_t{*member});
  return std::nullopt;
}

std::vector<std::string> StringsMember(const JsonObject& object, absl::string_view key) {
  std::vector<std::string> strings;
  if (const auto array = ArrayMember(object, key)) {
    for (const JsonElement element : *array) {
      if (const auto text = AsString(element)) {
        strings.emplace_back(*text);
      }
    }
  }
  return strings;
}

}  // namespace relations
