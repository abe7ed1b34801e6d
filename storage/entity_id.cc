#include "storage/entity_id.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "storage/base/limits.h"

namespace relations {

namespace {

// What a character is in an id.
constexpr uint8_t kAlphanumeric = 1;
constexpr uint8_t kHyphen = 2;
constexpr uint8_t kOther = 4;

constexpr std::array<uint8_t, 256> KindsOfCharacters() {
  std::array<uint8_t, 256> kinds{};
  for (uint8_t& kind : kinds) kind = kOther;
  for (int c = '0'; c <= '9'; ++c) kinds[static_cast<size_t>(c)] = kAlphanumeric;
  for (int c = 'a'; c <= 'z'; ++c) kinds[static_cast<size_t>(c)] = kAlphanumeric;
  for (int c = 'A'; c <= 'Z'; ++c) kinds[static_cast<size_t>(c)] = kAlphanumeric;
  kinds['-'] = kHyphen;
  return kinds;
}

}  // namespace

bool IsEntityId(absl::string_view id) {
  if (id.size() < limits::kEntityIdBytesMin || id.size() > limits::kEntityIdBytesMax) {
    return false;
  }
  if (id.front() == '-' || id.back() == '-') {
    return false;
  }
  // Without a branch a character: most ids are ids.
  static constexpr std::array<uint8_t, 256> kKinds = KindsOfCharacters();
  uint8_t kinds = 0;
  for (const char c : id) kinds |= kKinds[static_cast<unsigned char>(c)];
  return (kinds & kOther) == 0 && (kinds & kHyphen) != 0;
}

std::string MakeEntityId(absl::string_view type, absl::string_view value) {
  // Fetched once: a fetch by name costs more than the digest itself.
  static const EVP_MD* const sha3_256 = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<uint8_t, 32> digest;
  unsigned int size = 0;
  if (sha3_256 == nullptr ||
      EVP_Digest(value.data(), value.size(), digest.data(), &size, sha3_256, nullptr) != 1) {
    // The library is without SHA3-256: a broken installation, not an input.
    std::abort();
  }
  std::string id;
  id.reserve(type.size() + 1 + 2 * digest.size());
  id.append(type.data(), type.size());
  id += '-';
  for (const uint8_t byte : digest) {
    id += kHex[byte >> 4];
    id += kHex[byte & 0xF];
  }
  return id;
}

}  // namespace relations
