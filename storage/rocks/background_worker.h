// One thread that does jobs in the order they were given, behind a bounded queue: the second core
// of a bulk import.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/status.h"

namespace relations {

// Submit and Wait belong to one thread at a time. What a job did is seen by whoever returns from
// Wait.
class BackgroundWorker {
 public:
  using Job = std::function<absl::Status()>;

  // At most `queue_max` jobs wait beside the one that runs.
  explicit BackgroundWorker(size_t queue_max);
  // Ends after the running job; those that wait are dropped.
  ~BackgroundWorker();
  BackgroundWorker(const BackgroundWorker&) = delete;
  BackgroundWorker& operator=(const BackgroundWorker&) = delete;

  // Waits while the queue is full. Returns the error of an earlier job, after which no job runs any
  // more.
  absl::Status Submit(Job job);
  // Waits until all jobs are done; the first error of any.
  absl::Status Wait();

 private:
  void Run();

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  absl::Status status_;
  bool running_ = false;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace relations
