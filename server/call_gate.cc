#include "server/call_gate.h"

namespace relations {

bool CallGate::Enter() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) {
    return false;
  }
  ++inside_;
  return true;
}

void CallGate::Leave() {
  // Notified under the lock: who waits may destroy the gate as soon as it sees zero.
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--inside_ == 0) {
    empty_.notify_all();
  }
}

size_t CallGate::inside() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return inside_;
}

void CallGate::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
}

bool CallGate::WaitUntilEmpty(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  return empty_.wait_for(lock, absl::ToChronoMilliseconds(timeout),
                         [this] { return inside_ == 0; });
}

}  // namespace relations
