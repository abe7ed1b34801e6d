#include "storage/base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace relations {
namespace {

template <size_t size>
std::array<uint8_t, size> RandomBytes() {
  std::array<uint8_t, size> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(size)) != 1) {
    std::abort();
  }
  return bytes;
}

// The bytes of one UUID. Ids are no secrets, so they are drawn many at a time: a draw costs the
// generator more than its bytes do.
std::array<uint8_t, 16> UuidBytes() {
  constexpr size_t kDrawn = 64;
  thread_local std::array<uint8_t, 16 * kDrawn> drawn;
  thread_local size_t used = kDrawn;
  if (used == kDrawn) {
    drawn = RandomBytes<16 * kDrawn>();
    used = 0;
  }
  std::array<uint8_t, 16> bytes;
  std::copy_n(drawn.begin() + 16 * used++, bytes.size(), bytes.begin());
  return bytes;
}

}  // namespace

std::string NewUuid() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<uint8_t, 16> bytes = UuidBytes();
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string uuid;
  uuid.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      uuid += '-';
    }
    uuid += kHex[bytes[i] >> 4];
    uuid += kHex[bytes[i] & 0xF];
  }
  return uuid;
}

std::string RandomAlphanumeric(size_t length) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr size_t kLetters = sizeof(kAlphabet) - 1;
  // Bytes at or above the largest multiple of the alphabet's size would favour its head.
  constexpr size_t kUnbiased = 256 / kLetters * kLetters;
  std::string text;
  text.reserve(length);
  while (text.size() < length) {
    for (const uint8_t byte : RandomBytes<64>()) {
      if (byte < kUnbiased && text.size() < length) {
        text += kAlphabet[byte % kLetters];
      }
    }
  }
  return text;
}

}  // namespace relations
