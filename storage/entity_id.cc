#include "storage/entity_id.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "storage/base/limits.h"

namespace relations {

bool IsEntityId(absl::string_view id) {
  if (id.size() < limits::kEntityIdBytesMin || id.size() > limits::kEntityIdBytesMax) {
    return false;
  }
  if (id.front() == '-' || id.back() == '-') {
    return false;
  }
  bool has_hyphen = false;
  for (const char c : id) {
    if (c == '-') {
      has_hyphen = true;
    } else if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      return false;
    }
  }
  return has_hyphen;
}

std::string MakeEntityId(absl::string_view type, absl::string_view value) {
  // Fetched once: a fetch by name costs more than the digest itself.
  static const EVP_MD* const sha3_256 = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<uint8_t, 32> digest;
  unsigned int size = 0;
  if (sha3_256 == nullptr || EVP_Digest(value.data(), value.size(), digest.data(), &size, sha3_256,
                                        nullptr) != 1) {
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
