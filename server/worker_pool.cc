#include "server/worker_pool.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace relations {

namespace {

using Clock = std::chrono::steady_clock;

// The last so many tasks make up most of the mean.
constexpr int kTasksOfMean = 16;

}  // namespace

int CatchUpSeconds(size_t tasks, std::chrono::nanoseconds mean, size_t threads) {
  const std::chrono::duration<double> each = mean;
  const double seconds = each.count() * static_cast<double>(tasks) / static_cast<double>(threads);
  return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, double{kCatchUpSecondsMax}));
}

WorkerPool::WorkerPool(const Options& options) : max_in_flight_(options.max_in_flight) {
  threads_.reserve(options.threads);
  for (size_t i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool WorkerPool::TryRun(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (waiting_.size() + running_ >= max_in_flight_) {
      return false;
    }
    waiting_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

size_t WorkerPool::waiting() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return waiting_.size();
}

int WorkerPool::SecondsToCatchUp() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return CatchUpSeconds(waiting_.size() + running_, mean_time_, threads_.size());
}

void WorkerPool::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    const Clock::time_point started = Clock::now();
    task();
    task = nullptr;
    const std::chrono::nanoseconds took = Clock::now() - started;
    lock.lock();
    --running_;
    mean_time_ += (took - mean_time_) / kTasksOfMean;
  }
}

}  // namespace relations
