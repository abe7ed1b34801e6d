// A timestamp as it is stored: whole seconds since 0001-01-01T00:00:00Z, and nanoseconds that count
// forward from there. Orders as time does.
#pragma once

#include <compare>
#include <cstdint>

#include "absl/time/time.h"

namespace relations {

struct Instant {
  uint64_t seconds = 0;
  // Less than a second.
  uint32_t nanoseconds = 0;

  friend auto operator<=>(const Instant&, const Instant&) = default;
};

// REQUIRES: IsTimestamp(time).
Instant InstantOf(absl::Time time);

// What comes of bytes need be no timestamp: see IsTimestamp.
absl::Time TimeOf(const Instant& instant);

}  // namespace relations
