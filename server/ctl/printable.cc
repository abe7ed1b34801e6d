#include "server/ctl/printable.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "storage/base/json_text.h"

namespace relations {
namespace {

// A character of UTF-8 text, or a byte that is none.
struct Character {
  size_t length = 1;
  // Negative for a byte that is not part of valid UTF-8.
  int32_t code = -1;
};

// The character at the start of `text`, which is not empty.
Character First(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (length > text.size() || !IsValidUtf8(text.substr(0, length))) return {1, -1};
  int32_t code = lead & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3F);
  return {length, code};
}

bool IsControl(int32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

// Reorders, hides or breaks text without being a control character.
bool IsDeceptive(int32_t code) {
  return code == 0xAD || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
         code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);
}

void AppendEscape(const Character& character, uint8_t byte, std::string& out) {
  if (character.code < 0 || character.code < 0x80) {
    absl::StrAppendFormat(&out, "\\x%02x", byte);
  } else if (character.code <= 0xFFFF) {
    absl::StrAppendFormat(&out, "\\u%04x", character.code);
  } else {
    absl::StrAppendFormat(&out, "\\U%08x", character.code);
  }
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = First(text);
    if (text[0] == '\\') {
      out += "\\\\";
    } else if (text[0] == '\n') {
      out += "\\n";
    } else if (text[0] == '\r') {
      out += "\\r";
    } else if (text[0] == '\t') {
      out += "\\t";
    } else if (IsControl(character.code) || IsDeceptive(character.code)) {
      AppendEscape(character, static_cast<uint8_t>(text[0]), out);
    } else {
      out.append(text.data(), character.length);
    }
    text.remove_prefix(character.length);
  }
  return out;
}

std::string PrintableJson(absl::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Character character = First(json);
    const bool escaped =
        character.code >= 0x7F && (IsControl(character.code) || IsDeceptive(character.code));
    if (!escaped) {
      out.append(json.data(), character.length);
    } else if (character.code <= 0xFFFF) {
      absl::StrAppendFormat(&out, "\\u%04x", character.code);
    } else {
      const int32_t offset = character.code - 0x10000;
      absl::StrAppendFormat(&out, "\\u%04x\\u%04x", 0xD800 + (offset >> 10),
                            0xDC00 + (offset & 0x3FF));
    }
    json.remove_prefix(character.length);
  }
  return out;
}

size_t Columns(absl::string_view text) {
  size_t columns = 0;
  for (const char c : text) {
    // Every byte but the continuations of UTF-8 starts a character.
    if ((static_cast<uint8_t>(c) & 0xC0) != 0x80) ++columns;
  }
  return columns;
}

std::string Counted(uint64_t count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

}  // namespace relations
