#include "server/rate_limits.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// The part of a gRPC peer that names the machine; empty for a local one.
absl::string_view MachineOf(absl::string_view peer) {
  if (!absl::StartsWith(peer, "ipv4:") && !absl::StartsWith(peer, "ipv6:")) return {};
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace

absl::StatusOr<RateRules> ParseRateRules(const std::vector<std::string>& rates,
                                         const std::string& failures) {
  RateRules rules;
  for (const std::string& text : rates) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("rate-limit: \"", text, "\" must be ROLE=RATE:BURST, such as user=50:100"));
    }
    auto rate = ParseBucketRate(absl::string_view(text).substr(equals + 1));
    if (!rate.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("rate-limit: ", rate.status().message()));
    }
    if (!rules.by_role.emplace(text.substr(0, equals), *rate).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("rate-limit: the role ", text.substr(0, equals), " stands there twice"));
    }
  }
  if (failures != "0") {
    auto rate = ParseBucketRate(failures);
    if (!rate.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("failed-auth-limit: ", rate.status().message(), "; 0 for no limit"));
    }
    rules.failures = *rate;
  }
  return rules;
}

RateLimits::RateLimits(RateRules rules)
    : rules_(std::make_shared<const RateRules>(std::move(rules))) {}

void RateLimits::SetRules(RateRules rules) {
  auto next = std::make_shared<const RateRules>(std::move(rules));
  const std::lock_guard<std::mutex> lock(mutex_);
  rules_ = std::move(next);
}

std::shared_ptr<const RateRules> RateLimits::rules() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return rules_;
}

std::optional<BucketAnswer> RateLimits::Count(const Principal& principal, absl::Time now) {
  const std::shared_ptr<const RateRules> current = rules();
  const auto& by_role = current->by_role;
  if (by_role.empty()) return std::nullopt;
  auto best = by_role.end();
  for (const std::string& role : principal.roles) {
    const auto rule = by_role.find(role);
    if (rule == by_role.end()) continue;
    if (best == by_role.end() || rule->second.per_second > best->second.per_second) best = rule;
  }
  if (best == by_role.end()) best = by_role.find("*");
  if (best == by_role.end()) return std::nullopt;
  return principals_.Take(principal.user_id, best->second, now);
}

std::optional<BucketAnswer> RateLimits::LookAtPeer(absl::string_view peer, absl::Time now) {
  const std::shared_ptr<const RateRules> current = rules();
  const absl::string_view machine = MachineOf(peer);
  if (machine.empty() || !current->failures) return std::nullopt;
  const BucketAnswer answer = peers_.Look(machine, *current->failures, now);
  return answer.granted ? std::nullopt : std::optional<BucketAnswer>(answer);
}

void RateLimits::CountFailure(absl::string_view peer, absl::Time now) {
  const std::shared_ptr<const RateRules> current = rules();
  const absl::string_view machine = MachineOf(peer);
  if (!machine.empty() && current->failures) peers_.Take(machine, *current->failures, now);
}

}  // namespace relations
