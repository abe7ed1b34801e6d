#include "storage/rocks/background_worker.h"

#include <utility>

namespace relations {

BackgroundWorker::BackgroundWorker(size_t queue_max)
    : queue_max_(queue_max), thread_([this] { Run(); }) {}

BackgroundWorker::~BackgroundWorker() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

absl::Status BackgroundWorker::Submit(Job job) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return queue_.size() < queue_max_ || !status_.ok(); });
  if (!status_.ok()) return status_;
  queue_.push_back(std::move(job));
  changed_.notify_all();
  return absl::OkStatus();
}

absl::Status BackgroundWorker::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && !running_; });
  return status_;
}

void BackgroundWorker::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !queue_.empty(); });
    if (ends_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    lock.unlock();
    absl::Status status = job();
    // What the job holds goes before anybody hears that it is done.
    job = nullptr;
    lock.lock();
    running_ = false;
    if (!status.ok()) {
      status_.Update(status);
      queue_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace relations
