#include "gateway/uuid.h"

#include <cstddef>

namespace relations::gateway {
namespace {

constexpr size_t kLength = 36;
constexpr char kHexDigits[] = "0123456789abcdef";

bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

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
