#include "tests/support/fault_file_system.h"

#include <cstdlib>
#include <utility>

#include "rocksdb/system_clock.h"

namespace relations {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Operations between the word that there is no room and the first that finds none.
constexpr uint64_t kFullAhead = 50;

// Sleeps a thousandth of what it is told.
class ImpatientClock final : public rocksdb::SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "ImpatientClock"; }
  void SleepForMicroseconds(int micros) override {
    SystemClockWrapper::SleepForMicroseconds(micros / 1000);
  }
};

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class FaultFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(FaultFileSystem* system, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), system_(system), path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard<std::mutex> lock(system_->mutex_);
    bool half = false;
    const IOStatus judged = system_->Judge(&half);
    if (!judged.ok() && !half) return judged;
    const Slice written(data.data(), half ? data.size() / 2 : data.size());
    const IOStatus status = target()->Append(written, options, debug);
    if (status.ok()) system_->extents_[path_].written += written.size();
    return judged.ok() ? status : judged;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard<std::mutex> lock(system_->mutex_);
    const IOStatus judged = system_->Judge(nullptr);
    if (!judged.ok()) return judged;
    const IOStatus status = target()->Sync(options, debug);
    Extent& extent = system_->extents_[path_];
    if (status.ok()) extent.synced = extent.written;
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }
  // Promises nothing, so it makes nothing durable.
  IOStatus RangeSync(uint64_t /*offset*/, uint64_t /*bytes*/, const IOOptions& /*options*/,
                     IODebugContext* /*debug*/) override {
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard<std::mutex> lock(system_->mutex_);
    const IOStatus judged = system_->Judge(nullptr);
    const IOStatus status = target()->Close(options, debug);
    return judged.ok() ? status : judged;
  }

 private:
  FaultFileSystem* const system_;
  // Files are renamed after they were closed only.
  const std::string path_;
};

class FaultFileSystem::Reader final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  Reader(FaultFileSystem* system, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), system_(system) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) const override {
    {
      const std::lock_guard<std::mutex> lock(system_->mutex_);
      if (system_->reads_fail_) {
        ++system_->faults_;
        return IOStatus::IOError("injected read error");
      }
    }
    return target()->Read(offset, n, options, result, scratch, debug);
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, size_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    for (size_t i = 0; i < count; ++i) {
      rocksdb::FSReadRequest& request = requests[i];
      request.status =
          Read(request.offset, request.len, options, &request.result, request.scratch, debug);
    }
    return IOStatus::OK();
  }
  IOStatus Prefetch(uint64_t /*offset*/, size_t /*n*/, const IOOptions& /*options*/,
                    IODebugContext* /*debug*/) override {
    return IOStatus::NotSupported("read as it is needed");
  }

 private:
  FaultFileSystem* const system_;
};

class FaultFileSystem::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(FaultFileSystem* system, std::string path, std::unique_ptr<FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), system_(system), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const std::lock_guard<std::mutex> lock(system_->mutex_);
    const IOStatus judged = system_->Judge(nullptr);
    if (!judged.ok()) return judged;
    const IOStatus status = FSDirectoryWrapper::Fsync(options, debug);
    if (status.ok()) {
      std::erase_if(system_->unsynced_changes_,
                    [&](const Change& change) { return DirectoryOf(change.path) == path_; });
    }
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& /*reason*/) override {
    return Fsync(options, debug);
  }

 private:
  FaultFileSystem* const system_;
  const std::string path_;
};

FaultFileSystem::FaultFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base, uint64_t seed)
    : FileSystemWrapper(base), random_(seed) {}

uint64_t FaultFileSystem::operations() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

bool FaultFileSystem::dead() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dead_;
}

uint64_t FaultFileSystem::faults() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return faults_;
}

void FaultFileSystem::FailAfter(uint64_t ahead, Fault fault, Lasting lasting) {
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_ = Failure{operations_ + ahead, fault, lasting};
}

void FaultFileSystem::FailReads() {
  const std::lock_guard<std::mutex> lock(mutex_);
  reads_fail_ = true;
}

void FaultFileSystem::Heal() {
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_.reset();
  reads_fail_ = false;
  dead_ = false;
}

IOStatus FaultFileSystem::Judge(bool* half) {
  ++operations_;
  if (dead_) return IOStatus::IOError("the machine is off");
  if (!failure_.has_value() || operations_ < failure_->at) return IOStatus::OK();
  if (failure_->lasting == Lasting::kOnce && operations_ > failure_->at) return IOStatus::OK();
  ++faults_;
  switch (failure_->fault) {
    case Fault::kDeath:
      dead_ = true;
      if (half != nullptr) *half = random_() % 2 == 0;
      return IOStatus::IOError("the machine went off");
    case Fault::kNoSpace:
      return IOStatus::NoSpace("injected: no space left on device");
    case Fault::kShortWrite:
      if (half != nullptr) *half = true;
      return IOStatus::IOError("injected short write");
    case Fault::kIoError:
      break;
  }
  return IOStatus::IOError("injected error");
}

