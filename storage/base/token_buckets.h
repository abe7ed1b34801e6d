// Token buckets by key: how often somebody may do something. A bucket holds `burst` tokens, gets
// `per_second` more a second, and starts full.
//
// Thread-safe. The table is bounded (kBucketsMax): when it is full, buckets that are full again go,
// for they say nothing, and if none is, the ones that were used longest ago.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace relations {

struct BucketRate {
  double per_second = 0;
  double burst = 0;

  bool operator==(const BucketRate&) const = default;
};

// "50:100" (50 a second, bursts of 100) or "50" (bursts of as many). INVALID_ARGUMENT says what is
// accepted: a rate above 0 and up to 1,000,000, a burst from 1 to 1,000,000.
absl::StatusOr<BucketRate> ParseBucketRate(absl::string_view text);

struct BucketAnswer {
  bool granted = false;
  // Whole tokens: the bucket's size, and what is left.
  int limit = 0;
  int remaining = 0;
  // Whole seconds, rounded up: until the bucket is full, and until there is a token.
  int reset_s = 0;
  int retry_after_s = 0;
};

class TokenBuckets {
 public:
  static constexpr size_t kBucketsMax = 65536;

  // Takes one token of `key`, if there is one.
  BucketAnswer Take(absl::string_view key, const BucketRate& rate, absl::Time now);
  // The same answer without taking one.
  BucketAnswer Look(absl::string_view key, const BucketRate& rate, absl::Time now);

  size_t size() const;

 private:
  struct Bucket {
    double tokens = 0;
    absl::Time filled;
    BucketRate rate;
  };

  // Both: REQUIRES mutex_ is held.
  Bucket& Find(absl::string_view key, const BucketRate& rate, absl::Time now);
  void MakeRoom(absl::Time now);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  absl::flat_hash_map<std::string, Bucket> buckets_;
};

}  // namespace relations
