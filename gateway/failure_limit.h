// How often one client may fail to authenticate. A client is an IP address; those on unix sockets
// are not counted. Thread-safe; the rate may change at any time.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/token_buckets.h"

namespace relations::gateway {

// "RATE:BURST" as ParseBucketRate, or "0": no limit, which is the empty optional.
absl::StatusOr<std::optional<BucketRate>> ParseFailureLimit(const std::string& text);

class FailureLimit {
 public:
  explicit FailureLimit(std::optional<BucketRate> rate) : rate_(rate) {}

  void SetRate(std::optional<BucketRate> rate);

  // Whole seconds until the client may try again; 0: now.
  int SecondsToWait(absl::string_view client);
  void Count(absl::string_view client);

 private:
  std::optional<BucketRate> rate();

  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<BucketRate> rate_;
  TokenBuckets buckets_;
};

}  // namespace relations::gateway
