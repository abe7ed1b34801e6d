// The threads that walk and read: a fixed number of them behind a bounded queue, so that blocking
// work never runs on gRPC's own threads and a burst is refused at once instead of piling up.
//
// Thread-safe. Plain std::mutex, so that ThreadSanitizer can judge it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace relations {

// Whole seconds in which `threads` threads do `tasks` tasks of `mean` each: at least 1, at most
// kCatchUpSecondsMax.
inline constexpr int kCatchUpSecondsMax = 30;
int CatchUpSeconds(size_t tasks, std::chrono::nanoseconds mean, size_t threads);

class WorkerPool {
 public:
  struct Options {
    // At least 1 each. `max_in_flight` counts what waits and what runs.
    size_t threads = 1;
    size_t max_in_flight = 1;
  };

  explicit WorkerPool(const Options& options);
  // Runs what was accepted, then joins the threads.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Accepts `task`, to be run in order of acceptance by some thread of the pool, or returns false
  // at once when `max_in_flight` tasks are in flight. Tasks do not throw.
  bool TryRun(std::function<void()> task);

  // Tasks that no thread has taken up yet.
  size_t waiting();

  // When it is worth coming again after a refusal: the seconds in which what is in flight now will
  // have run, judged by the time that tasks took lately.
  int SecondsToCatchUp();

 private:
  void Work();

  const size_t max_in_flight_;
  std::mutex mutex_;
  // State below is guarded by mutex_.
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  size_t running_ = 0;
  // A moving mean over tasks, recent ones first.
  std::chrono::nanoseconds mean_time_{0};
  bool stopping_ = false;
  // Constant after construction.
  std::vector<std::thread> threads_;
};

}  // namespace relations
