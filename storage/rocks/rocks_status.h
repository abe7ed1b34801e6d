// The one place where a rocksdb::Status becomes an absl::Status.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/status.h"

namespace relations {

// OK for OK. Corruption: DATA_LOSS. A lock held by another process: FAILED_PRECONDITION. No space,
// and writes refused after an earlier fault: UNAVAILABLE. NotFound: NOT_FOUND. Other faults:
// INTERNAL. `doing` tells what was tried, for the log: "writing a batch".
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view doing);

}  // namespace relations
