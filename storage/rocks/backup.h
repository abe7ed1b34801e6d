// Backups of a store: taken while it is written to, incremental (a table file that did not change
// is kept once, whatever number of backups have it), and verified.
//
// A backup directory belongs to backups alone and to one store at a time by use, not by rule: each
// backup says which store it is of. Only one process may write to it at a time. It is RocksDB's
// BackupEngine's, with "<store id>\n<sequence>\n" as each backup's metadata: the backup holds every
// write up to that sequence number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/rocks/database.h"

namespace relations {

struct BackupSummary {
  uint32_t id = 0;
  absl::Time created_at;
  // Of all its files; those that it shares with others are counted for each.
  uint64_t bytes = 0;
  std::string store_id;
  uint64_t sequence = 0;
};

// Takes a backup of the open store, and reads it back against its checksums before it returns. The
// directory is made when it is missing. UNAVAILABLE when there is no room; DATA_LOSS when what was
// written does not read back.
absl::StatusOr<BackupSummary> CreateBackup(RocksDatabase& database, const std::string& directory);

// The backups that are whole, oldest first. NOT_FOUND when there is no such directory.
absl::StatusOr<std::vector<BackupSummary>> ListBackups(const std::string& directory);

// Removes all but the newest `keep` of them. Returns how many were removed.
absl::StatusOr<size_t> PruneBackups(const std::string& directory, uint32_t keep);

// Makes a store of a backup (the newest for id 0) at `target`, which must not exist or be an empty
// directory: FAILED_PRECONDITION otherwise. The backup is verified first, and the store is opened
// once: it holds what the backup does, or nothing is at `target`. NOT_FOUND: no such backup.
absl::StatusOr<BackupSummary> RestoreBackup(const std::string& directory, uint32_t id,
                                            const std::string& target);

}  // namespace relations
