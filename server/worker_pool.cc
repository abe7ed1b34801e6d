#include "server/worker_pool.h"

#include <utility>

namespace relations {

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
    task();
    task = nullptr;
    lock.lock();
    --running_;
  }
}

}  // namespace relations
