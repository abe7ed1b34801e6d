// The read-only server's part beside RelationsServer: waiting for a store that is not there yet,
// going on with the primary, and telling health when that no longer succeeds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/rocks/followed_store.h"

namespace relations {

// Opens the store in a directory, and waits for it as long as `patience` where there is none yet:
// beside a primary it may start first. Null when a signal of `signals` that asks for the end came
// before. Errors are those of FollowedStore::Open.
absl::StatusOr<std::unique_ptr<FollowedStore>> OpenFollowedStore(
    const FollowedStore::Options& options, absl::Duration patience, const sigset_t& signals);

class Follower {
 public:
  struct Options {
    // From the end of one look at the primary's files to the next; at least as long as that took,
    // so that half of a core at most is spent on it.
    std::chrono::milliseconds interval{1000};
    // The store is told to be out of date once no look has succeeded for so long.
    absl::Duration lag_max = absl::Seconds(60);
    // Told of each change: true while the store is up to date. On the follower's thread.
    std::function<void(bool)> on_health;
  };

  // Starts its thread. Each failure to go on is a line of the log. `store` is not owned and must
  // outlive this.
  Follower(FollowedStore* store, Options options);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

 private:
  void Work();

  FollowedStore* const store_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  // Constant after construction.
  std::thread thread_;
};

}  // namespace relations
