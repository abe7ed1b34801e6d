// Counts the calls between acceptance and their last byte, and closes for new ones when the server
// drains. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/time/time.h"

namespace relations {

class CallGate {
 public:
  // Counts a call in; false, and nothing is counted, once Close was called.
  bool Enter();
  // Counts a call out that entered.
  void Leave();
  // From now on Enter refuses.
  void Close();
  // Calls that are in now.
  size_t inside();
  // Waits until no call is in; false when `timeout` passes before.
  bool WaitUntilEmpty(absl::Duration timeout);

 private:
  std::mutex mutex_;
  // State below is guarded by mutex_.
  std::condition_variable empty_;
  size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace relations
