// The log of changes, in the family `changes`: what the writer adds to each of its batches, and how
// much of it is kept. Readers of it are in rocks_change_feed.h.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/database.h"

namespace relations {

// Load, Append and Commit need the store's writer mutex; the rest is thread-safe.
class ChangeLog {
 public:
  // What is kept at least; the oldest records go when there is an eighth more of either. The newest
  // record always stays.
  struct Retention {
    uint64_t bytes = uint64_t{256} << 20;
    uint64_t changes = 10'000'000;
  };
  struct Counts {
    // Of the records that are kept; both 0 when there is none.
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t bytes = 0;
    uint64_t changes = 0;
  };

  // `database` is not owned and must outlive this.
  ChangeLog(const RocksDatabase* database, const Retention& retention)
      : database_(database), retention_(retention) {}

  absl::Status Load();

  // Adds records of `changes` to the batch, and the removal of old ones.
  absl::Status Append(const std::vector<LoggedChange>& changes, rocksdb::WriteBatch* batch);
  // What was appended last is written. Without it the next Append takes its place.
  void Commit();

  // Calls the listener: there is something new to read.
  void Notify();
  // `listener` must not block; it may be called on any thread until another one, or none, takes its
  // place.
  void SetListener(std::function<void()> listener);

  Counts counts() const;

 private:
  struct State {
    uint64_t first = 1;
    uint64_t last = 0;
    // Of all records before the first, and of all.
    ChangeTotals before_first;
    ChangeTotals totals;
  };

  absl::StatusOr<ChangeTotals> TotalsBefore(uint64_t sequence) const;
  bool IsWithin(const ChangeTotals& all, const ChangeTotals& before) const;
  absl::Status DropOldest(State* state, rocksdb::WriteBatch* batch) const;

  const RocksDatabase* const database_;
  const Retention retention_;
  State appended_;
  mutable std::mutex mutex_;
  // State below is guarded by mutex_; only a holder of the writer mutex changes it.
  State committed_;
  std::mutex listener_mutex_;
  // Guarded by listener_mutex_.
  std::function<void()> listener_;
};

}  // namespace relations