std::optional<std::string> FaultFileSystem::BytesOf(const std::string& path) {
  std::string bytes;
  if (!rocksdb::ReadFileToString(target_.get(), path, &bytes).ok()) return std::nullopt;
  return bytes;
}

void FaultFileSystem::Replace(const std::string& path, const std::string& bytes) {
  if (!rocksdb::WriteStringToFile(target_.get(), bytes, path, /*should_sync=*/true).ok()) {
    std::abort();
  }
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* result,
                                          IODebugContext* debug) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const IOStatus judged = Judge(nullptr);
  if (!judged.ok()) return judged;
  Change change{path, "", BytesOf(path), extents_[path]};
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const IOStatus status = target_->NewWritableFile(path, options, &file, debug);
  if (!status.ok()) return status;
  extents_[path] = {};
  unsynced_changes_.push_back(std::move(change));
  *result = std::make_unique<File>(this, path, std::move(file));
  return IOStatus::OK();
}

IOStatus FaultFileSystem::ReopenWritableFile(const std::string& /*path*/,
                                             const FileOptions& /*options*/,
                                             std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
                                             IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("a store appends to files of its own only");
}

IOStatus FaultFileSystem::ReuseWritableFile(const std::string& /*path*/,
                                            const std::string& /*old_path*/,
                                            const FileOptions& /*options*/,
                                            std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
                                            IODebugContext* /*debug*/) {
  return IOStatus::NotSupported("logs are never recycled");
}

IOStatus FaultFileSystem::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                              IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> file;
  const IOStatus status = target_->NewRandomAccessFile(path, options, &file, debug);
  if (status.ok()) *result = std::make_unique<Reader>(this, std::move(file));
  return status;
}

IOStatus FaultFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* result,
                                       IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  const IOStatus status = target_->NewDirectory(path, options, &directory, debug);
  if (status.ok()) *result = std::make_unique<Directory>(this, path, std::move(directory));
  return status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                     IODebugContext* debug) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const IOStatus judged = Judge(nullptr);
  if (!judged.ok()) return judged;
  Change change{path, "", BytesOf(path), extents_[path]};
  const IOStatus status = target_->DeleteFile(path, options, debug);
  if (!status.ok()) return status;
  extents_.erase(path);
  unsynced_changes_.push_back(std::move(change));
  return status;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to,
                                     const IOOptions& options, IODebugContext* debug) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const IOStatus judged = Judge(nullptr);
  if (!judged.ok()) return judged;
  Change change{to, from, BytesOf(to), extents_[to]};
  const IOStatus status = target_->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  extents_[to] = extents_[from];
  extents_.erase(from);
  unsynced_changes_.push_back(std::move(change));
  return status;
}

IOStatus FaultFileSystem::GetFreeSpace(const std::string& /*path*/, const IOOptions& /*options*/,
                                       uint64_t* free_bytes, IODebugContext* /*debug*/) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool full = failure_.has_value() && failure_->fault == Fault::kNoSpace &&
                    operations_ + kFullAhead >= failure_->at;
  *free_bytes = full ? 0 : uint64_t{1} << 40;
  return IOStatus::OK();
}

void FaultFileSystem::Undo(const Change& change) {
  if (!change.from.empty()) {
    if (!target_->RenameFile(change.path, change.from, IOOptions(), nullptr).ok()) std::abort();
    extents_[change.from] = extents_[change.path];
  }
  extents_.erase(change.path);
  if (change.lost_bytes.has_value()) {
    Replace(change.path, *change.lost_bytes);
    extents_[change.path] = change.lost_extent;
  } else if (change.from.empty()) {
    target_->DeleteFile(change.path, IOOptions(), nullptr);
  }
}

void FaultFileSystem::LosePower() {
  Heal();
  const std::lock_guard<std::mutex> lock(mutex_);
  // All of the changes, none, or the first of them.
  size_t kept = unsynced_changes_.size();
  switch (random_() % 3) {
    case 0:
      kept = 0;
      break;
    case 1:
      kept = random_() % (kept + 1);
      break;
    default:
      break;
  }
  while (unsynced_changes_.size() > kept) {
    Undo(unsynced_changes_.back());
    unsynced_changes_.pop_back();
  }
  unsynced_changes_.clear();
  for (auto& [path, extent] : extents_) {
    if (extent.written <= extent.synced) continue;
    const uint64_t unsynced = extent.written - extent.synced;
    const uint64_t left = random_() % 2 == 0 ? 0 : random_() % (unsynced + 1);
    const std::optional<std::string> bytes = BytesOf(path);
    if (!bytes.has_value()) continue;
    extent = {extent.synced + left, extent.synced + left};
    Replace(path, bytes->substr(0, extent.written));
  }
}

FaultEnv::FaultEnv(const std::shared_ptr<FaultFileSystem>& disk)
    : FaultEnv(rocksdb::NewCompositeEnv(disk)) {}

FaultEnv::FaultEnv(std::unique_ptr<rocksdb::Env> composite)
    : EnvWrapper(composite.get()), composite_(std::move(composite)) {
  file_system_ = composite_->GetFileSystem();
  system_clock_ = std::make_shared<ImpatientClock>(composite_->GetSystemClock());
}

}  // namespace relations
