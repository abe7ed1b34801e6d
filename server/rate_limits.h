// How often a principal may call, by his roles, and how often a peer may fail to authenticate.
//
// A rule gives a role a rate; of a principal's rules the most generous counts; `*` is for those
// whom no rule names; without a rule there is no limit. A user has one bucket for all his
// credentials. A peer is a client's IP address; local peers (unix sockets) and trusted hops, who
// speak for many, are not counted.
//
// Thread-safe. Rules may change at any time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/base/token_buckets.h"
#include "storage/credential_store.h"

namespace relations {

struct RateRules {
  // By role, or "*".
  std::map<std::string, BucketRate> by_role;
  // Of failed authentications by peer; nothing: not counted.
  std::optional<BucketRate> failures;
};

// `rates`: "ROLE=RATE:BURST" each. `failures`: "RATE:BURST" or "0". INVALID_ARGUMENT names what is
// wrong.
absl::StatusOr<RateRules> ParseRateRules(const std::vector<std::string>& rates,
                                         const std::string& failures);

class RateLimits {
 public:
  explicit RateLimits(RateRules rules);

  void SetRules(RateRules rules);

  // Counts a call of the principal; nothing when no rule is for him.
  std::optional<BucketAnswer> Count(const Principal& principal, absl::Time now);

  // Whether a peer, as gRPC names it ("ipv4:192.0.2.1:4711"), has failed too often; counts nothing.
  std::optional<BucketAnswer> LookAtPeer(absl::string_view peer, absl::Time now);
  void CountFailure(absl::string_view peer, absl::Time now);

 private:
  std::shared_ptr<const RateRules> rules() const;

  mutable std::mutex mutex_;
  // Guarded by mutex_; what it points to never changes.
  std::shared_ptr<const RateRules> rules_;
  TokenBuckets principals_;
  TokenBuckets peers_;
};

}  // namespace relations
