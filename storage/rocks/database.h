// One RocksDB database with the families of the store: opened, guarded and closed here, and nowhere
// else. rocksdb::Status does not leave storage/: it becomes an absl::Status in rocks_status.h.
//
// A directory holds one store. On disk, besides RocksDB's own files:
//
//   HIGH_WATER   the last sequence number known to be durable (high_water.h), written at creation,
//                at every flush and at a clean stop.
//
// Invariants:
//   1. All families are created before the record `created` in `meta`; `created` is in an SST file
//      before HIGH_WATER exists. So HIGH_WATER proves that a whole store was here.
//   2. Without HIGH_WATER and without `created` nothing was ever acknowledged: what is there is the
//      remains of an interrupted creation and is created anew.
//   3. HIGH_WATER's sequence <= the recovered sequence, else acknowledged writes are missing (a log
//      file vanished, an older copy of some files was put back): DATA_LOSS, the store does not
//      open.
//   4. A torn end of the write-ahead log is a normal crash and opens; damage in the middle does not
//      (WALRecoveryMode::kTolerateCorruptedTailRecords).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/statistics.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks/high_water.h"
#include "storage/rocks/primary_files.h"

namespace relations {

// The families, by name; the order is of no importance on disk.
enum class Family {
  kMeta,
  kIds,
  kEntities,
  kAdjacency,
  kRelations,
  kVisibility,
  kLabels,
  kCredentials,
  kChanges
};
inline constexpr size_t kFamilies = 9;

// "meta", "ids", ...
absl::string_view FamilyName(Family family);

enum class OpenMode {
  // The store must be there.
  kExisting,
  // Created when the directory is missing or empty.
  kCreateIfMissing,
  // Only read, also while another process writes it: nothing in the directory is locked, made or
  // changed. What is read is the store of one moment, that of opening or of the last CatchUp.
  kFollow,
};

struct DatabaseOptions {
  std::string directory;
  OpenMode mode = OpenMode::kExisting;
  // Shared by the block caches of all families.
  uint64_t cache_bytes = uint64_t{512} << 20;
  // For fault injection in tests; the process's own file system when null. Not owned.
  rocksdb::Env* env = nullptr;
  // Writes are refused while the disk has less room: RocksDB cannot go on, short of being opened
  // anew, once its log has met a full disk. Enough for a flush of all that is in memory.
  uint64_t reserve_bytes = uint64_t{256} << 20;
  // After a write that the disk refused: how long until the next one tries whether it does again.
  std::chrono::milliseconds resume_interval{1000};
  // Caches and counters of a database of the same files that was opened before; new ones when null.
  std::shared_ptr<rocksdb::Cache> block_cache = nullptr;
  std::shared_ptr<rocksdb::Statistics> statistics = nullptr;
};

class RocksDatabase {
 public:
  // NOT_FOUND: no store there. FAILED_PRECONDITION: locked by another process, not a store, or of a
  // newer format. DATA_LOSS: damaged, or acknowledged writes are missing. The message names the
  // directory and what to do. When it is to follow: UNAVAILABLE when the writer's files changed
  // too quickly to be read.
  static absl::StatusOr<std::unique_ptr<RocksDatabase>> Open(const DatabaseOptions& options);

  // Closes when Close was not called; errors of that go to the log.
  ~RocksDatabase();
  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  // Records the high-water mark and closes. Nothing may use the database afterwards.
  absl::Status Close();

  // Whether it was opened to follow.
  bool follows() const { return options_.mode == OpenMode::kFollow; }
  // Goes on to what the writer has logged since. Only for a database that follows, and only while
  // nobody reads it. FAILED_PRECONDITION when the writer has done more than write its log: the
  // database is of no use then, and must be opened anew.
  absl::Status CatchUp();
  // What the files of the writer were when this was read; the same files: the same store.
  const PrimaryFiles& primary_files() const { return primary_files_; }

  rocksdb::DB& db() const { return *db_; }
  // Keeps what is read with it to this moment. Null for a database that follows, which stays at one
  // moment by itself. The database must outlive it.
  std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot() const;
  rocksdb::ColumnFamilyHandle* family(Family family) const;
  // A UUID, given at creation.
  const std::string& store_id() const { return store_id_; }
  const std::string& directory() const { return options_.directory; }

  // Writes a batch and syncs the log. OK means durable. After an error the batch is not to be seen,
  // but it may be there when the store is opened anew. UNAVAILABLE while the disk takes no writes:
  // reads go on. Writes do so by themselves when a full disk has room again, or when what failed
  // was a flush; after an error of the log only once the store is opened anew.
  absl::Status Write(rocksdb::WriteBatch& batch);

  // Gives the feed of changes a new name (key_format.h): nobody goes on from before.
  absl::Status RenameFeed();

  // A point read; an empty optional when the key is not there.
  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key) const;

  // Calls `visit` for every key that starts with `prefix`, in order, until it returns a status that
  // is not OK, which is then returned.
  absl::Status ForEach(Family family, absl::string_view prefix,
                       const std::function<absl::Status(absl::string_view key,
                                                        absl::string_view value)>& visit) const;

  const std::shared_ptr<rocksdb::Cache>& block_cache() const { return block_cache_; }
  // Of the block cache that all families share.
  uint64_t block_cache_capacity() const { return block_cache_->GetCapacity(); }
  uint64_t block_cache_bytes() const { return block_cache_->GetUsage(); }

  // Bytes of the family's files on disk.
  uint64_t BytesOnDisk(Family family) const;

 private:
  class FlushListener;

  explicit RocksDatabase(DatabaseOptions options) : options_(std::move(options)) {}
  absl::Status OpenFamilies();
  absl::Status OpenToFollow();
  // One try, whatever the writer does meanwhile.
  absl::Status OpenSecondary();
  absl::Status CreateFamilies();
  // Whether `created`, the first record, and `high_water` allow to use what was opened; sets the
  // store's id and its format.
  absl::Status Judge(const std::string& created, const std::optional<HighWater>& high_water);
  // Makes the store one of kFormatVersion, from which an older program keeps its hands. With
  // `lists_remain` it is so once UpgradeLists has run.
  absl::Status RecordFormat(bool lists_remain);
  // Adds the family `changes` to a store that has none yet, and names the feed that has no name.
  absl::Status PrepareFeed();
  absl::Status RecordHighWater(uint64_t sequence);
  rocksdb::Env& env() const {
    return options_.env != nullptr ? *options_.env : *rocksdb::Env::Default();
  }
  // UNAVAILABLE when the disk has less room than the reserve.
  absl::Status CheckRoom() const;
  // Makes RocksDB accept writes again, which refuses them all after one has failed.
  absl::Status Resume();

  DatabaseOptions options_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::string store_id_;
  int format_version_ = 0;
  PrimaryFiles primary_files_;
  std::shared_ptr<FlushListener> listener_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex high_water_mutex_;
  uint64_t high_water_ = 0;
  std::mutex resume_mutex_;
  // Guarded by resume_mutex_: whether writes are refused, and when the last try to change that was.
  bool stopped_ = false;
  std::chrono::steady_clock::time_point resumed_at_;
};

}  // namespace relations
