#include "server/backup_schedule.h"

#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/backup.h"

namespace relations {
namespace {

absl::Status TakeOne(RocksDatabase& database, const BackupSchedule::Options& options) {
  ASSIGN_OR_RETURN(const BackupSummary backup, CreateBackup(database, options.directory));
  LogInfo("backup verified",
          {{"id", backup.id}, {"bytes", backup.bytes}, {"directory", options.directory}});
  if (options.keep == 0) return absl::OkStatus();
  return PruneBackups(options.directory, options.keep).status();
}

}  // namespace

BackupSchedule::BackupSchedule(RocksDatabase* database, const Options& options)
    : database_(database), options_(options), thread_([this] { Work(); }) {}

BackupSchedule::~BackupSchedule() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackupSchedule::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  do {
    lock.unlock();
    const absl::Status status = TakeOne(*database_, options_);
    if (!status.ok()) LogError("no backup", {{"cause", status.ToString()}});
    lock.lock();
  } while (!changed_.wait_for(lock, options_.interval, [this] { return stopping_; }));
}

}  // namespace relations
