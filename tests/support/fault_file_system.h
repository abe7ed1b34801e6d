// A file system that loses power and fails on demand: what the crash tests give to a store in place
// of the real one (DatabaseOptions::env, by FaultEnv).
//
// It remembers which bytes of each file were synced, and which files were created, renamed and
// deleted since their directory was. LosePower then leaves what honest storage may leave: all
// synced bytes, any beginning of the others, and any beginning of the changes of a directory that
// was not synced.
//
// Operations that change something (create, append, sync, close, rename, delete, directory sync)
// are counted from 1; FailAt picks the one that fails. Thread-safe, but for LosePower.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace relations {

class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  enum class Fault {
    // The machine dies: part of an append may still happen, and nothing after it.
    kDeath,
    // EIO, without effect.
    kIoError,
    // ENOSPC, without effect. A disk becomes full by and by: GetFreeSpace says so some operations
    // ahead.
    kNoSpace,
    // Half of the bytes of an append are written, then EIO.
    kShortWrite,
  };
  enum class Lasting { kOnce, kUntilHealed };

  FaultFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base, uint64_t seed);

  const char* Name() const override { return "FaultFileSystem"; }

  // The operations so far.
  uint64_t operations() const;
  // The `ahead`-th operation from now fails, and all after it when `lasting` says so.
  void FailAfter(uint64_t ahead, Fault fault, Lasting lasting);
  // Reads of file contents fail with EIO until Heal.
  void FailReads();
  void Heal();
  bool dead() const;
  // How many operations and reads were failed.
  uint64_t faults() const;

  // What is left after the power is back; heals. REQUIRES: no file is open.
  void LosePower();

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 uint64_t* free_bytes, rocksdb::IODebugContext* debug) override;

 private:
  class File;
  class Reader;
  class Directory;
  // Of a file that was written through this.
  struct Extent {
    uint64_t written = 0;
    uint64_t synced = 0;
  };
  // A change of a directory that is not synced: a file appeared under a name or vanished from one.
  struct Change {
    std::string path;
    // Where the file was before, when it was renamed.
    std::string from;
    // The file that the name had before.
    std::optional<std::string> lost_bytes;
    Extent lost_extent;
  };
  struct Failure {
    uint64_t at = 0;
    Fault fault = Fault::kDeath;
    Lasting lasting = Lasting::kOnce;
  };

  // Counts an operation and says how it fares; `*half` is set when half of it is to be done. Each
  // of these needs mutex_ to be held.
  rocksdb::IOStatus Judge(bool* half);
  std::optional<std::string> BytesOf(const std::string& path);
  void Replace(const std::string& path, const std::string& bytes);
  void Undo(const Change& change);

  mutable std::mutex mutex_;
  // State below is guarded by mutex_.
  std::mt19937_64 random_;
  uint64_t operations_ = 0;
  uint64_t faults_ = 0;
  std::optional<Failure> failure_;
  bool reads_fail_ = false;
  bool dead_ = false;
  std::map<std::string, Extent> extents_;
  std::vector<Change> unsynced_changes_;
};

// An environment over such a file system whose sleeps are short: RocksDB sleeps a second after an
// error in the background.
class FaultEnv final : public rocksdb::EnvWrapper {
 public:
  explicit FaultEnv(const std::shared_ptr<FaultFileSystem>& disk);
  const char* Name() const override { return "FaultEnv"; }

 private:
  explicit FaultEnv(std::unique_ptr<rocksdb::Env> composite);
  std::unique_ptr<rocksdb::Env> composite_;
};

}  // namespace relations
