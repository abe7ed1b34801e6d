#include "storage/base/token_buckets.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace relations {
namespace {

constexpr double kRateMax = 1e6;

double TokensAt(double tokens, const BucketRate& rate, absl::Time filled, absl::Time now) {
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(now - filled));
  return std::min(rate.burst, tokens + seconds * rate.per_second);
}

int WholeSeconds(double seconds) { return static_cast<int>(std::ceil(std::min(seconds, 1e9))); }

BucketAnswer AnswerOf(bool granted, double tokens, const BucketRate& rate) {
  BucketAnswer answer;
  answer.granted = granted;
  answer.limit = static_cast<int>(rate.burst);
  answer.remaining = static_cast<int>(tokens);
  answer.reset_s = WholeSeconds((rate.burst - tokens) / rate.per_second);
  answer.retry_after_s = granted ? 0 : std::max(1, WholeSeconds((1 - tokens) / rate.per_second));
  return answer;
}

}  // namespace

absl::StatusOr<BucketRate> ParseBucketRate(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  BucketRate rate;
  const bool whole = text.find(':') == absl::string_view::npos;
  if (!absl::SimpleAtod(parts.first, &rate.per_second) || !(rate.per_second > 0) ||
      rate.per_second > kRateMax ||
      (!whole && (!absl::SimpleAtod(parts.second, &rate.burst) || !(rate.burst >= 1) ||
                  rate.burst > kRateMax))) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is no rate: RATE or RATE:BURST is, such as 50:100, with a ",
                     "rate a second above 0 and a burst of at least 1, both up to 1000000"));
  }
  if (whole) rate.burst = std::max(1.0, std::ceil(rate.per_second));
  return rate;
}

BucketAnswer TokenBuckets::Take(absl::string_view key, const BucketRate& rate, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Bucket& bucket = Find(key, rate, now);
  const bool granted = bucket.tokens >= 1;
  if (granted) bucket.tokens -= 1;
  return AnswerOf(granted, bucket.tokens, rate);
}

BucketAnswer TokenBuckets::Look(absl::string_view key, const BucketRate& rate, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return AnswerOf(true, rate.burst, rate);
  const Bucket& bucket = Find(key, rate, now);
  return AnswerOf(bucket.tokens >= 1, bucket.tokens, rate);
}

size_t TokenBuckets::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return buckets_.size();
}

TokenBuckets::Bucket& TokenBuckets::Find(absl::string_view key, const BucketRate& rate,
                                         absl::Time now) {
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kBucketsMax) MakeRoom(now);
    found = buckets_.emplace(std::string(key), Bucket{rate.burst, now, rate}).first;
  }
  Bucket& bucket = found->second;
  // By the rate that counts now: settings may have changed.
  bucket.tokens = TokensAt(bucket.tokens, rate, bucket.filled, now);
  bucket.filled = std::max(bucket.filled, now);
  bucket.rate = rate;
  return bucket;
}

void TokenBuckets::MakeRoom(absl::Time now) {
  absl::erase_if(buckets_, [now](const auto& entry) {
    const Bucket& bucket = entry.second;
    return TokensAt(bucket.tokens, bucket.rate, bucket.filled, now) >= bucket.rate.burst;
  });
  if (buckets_.size() < kBucketsMax) return;
  std::vector<absl::Time> times;
  for (const auto& [key, bucket] : buckets_) times.push_back(bucket.filled);
  const auto oldest = times.begin() + kBucketsMax / 16;
  std::nth_element(times.begin(), oldest, times.end());
  absl::erase_if(buckets_, [limit = *oldest](const auto& e) { return e.second.filled <= limit; });
}

}  // namespace relations
