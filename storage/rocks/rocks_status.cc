#include "storage/rocks/rocks_status.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace relations {

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(doing, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsNoSpace()) return absl::UnavailableError(message);
  if (status.IsIOError() && absl::StrContains(message, "/LOCK")) {
    return absl::FailedPreconditionError(message);
  }
  if (status.IsShutdownInProgress() || status.IsBusy() || status.IsTimedOut() ||
      status.severity() >= rocksdb::Status::Severity::kHardError) {
    return absl::UnavailableError(message);
  }
  return absl::InternalError(message);
}

}  // namespace relations
