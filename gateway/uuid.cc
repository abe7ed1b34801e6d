#include "gateway/uuid.h"

#include <openssl/rand.h>

#include <cstdint>
#include <cstdlib>

namespace relations::gateway {
namespace {

constexpr size_t kBytes = 16;
constexpr size_t kLength = 36;
constexpr char kHexDigits[] = "0123456789abcdef";

bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string MakeUuid() {
  uint8_t bytes[kBytes];
  // Without random numbers the process cannot go on: TLS and ids would be guessable.
  if (RAND_bytes(bytes, kBytes) != 1) {
    std::abort();
  }
  bytes[6] = (bytes[6] & 0x0F) | 0x40;
  bytes[8] = (bytes[8] & 0x3F) | 0x80;
  std::string text;
  text.reserve(kLength);
  for (const uint8_t byte : bytes) {
    if (IsHyphenPlace(text.size())) text += '-';
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0xF];
  }
  return text;
}

bool IsUuid(absl::string_view text) {
  if (text.size() != kLength || text[14] != '4' ||
      absl::string_view("89ab").find(text[19]) == absl::string_view::npos) {
    return false;
  }
  for (size_t i = 0; i < kLength; ++i) {
    const bool fits = IsHyphenPlace(i) ? text[i] == '-'
                                       : absl::string_view(kHexDigits, 16).find(text[i]) !=
                                             absl::string_view::npos;
    if (!fits) return false;
  }
  return true;
}

}  // namespace relations::gateway
