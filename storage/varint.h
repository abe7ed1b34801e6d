// LEB128 variable-length integers, as Protocol Buffers encode them: seven bits a byte, least
// significant first, at most ten bytes.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace relations {

inline void PutVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

// Consumes a varint from the front of `*input`; false, with `*input` unspecified, when there is
// none or it does not fit 64 bits.
inline bool GetVarint(absl::string_view* input, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (input->empty()) return false;
    const auto byte = static_cast<uint8_t>(input->front());
    input->remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

}  // namespace relations
