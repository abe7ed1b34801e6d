// A mutex that is given in the order in which it was asked for: who takes it again and again leaves
// everybody else his turn. For critical sections that are long compared with a wake-up.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace relations {

class FairMutex {
 public:
  // Named as std::lock_guard wants them.
  void lock() {
    std::unique_lock<std::mutex> lock(mutex_);
    const uint64_t turn = asked_++;
    changed_.wait(lock, [&] { return served_ == turn; });
  }
  void unlock() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++served_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  uint64_t asked_ = 0;
  uint64_t served_ = 0;
};

}  // namespace relations
