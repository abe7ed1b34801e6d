#include "storage/write_queue.h"

#include <future>
#include <utility>
#include <vector>

#include "storage/base/public_error.h"

namespace relations {

WriteQueue::WriteQueue(GraphStore* store, const Options& options)
    : store_(store), options_(options), thread_([this] { Work(); }) {}

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool WriteQueue::TrySubmit(Mutations& mutations, size_t bytes, Done& done) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool fits = waiting_.size() < options_.requests_max &&
                      (waiting_.empty() || waiting_bytes_ + bytes <= options_.bytes_max);
    if (!fits) return false;
    waiting_.push_back({std::move(mutations), bytes, std::move(done)});
    waiting_bytes_ += bytes;
  }
  changed_.notify_one();
  return true;
}

absl::Status WriteQueue::Apply(Mutations mutations, size_t bytes) {
  std::promise<absl::Status> promise;
  std::future<absl::Status> status = promise.get_future();
  Done done = [&promise](const absl::Status& result) { promise.set_value(result); };
  if (!TrySubmit(mutations, bytes, done)) {
    return PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable,
                       "too many reports wait to be written, try again");
  }
  return status.get();
}

std::deque<WriteQueue::Request> WriteQueue::TakeGroup() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  std::deque<Request> group;
  size_t bytes = 0;
  while (!waiting_.empty() && group.size() < options_.group_requests_max &&
         (group.empty() || bytes + waiting_.front().bytes <= options_.group_bytes_max)) {
    bytes += waiting_.front().bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  return group;
}

void WriteQueue::Work() {
  while (true) {
    const std::deque<Request> group = TakeGroup();
    if (group.empty()) return;
    std::vector<const Mutations*> mutations;
    mutations.reserve(group.size());
    for (const Request& request : group) mutations.push_back(&request.mutations);
    const std::vector<absl::Status> statuses = store_->ApplyGroup(mutations);
    for (size_t i = 0; i < group.size(); ++i) group[i].done(statuses[i]);
  }
}

}  // namespace relations
