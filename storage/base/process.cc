#include "storage/base/process.h"

#include "absl/synchronization/mutex.h"

namespace relations {

void PrepareProcess() {
  // Debian builds Abseil with a record of the order of all locks. It is kept under one lock, for
  // each mutex that gRPC takes and gives back.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace relations
