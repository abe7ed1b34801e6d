#include "server/backup_directory.h"

#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations {

absl::StatusOr<BackupSummary> BackupDirectory::Create(IfBusy if_busy) {
  std::unique_lock<std::mutex> taking(taking_, std::defer_lock);
  if (if_busy == IfBusy::kWait) {
    taking.lock();
  } else if (!taking.try_lock()) {
    return PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable,
                       "a backup is being taken, try again");
  }
  ASSIGN_OR_RETURN(BackupSummary backup, CreateBackup(*database_, directory_));
  LogInfo("backup verified",
          {{"id", backup.id}, {"bytes", backup.bytes}, {"directory", directory_}});
  if (keep_ > 0) RETURN_IF_ERROR(PruneBackups(directory_, keep_).status());
  return backup;
}

absl::StatusOr<std::vector<BackupSummary>> BackupDirectory::List() const {
  absl::StatusOr<std::vector<BackupSummary>> backups = ListBackups(directory_);
  if (absl::IsNotFound(backups.status())) return std::vector<BackupSummary>();
  return backups;
}

}  // namespace relations
