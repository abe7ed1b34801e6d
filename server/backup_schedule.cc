#include "server/backup_schedule.h"

#include "storage/base/log.h"

namespace relations {
BackupSchedule::BackupSchedule(BackupDirectory* directory, const Options& options)
    : directory_(directory), options_(options), thread_([this] { Work(); }) {}

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
    const absl::Status status = directory_->Create(BackupDirectory::IfBusy::kWait).status();
    if (!status.ok()) LogError("no backup", {{"cause", status.ToString()}});
    lock.lock();
  } while (!changed_.wait_for(lock, options_.interval, [this] { return stopping_; }));
}

}  // namespace relations
