#include "storage/rocks/backup.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "rocksdb/utilities/backup_engine.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

// `database_env` is where the store is; the backups are in the process's own file system.
absl::StatusOr<std::unique_ptr<rocksdb::BackupEngine>> OpenEngine(const std::string& directory,
                                                                  rocksdb::Env* database_env) {
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::BackupEngineOptions options(directory, rocksdb::Env::Default());
  RETURN_IF_ERROR(FromRocks(rocksdb::BackupEngine::Open(options, database_env, &engine),
                            absl::StrCat("opening the backups in ", directory)));
  return std::unique_ptr<rocksdb::BackupEngine>(engine);
}

absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenEngineToRead(
    const std::string& directory) {
  std::error_code error;
  // RocksDB would make the directory to find it empty.
  if (!fs::is_directory(fs::path(directory) / "meta", error)) {
    return absl::NotFoundError(absl::StrCat("there are no backups in ", directory));
  }
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::BackupEngineOptions options(directory);
  RETURN_IF_ERROR(
      FromRocks(rocksdb::BackupEngineReadOnly::Open(options, rocksdb::Env::Default(), &engine),
                absl::StrCat("opening the backups in ", directory)));
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

absl::StatusOr<BackupSummary> SummaryOf(const rocksdb::BackupInfo& info) {
  BackupSummary summary;
  summary.id = info.backup_id;
  summary.created_at = absl::FromUnixSeconds(info.timestamp);
  summary.bytes = info.size;
  const std::vector<std::string> lines = absl::StrSplit(info.app_metadata, '\n');
  if (lines.size() != 3 || !absl::SimpleAtoi(lines[1], &summary.sequence)) {
    return absl::DataLossError(
        absl::StrCat("backup ", info.backup_id, " was not made by this program or is damaged"));
  }
  summary.store_id = lines[0];
  return summary;
}

// Empty, or not there.
absl::Status CheckTarget(const std::string& target) {
  std::error_code error;
  if (!fs::exists(target, error)) return absl::OkStatus();
  if (fs::is_directory(target, error) && fs::is_empty(target, error)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      target, " is there and not empty: a backup is restored to a new directory only"));
}

// The store in `directory` opens and holds what the backup says.
absl::Status CheckRestored(const std::string& directory, const BackupSummary& summary) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksDatabase> database,
                   RocksDatabase::Open({.directory = directory, .cache_bytes = 8 << 20}));
  const uint64_t sequence = database->db().GetLatestSequenceNumber();
  if (database->store_id() != summary.store_id || sequence < summary.sequence) {
    return absl::DataLossError(
        absl::StrCat("backup ", summary.id, " restores to another store than it was made of"));
  }
  // What was written since the backup is gone: no copy that a client kept is right any more.
  RETURN_IF_ERROR(database->RenameFeed());
  return database->Close();
}

}  // namespace

absl::StatusOr<BackupSummary> CreateBackup(RocksDatabase& database, const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make the directory ", directory, ": ", error.message()));
  }
  ASSIGN_OR_RETURN(const auto engine, OpenEngine(directory, database.db().GetEnv()));
  // What came after this is in the backup too, or not.
  const uint64_t sequence = database.db().GetLatestSequenceNumber();
  rocksdb::BackupID id = 0;
  RETURN_IF_ERROR(FromRocks(engine->CreateNewBackupWithMetadata(
                                rocksdb::CreateBackupOptions(), &database.db(),
                                absl::StrCat(database.store_id(), "\n", sequence, "\n"), &id),
                            "taking a backup"));
  RETURN_IF_ERROR(FromRocks(engine->VerifyBackup(id, /*verify_with_checksum=*/true),
                            absl::StrCat("verifying backup ", id)));
  rocksdb::BackupInfo info;
  RETURN_IF_ERROR(FromRocks(engine->GetBackupInfo(id, &info), "reading back a backup"));
  return SummaryOf(info);
}

absl::StatusOr<std::vector<BackupSummary>> ListBackups(const std::string& directory) {
  ASSIGN_OR_RETURN(const auto engine, OpenEngineToRead(directory));
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  std::vector<BackupSummary> summaries;
  for (const rocksdb::BackupInfo& info : infos) {
    ASSIGN_OR_RETURN(BackupSummary summary, SummaryOf(info));
    summaries.push_back(std::move(summary));
  }
  std::sort(summaries.begin(), summaries.end(),
            [](const BackupSummary& a, const BackupSummary& b) { return a.id < b.id; });
  return summaries;
}

absl::StatusOr<size_t> PruneBackups(const std::string& directory, uint32_t keep) {
  ASSIGN_OR_RETURN(const std::vector<BackupSummary> before, ListBackups(directory));
  if (before.size() <= keep) return 0;
  ASSIGN_OR_RETURN(const auto engine, OpenEngine(directory, rocksdb::Env::Default()));
  RETURN_IF_ERROR(FromRocks(engine->PurgeOldBackups(keep), "removing backups"));
  RETURN_IF_ERROR(FromRocks(engine->GarbageCollect(), "removing files of no backup"));
  return before.size() - keep;
}

absl::StatusOr<BackupSummary> RestoreBackup(const std::string& directory, uint32_t id,
                                            const std::string& target) {
  RETURN_IF_ERROR(CheckTarget(target));
  ASSIGN_OR_RETURN(const std::vector<BackupSummary> backups, ListBackups(directory));
  const auto wanted =
      std::find_if(backups.begin(), backups.end(), [&](const BackupSummary& backup) {
        return id == 0 ? backup.id == backups.back().id : backup.id == id;
      });
  if (wanted == backups.end()) {
    return absl::NotFoundError(
        id == 0 ? absl::StrCat("there are no whole backups in ", directory)
                : absl::StrCat("there is no whole backup ", id, " in ", directory));
  }
  ASSIGN_OR_RETURN(const auto engine, OpenEngineToRead(directory));
  RETURN_IF_ERROR(FromRocks(engine->VerifyBackup(wanted->id, /*verify_with_checksum=*/true),
                            absl::StrCat("verifying backup ", wanted->id)));
  // Beside the target until it is a whole store.
  const std::string partial = absl::StrCat(target, ".restoring");
  std::error_code error;
  fs::remove_all(partial, error);
  absl::Status status = FromRocks(engine->RestoreDBFromBackup(wanted->id, partial, partial),
                                  absl::StrCat("restoring backup ", wanted->id));
  if (status.ok()) status = CheckRestored(partial, *wanted);
  if (status.ok()) {
    fs::remove(target, error);
    fs::rename(partial, target, error);
    if (error) {
      status = absl::InternalError(
          absl::StrCat("cannot rename ", partial, " to ", target, ": ", error.message()));
    }
  }
  if (!status.ok()) {
    fs::remove_all(partial, error);
    return status;
  }
  return *wanted;
}

}  // namespace relations
