// Backups that a running server takes of its store by itself, one after another, while it serves.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/backup_directory.h"

namespace relations {

class BackupSchedule {
 public:
  struct Options {
    // From the end of one to the start of the next; the first is taken at once,
    // however soon the end comes.
    std::chrono::seconds interval{3600};
  };

  // Starts its thread. Each failure is a line of the log and does not end the schedule. `directory`
  // is not owned and must outlive this.
  BackupSchedule(BackupDirectory* directory, const Options& options);
  // Waits for a backup that is under way.
  ~BackupSchedule();
  BackupSchedule(const BackupSchedule&) = delete;
  BackupSchedule& operator=(const BackupSchedule&) = delete;

 private:
  void Work();

  BackupDirectory* const directory_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  // Constant after construction.
  std::thread thread_;
};

}  // namespace relations
