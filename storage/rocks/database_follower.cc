// A database that is only read, while another process writes it or nobody does: RocksDB's secondary
// instance, with what it lacks.
//
// Of what RocksDB 7.8.3 can go on with of the writer's files only the log is exact. When the writer
// has flushed what a follower holds in memory from a log, or has taken in tables, a point read
// there still answers from the older memory. Snapshots are refused by iterators and passed over by
// point reads. So a follower goes on by the log alone (CatchUp) and is opened anew when the
// MANIFEST has changed; it is never read while it goes on, so that it needs no snapshots.
#include <cstdarg>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "rocksdb/env.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/column_families.h"
#include "storage/rocks/database.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

// Tries to read files of one moment. A writer under full load changes its list of files some times
// a second; a try takes tens of milliseconds.
constexpr int kTries = 10;

// RocksDB's own log: a follower writes no file, so errors go to ours and the rest nowhere.
class ErrorLogger final : public rocksdb::Logger {
 public:
  ErrorLogger() : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[512];
    if (vsnprintf(line, sizeof line, format, arguments) < 0) return;
    LogError(line, {{"source", "rocksdb"}});
  }
};

}  // namespace

absl::Status RocksDatabase::OpenToFollow() {
  if (options_.directory.empty()) return absl::InvalidArgumentError("no data directory is named");
  block_cache_ = BlockCacheOf(options_);
  absl::Status status;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    status = OpenSecondary();
    if (status.code() != absl::StatusCode::kUnavailable) return status;
  }
  return status;
}

absl::Status RocksDatabase::OpenSecondary() {
  const std::string& directory = options_.directory;
  RETURN_IF_ERROR(Close());
  ASSIGN_OR_RETURN(const PrimaryFiles before, LookAtPrimary(env(), directory));
  // Before the files that it speaks of are read: the writer moves it on later than them.
  ASSIGN_OR_RETURN(const std::optional<HighWater> high_water, ReadHighWater(env(), directory));
  rocksdb::DBOptions options = StoreOptions(options_);
  options.info_log = std::make_shared<ErrorLogger>();
  // Tables are held open: the writer may remove them at any time.
  options.max_open_files = -1;
  options.skip_stats_update_on_db_open = true;
  rocksdb::DB* db = nullptr;
  // The place for RocksDB's own log is of no use, as it has another logger.
  const rocksdb::Status opened = rocksdb::DB::OpenAsSecondary(
      options, directory, directory, FamilyDescriptors(block_cache_), &handles_, &db);
  db_.reset(db);
  if (!opened.ok()) handles_.clear();
  const absl::StatusOr<PrimaryFiles> after = LookAtPrimary(env(), directory);
  if (!after.ok() || !IsOneMoment(before, *after)) {
    RETURN_IF_ERROR(Close());
    return absl::UnavailableError(
        absl::StrCat("the files of ", directory, " changed while they were read"));
  }
  if (opened.IsInvalidArgument()) {
    // A family is missing.
    if (!high_water.has_value()) {
      return absl::NotFoundError(absl::StrCat("there is no whole store at ", directory));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(directory,
                     " is not a store of this program, or one of an older format, which "
                     "a program that writes must open first (",
                     opened.ToString(), ")"));
  }
  RETURN_IF_ERROR(FromRocks(opened, absl::StrCat("opening ", directory, " to read it")));
  ASSIGN_OR_RETURN(const std::optional<std::string> created, Get(Family::kMeta, kCreatedKey));
  if (!created.has_value()) {
    if (!high_water.has_value()) {
      return absl::NotFoundError(absl::StrCat("there is no whole store at ", directory));
    }
    return absl::DataLossError(
        absl::StrCat(directory, " has lost its first record: restore it from a backup"));
  }
  RETURN_IF_ERROR(Judge(*created, high_water));
  if (format_version_ < kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " has the older format ", format_version_,
                     ": a program that writes must open it first"));
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> lists_remain,
                   Get(Family::kMeta, kUpgradeListsKey));
  if (lists_remain.has_value()) {
    return absl::UnavailableError(absl::StrCat(directory, " is being brought to a newer format"));
  }
  primary_files_ = before;
  return absl::OkStatus();
}

absl::Status RocksDatabase::CatchUp() {
  ASSIGN_OR_RETURN(const PrimaryFiles before, LookAtPrimary(env(), options_.directory));
  if (!IsOneMoment(primary_files_, before)) {
    return absl::FailedPreconditionError("the writer has changed more than its log");
  }
  RETURN_IF_ERROR(FromRocks(db_->TryCatchUpWithPrimary(), "catching up"));
  ASSIGN_OR_RETURN(const PrimaryFiles after, LookAtPrimary(env(), options_.directory));
  if (!IsOneMoment(before, after)) {
    return absl::FailedPreconditionError("the writer has changed more than its log");
  }
  primary_files_ = before;
  return absl::OkStatus();
}

}  // namespace relations
