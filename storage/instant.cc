#include "storage/instant.h"

namespace relations {
namespace {

// Seconds between 0001-01-01T00:00:00Z and the Unix epoch.
constexpr int64_t kUnixEpochSeconds = 62'135'596'800;

}  // namespace

Instant InstantOf(absl::Time time) {
  const int64_t unix_seconds = absl::ToUnixSeconds(time);
  return {
      static_cast<uint64_t>(unix_seconds + kUnixEpochSeconds),
      static_cast<uint32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(unix_seconds)))};
}

absl::Time TimeOf(const Instant& instant) {
  return absl::FromUnixSeconds(static_cast<int64_t>(instant.seconds) - kUnixEpochSeconds) +
         absl::Nanoseconds(instant.nanoseconds);
}

}  // namespace relations
