// Buckets and rules: what is counted for whom.
#include "server/rate_limits.h"

#include "tests/support/catch.h"

namespace relations {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1700000000);

Principal User(const std::string& id, std::vector<std::string> roles) {
  Principal principal;
  principal.user_id = id;
  principal.roles = std::move(roles);
  return principal;
}

TEST_CASE("a bucket gives its burst, then its rate, and never more than the burst") {
  TokenBuckets buckets;
  const BucketRate rate{2, 3};
  for (int left = 2; left >= 0; --left) {
    const BucketAnswer answer = buckets.Take("a", rate, kStart);
    CHECK(answer.granted);
    CHECK(answer.remaining == left);
    CHECK(answer.limit == 3);
  }
  const BucketAnswer refused = buckets.Take("a", rate, kStart);
  CHECK_FALSE(refused.granted);
  CHECK(refused.retry_after_s == 1);
  CHECK(refused.reset_s == 2);
  CHECK(buckets.Take("b", rate, kStart).granted);
  CHECK(buckets.Take("a", rate, kStart + absl::Milliseconds(500)).granted);
  CHECK_FALSE(buckets.Take("a", rate, kStart + absl::Milliseconds(500)).granted);
  CHECK(buckets.Take("a", rate, kStart + absl::Hours(9)).remaining == 2);
  // A clock that steps back gives nothing away.
  CHECK(buckets.Take("a", rate, kStart).remaining == 1);
}

TEST_CASE("the table of buckets stays within its bound and keeps who was seen last") {
  TokenBuckets buckets;
  const BucketRate rate{0.001, 2};
  for (size_t i = 0; i < TokenBuckets::kBucketsMax + 10; ++i) {
    buckets.Take(std::to_string(i), rate, kStart + absl::Milliseconds(i));
  }
  CHECK(buckets.size() <= TokenBuckets::kBucketsMax);
  const std::string last = std::to_string(TokenBuckets::kBucketsMax + 9);
  const absl::Time later = kStart + absl::Milliseconds(TokenBuckets::kBucketsMax + 11);
  CHECK(buckets.Look(last, rate, later).remaining == 1);
}

TEST_CASE("of a user's roles the most generous rule counts, and * for those whom none names") {
  RateLimits limits(*ParseRateRules({"user=0.001:1", "admin=5:7", "*=0.001:2"}, "0"));
  CHECK(limits.Count(User("a", {"user"}), kStart)->limit == 1);
  CHECK(limits.Count(User("b", {"user", "admin"}), kStart)->limit == 7);
  CHECK(limits.Count(User("c", {"other"}), kStart)->limit == 2);
  // One bucket for all credentials of a user.
  CHECK_FALSE(limits.Count(User("a", {"user"}), kStart)->granted);
  limits.SetRules(*ParseRateRules({"admin=1"}, "0"));
  CHECK_FALSE(limits.Count(User("a", {"user"}), kStart).has_value());
}

TEST_CASE(
    "a remote address that fails too often must wait; local peers and successes do not count") {
  RateLimits limits(*ParseRateRules({}, "0.5:2"));
  for (const char* peer : {"ipv4:192.0.2.1:4711", "ipv4:192.0.2.1:4712"}) {
    CHECK_FALSE(limits.LookAtPeer(peer, kStart).has_value());
    limits.CountFailure(peer, kStart);
  }
  REQUIRE(limits.LookAtPeer("ipv4:192.0.2.1:1", kStart).has_value());
  CHECK(limits.LookAtPeer("ipv4:192.0.2.1:1", kStart)->retry_after_s == 2);
  CHECK_FALSE(limits.LookAtPeer("ipv4:192.0.2.2:1", kStart).has_value());
  CHECK_FALSE(limits.LookAtPeer("ipv4:192.0.2.1:1", kStart + absl::Seconds(2)).has_value());
  for (int i = 0; i < 9; ++i) limits.CountFailure("unix:/run/r.sock", kStart);
  CHECK_FALSE(limits.LookAtPeer("unix:/run/r.sock", kStart).has_value());
}

TEST_CASE("rules that are none are refused with what is accepted") {
  for (const char* rate : {"user", "=1:1", "user=", "user=0:1", "user=1:0", "user=-1", "user=1:1:1",
                           "user=nan", "user=2000000", "user=1:inf"}) {
    CAPTURE(rate);
    const auto rules = ParseRateRules({rate}, "0");
    REQUIRE_FALSE(rules.ok());
    CHECK(rules.status().message().find("rate-limit") != absl::string_view::npos);
  }
  CHECK_FALSE(ParseRateRules({"user=1", "user=2"}, "0").ok());
  CHECK_FALSE(ParseRateRules({}, "often").ok());
}

}  // namespace
}  // namespace relations
