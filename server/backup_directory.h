// The directory into which a running server backs up its store: by itself (backup_schedule.h) and
// when an administrator asks. One backup is taken at a time. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/rocks/backup.h"
#include "storage/rocks/database.h"

namespace relations {

// The reason of the error of a server that has none.
inline constexpr char kNoBackupsReason[] = "no_backups";

class BackupDirectory {
 public:
  enum class IfBusy { kWait, kRefuse };

  // Keeps the newest `keep`, all for 0. `database` is not owned and must outlive this.
  BackupDirectory(RocksDatabase* database, std::string directory, uint32_t keep)
      : database_(database), directory_(std::move(directory)), keep_(keep) {}

  // Takes a backup and verifies it; then removes the old ones. Each backup is a line of the log.
  // UNAVAILABLE, a public error, when one is being taken and it is not to wait.
  absl::StatusOr<BackupSummary> Create(IfBusy if_busy);

  // Those that are whole, oldest first; none before the first.
  absl::StatusOr<std::vector<BackupSummary>> List() const;

 private:
  RocksDatabase* const database_;
  const std::string directory_;
  const uint32_t keep_;
  // Held while a backup is taken.
  std::mutex taking_;
};

}  // namespace relations
