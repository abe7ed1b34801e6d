#include "server/follower.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "storage/base/log.h"

namespace relations {
namespace {

// Between two looks for a store that is not there yet.
constexpr timespec kLookPause{0, 200'000'000};

}  // namespace

absl::StatusOr<std::unique_ptr<FollowedStore>> OpenFollowedStore(
    const FollowedStore::Options& options, absl::Duration patience, const sigset_t& signals) {
  const absl::Time until = absl::Now() + patience;
  bool told = false;
  for (;;) {
    auto store = FollowedStore::Open(options);
    const bool may_come = absl::IsNotFound(store.status()) || absl::IsUnavailable(store.status());
    if (!may_come || absl::Now() >= until) return store;
    if (!std::exchange(told, true)) {
      LogInfo("waiting for the store", {{"cause", std::string(store.status().message())},
                                        {"seconds", absl::ToDoubleSeconds(patience)}});
    }
    const int signal = sigtimedwait(&signals, nullptr, &kLookPause);
    if (signal == SIGTERM || signal == SIGINT) return nullptr;
  }
}

Follower::Follower(FollowedStore* store, Options options)
    : store_(store), options_(std::move(options)), thread_([this] { Work(); }) {}

Follower::~Follower() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Follower::Work() {
  using Clock = std::chrono::steady_clock;
  bool healthy = true;
  bool failing = false;
  Clock::duration pause = options_.interval;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    const Clock::time_point begin = Clock::now();
    const absl::Status status = store_->CatchUp();
    // Once for each time that it begins to fail: the age of what is served is a metric.
    if (!status.ok() && !std::exchange(failing, true)) {
      LogError("the primary is not followed: the last state is served on",
               {{"cause", status.ToString()}});
    }
    if (status.ok() && std::exchange(failing, false)) LogInfo("the primary is followed again");
    const bool fresh = absl::Now() - store_->progress().looked_at <= options_.lag_max;
    if (fresh != std::exchange(healthy, fresh)) options_.on_health(fresh);
    pause = std::max<Clock::duration>(options_.interval, Clock::now() - begin);
    lock.lock();
  }
}

}  // namespace relations
