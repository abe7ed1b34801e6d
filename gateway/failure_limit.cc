#include "gateway/failure_limit.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace relations::gateway {

absl::StatusOr<std::optional<BucketRate>> ParseFailureLimit(const std::string& text) {
  if (text == "0") return std::optional<BucketRate>();
  auto rate = ParseBucketRate(text);
  if (!rate.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--failed-auth-limit: ", rate.status().message(), "; 0 for no limit"));
  }
  return std::optional<BucketRate>(*rate);
}

void FailureLimit::SetRate(std::optional<BucketRate> rate) {
  const std::lock_guard lock(mutex_);
  rate_ = rate;
}

std::optional<BucketRate> FailureLimit::rate() {
  const std::lock_guard lock(mutex_);
  return rate_;
}

int FailureLimit::SecondsToWait(absl::string_view client) {
  const std::optional<BucketRate> current = rate();
  if (client.empty() || !current) return 0;
  return buckets_.Look(client, *current, absl::Now()).retry_after_s;
}

void FailureLimit::Count(absl::string_view client) {
  const std::optional<BucketRate> current = rate();
  if (!client.empty() && current) buckets_.Take(client, *current, absl::Now());
}

}  // namespace relations::gateway
