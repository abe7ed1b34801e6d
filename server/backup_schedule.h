// Backups that a running server takes of its store by itself, one after another, while it serves.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "storage/rocks/database.h"

namespace relations {

class BackupSchedule {
 public:
  struct Options {
    std::string directory;
    // From the end of one to the start of the next; the first is taken at once,
    // however soon the end comes.
    std::chrono::seconds interval{3600};
    // How many of the newest are kept; 0 keeps all.
    uint32_t keep = 0;
  };

  // Starts its thread. Each backup and each failure is a line of the log; a failure does not end
  // the schedule. `database` is not owned and must outlive this.
  BackupSchedule(RocksDatabase* database, const Options& options);
  // Waits for a backup that is under way.
  ~BackupSchedule();
  BackupSchedule(const BackupSchedule&) = delete;
  BackupSchedule& operator=(const BackupSchedule&) = delete;

 private:
  void Work();

  RocksDatabase* const database_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  // Constant after construction.
  std::thread thread_;
};

}  // namespace relations
