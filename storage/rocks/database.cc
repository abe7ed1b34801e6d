#include "storage/rocks/database.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/column_families.h"
#include "storage/rocks/format_upgrade.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

constexpr std::array<absl::string_view, kFamilies> kFamilyNames = {
    "meta",       "ids",    "entities",    "adjacency", "relations",
    "visibility", "labels", "credentials", "changes"};

std::string NewStoreId() {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();
  bytes[6] = (bytes[6] & 0x0F) | 0x40;
  bytes[8] = (bytes[8] & 0x3F) | 0x80;
  std::string id;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    absl::StrAppend(&id, absl::Hex(bytes[i], absl::kZeroPad2));
  }
  return id;
}

bool LooksLikeRocks(const std::vector<std::string>& children) {
  return std::find(children.begin(), children.end(), "CURRENT") != children.end();
}

bool IsOwnLeftover(absl::string_view name) {
  // What a creation that was interrupted before CURRENT may leave.
  return absl::StartsWith(name, "LOG") || name == "LOCK" || name == "IDENTITY" ||
         absl::StartsWith(name, "MANIFEST-") || absl::StartsWith(name, "OPTIONS-") ||
         absl::EndsWith(name, ".dbtmp") || absl::EndsWith(name, ".log") ||
         absl::StartsWith(name, kHighWaterFile) || name == "lost+found";
}

// A RocksDB database of somebody else has something in its default family; ours never has.
absl::Status RefuseForeign(const std::string& directory) {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(rocksdb::Options(), directory, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  // What cannot be opened is judged, with its message, when it is opened to be used.
  if (!status.ok()) return absl::OkStatus();
  const std::unique_ptr<rocksdb::Iterator> iterator(db->NewIterator(rocksdb::ReadOptions()));
  iterator->SeekToFirst();
  if (iterator->Valid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " holds a database of another program"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view FamilyName(Family family) { return kFamilyNames[static_cast<size_t>(family)]; }

// Moves the high-water mark forward whenever RocksDB has flushed: until then the log holds the
// writes. What resumes after an error is the next write (Resume), not a thread of RocksDB's that
// looks every few seconds and refuses that meanwhile.
class RocksDatabase::FlushListener : public rocksdb::EventListener {
 public:
  explicit FlushListener(RocksDatabase* database) : database_(database) {}

  void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& info) override {
    const absl::Status status = database_->RecordHighWater(info.largest_seqno);
    if (!status.ok()) {
      LogError("high-water mark not recorded", {{"cause", status.ToString()}});
    }
  }

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  RocksDatabase* const database_;
};

absl::StatusOr<std::unique_ptr<RocksDatabase>> RocksDatabase::Open(const DatabaseOptions& options) {
  std::unique_ptr<RocksDatabase> database(new RocksDatabase(options));
  RETURN_IF_ERROR(database->follows() ? database->OpenToFollow() : database->OpenFamilies());
  return database;
}

absl::Status RocksDatabase::OpenFamilies() {
  rocksdb::Env& env = this->env();
  const std::string& directory = options_.directory;
  const bool create = options_.mode == OpenMode::kCreateIfMissing;
  if (directory.empty()) return absl::InvalidArgumentError("no data directory is named");

  std::vector<std::string> children;
  const rocksdb::Status listed = env.GetChildren(directory, &children);
  if (listed.ok()) {
    children.erase(
        std::remove_if(children.begin(), children.end(),
                       [](const std::string& name) { return name == "." || name == ".."; }),
        children.end());
  } else if (!env.FileExists(directory).IsNotFound()) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is not a directory that can be read (", listed.ToString(), ")"));
  } else if (!create) {
    return absl::NotFoundError(absl::StrCat("there is no store at ", directory));
  }
  ASSIGN_OR_RETURN(const std::optional<HighWater> high_water, ReadHighWater(env, directory));
  const bool has_database = LooksLikeRocks(children);
  if (!has_database) {
    if (high_water.has_value()) {
      return absl::DataLossError(absl::StrCat(
          directory, " held a store, but its files are gone: restore them from a backup"));
    }
    const auto foreign = std::find_if_not(children.begin(), children.end(), IsOwnLeftover);
    if (foreign != children.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory, " is not a store and not empty: it holds \"", *foreign, "\""));
    }
    if (!create) return absl::NotFoundError(absl::StrCat("there is no store at ", directory));
  }

  rocksdb::DBOptions db_options = StoreOptions(options_);
  // Creating a family is not atomic over a crash, so opening what an interrupted creation left must
  // be able to go on with it; only the record `created` makes it a store.
  db_options.create_if_missing = !has_database;
  db_options.create_missing_column_families = !high_water.has_value();
  listener_ = std::make_shared<FlushListener>(this);
  db_options.listeners.push_back(listener_);
  if (!has_database) {
    RETURN_IF_ERROR(FromRocks(env.CreateDirIfMissing(directory),
                              absl::StrCat("creating the directory ", directory)));
  }

  if (has_database && !high_water.has_value()) RETURN_IF_ERROR(RefuseForeign(directory));

  block_cache_ = BlockCacheOf(options_);
  rocksdb::DB* db = nullptr;
  const size_t families = high_water.has_value() ? FamiliesOf(db_options, directory) : kFamilies;
  const rocksdb::Status opened = rocksdb::DB::Open(
      db_options, directory, FamilyDescriptors(block_cache_, families), &handles_, &db);
  if (!opened.ok()) {
    absl::Status status = FromRocks(opened, absl::StrCat("opening ", directory));
    if (status.code() == absl::StatusCode::kFailedPrecondition) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory, " is in use by another process (", opened.ToString(), ")"));
    }
    if (opened.IsInvalidArgument()) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory, " is not a store of this program (", opened.ToString(), ")"));
    }
    if (status.code() == absl::StatusCode::kDataLoss) {
      return absl::DataLossError(
          absl::StrCat(status.message(), ": the store is damaged; restore it from a backup"));
    }
    return status;
  }
  db_.reset(db);

  ASSIGN_OR_RETURN(const std::optional<std::string> created, Get(Family::kMeta, kCreatedKey));
  if (!created.has_value()) {
    if (high_water.has_value()) {
      return absl::DataLossError(
          absl::StrCat(directory, " has lost its first record: restore it from a backup"));
    }
    if (!create) {
      return absl::NotFoundError(
          absl::StrCat("there is no whole store at ", directory, ": its creation was interrupted"));
    }
    return CreateFamilies();
  }
  RETURN_IF_ERROR(Judge(*created, high_water));
  if (high_water.has_value()) high_water_ = high_water->sequence;
  RETURN_IF_ERROR(RecordHighWater(db_->GetLatestSequenceNumber()));
  if (format_version_ < kFormatVersion) RETURN_IF_ERROR(RecordFormat(/*lists_remain=*/true));
  RETURN_IF_ERROR(PrepareFeed());
  ASSIGN_OR_RETURN(const std::optional<std::string> lists_remain,
                   Get(Family::kMeta, kUpgradeListsKey));
  return lists_remain.has_value() ? UpgradeLists(*this) : absl::OkStatus();
}

absl::Status RocksDatabase::Judge(const std::string& created,
                                  const std::optional<HighWater>& high_water) {
  const std::string& directory = options_.directory;
  const std::vector<std::string> lines = absl::StrSplit(created, '\n');
  if (lines.size() != 3 || !absl::SimpleAtoi(lines[0], &format_version_)) {
    return absl::DataLossError(absl::StrCat("the record `created` of ", directory, " is damaged"));
  }
  if (format_version_ > kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " has format ", format_version_,
                                                      "; this program reads formats up to ",
                                                      kFormatVersion, ": use a newer one"));
  }
  store_id_ = lines[1];
  if (!high_water.has_value()) return absl::OkStatus();
  if (high_water->store_id != store_id_) {
    return absl::DataLossError(absl::StrCat("HIGH_WATER in ", directory,
                                            " belongs to another store: files were mixed up"));
  }
  const uint64_t recovered = db_->GetLatestSequenceNumber();
  if (recovered < high_water->sequence) {
    return absl::DataLossError(
        absl::StrCat("acknowledged writes are missing from ", directory, ": the files end at ",
                     recovered, ", the store was at ", high_water->sequence,
                     "; a log file is gone or older files were put back. Restore from a backup"));
  }
  return absl::OkStatus();
}

absl::Status RocksDatabase::RecordFormat(bool lists_remain) {
  rocksdb::WriteBatch batch;
  rocksdb::Status put = batch.Put(family(Family::kMeta), kCreatedKey,
                                  absl::StrCat(kFormatVersion, "\n", store_id_, "\n"));
  if (put.ok() && lists_remain) put = batch.Put(family(Family::kMeta), kUpgradeListsKey, "");
  RETURN_IF_ERROR(FromRocks(put, "recording the format"));
  return Write(batch);
}

absl::Status RocksDatabase::CreateFamilies() {
  store_id_ = NewStoreId();
  RETURN_IF_ERROR(RecordFormat(/*lists_remain=*/false));
  RETURN_IF_ERROR(PrepareFeed());
  // In an SST file before HIGH_WATER exists: a vanished log can then never look like a new store.
  RETURN_IF_ERROR(
      FromRocks(db_->Flush(rocksdb::FlushOptions(), family(Family::kMeta)), "creating the store"));
  return RecordHighWater(db_->GetLatestSequenceNumber());
}

absl::Status RocksDatabase::RecordHighWater(uint64_t sequence) {
  const std::lock_guard<std::mutex> lock(high_water_mutex_);
  // The listener may run before the store has its id, while a creation flushes.
  if (store_id_.empty() || sequence <= high_water_) return absl::OkStatus();
  RETURN_IF_ERROR(WriteHighWater(env(), options_.directory, {store_id_, sequence}));
  high_water_ = sequence;
  return absl::OkStatus();
}

RocksDatabase::~RocksDatabase() {
  const absl::Status status = Close();
  if (!status.ok()) LogError("store not closed cleanly", {{"cause", status.ToString()}});
}

absl::Status RocksDatabase::Close() {
  if (db_ == nullptr) return absl::OkStatus();
  // Every write was synced as it was made.
  absl::Status result =
      follows() ? absl::OkStatus() : RecordHighWater(db_->GetLatestSequenceNumber());
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    result.Update(FromRocks(db_->DestroyColumnFamilyHandle(handle), "closing a family"));
  }
  handles_.clear();
  result.Update(FromRocks(db_->Close(), "closing the store"));
  db_.reset();
  return result;
}

std::shared_ptr<const rocksdb::Snapshot> RocksDatabase::TakeSnapshot() const {
  if (follows()) return nullptr;
  rocksdb::DB& db = *db_;
  return {db.GetSnapshot(),
          [&db](const rocksdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
}

rocksdb::ColumnFamilyHandle* RocksDatabase::family(Family family) const {
  // The first handle is RocksDB's "default".
  return handles_[static_cast<size_t>(family) + 1];
}

absl::Status RocksDatabase::Write(rocksdb::WriteBatch& batch) {
  if (follows()) return ReadOnlyError();
  RETURN_IF_ERROR(CheckRoom());
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status status = db_->Write(options, &batch);
  if (!status.IsIOError() && !status.IsCorruption()) return FromRocks(status, "writing a batch");
  // Writing the batch twice is as good as once: it sets and deletes keys.
  const absl::Status resumed = Resume();
  if (resumed.ok()) status = db_->Write(options, &batch);
  if (status.ok()) {
    const std::lock_guard<std::mutex> lock(resume_mutex_);
    stopped_ = false;
    LogInfo("the store takes writes again", {{"directory", options_.directory}});
    return absl::OkStatus();
  }
  const absl::Status failed = FromRocks(status, "writing a batch");
  if (failed.code() == absl::StatusCode::kDataLoss) return failed;
  return absl::UnavailableError(
      absl::StrCat("the store takes no writes (", failed.message(),
                   "); should this stay when the disk is well, start the server anew"));
}

absl::Status RocksDatabase::CheckRoom() const {
  uint64_t free_bytes = 0;
  // A file system that does not tell is not limited by this.
  if (!env().GetFreeSpace(options_.directory, &free_bytes).ok()) return absl::OkStatus();
  if (free_bytes >= options_.reserve_bytes) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the store takes no writes: the disk of ", options_.directory, " has ",
                   free_bytes >> 20, " MiB left, less than ", options_.reserve_bytes >> 20));
}

absl::Status RocksDatabase::Resume() {
  const std::lock_guard<std::mutex> lock(resume_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (stopped_ && now - resumed_at_ < options_.resume_interval) {
    return absl::UnavailableError("tried a moment ago");
  }
  if (!stopped_) LogError("the store takes no writes", {{"directory", options_.directory}});
  stopped_ = true;
  // Puts what is in memory into new files and starts a new log: nothing is appended to a file whose
  // end is in doubt.
  const absl::Status status = FromRocks(db_->Resume(), "resuming");
  resumed_at_ = std::chrono::steady_clock::now();
  if (!status.ok()) LogError("writes not resumed", {{"cause", status.ToString()}});
  return status;
}

absl::StatusOr<std::optional<std::string>> RocksDatabase::Get(Family family,
                                                              absl::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), this->family(family),
                                          rocksdb::Slice(key.data(), key.size()), &value);
  if (status.IsNotFound()) return std::nullopt;
  RETURN_IF_ERROR(FromRocks(status, absl::StrCat("reading family ", FamilyName(family))));
  return value;
}

absl::Status RocksDatabase::ForEach(
    Family family, absl::string_view prefix,
    const std::function<absl::Status(absl::string_view key, absl::string_view value)>& visit)
    const {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      db_->NewIterator(rocksdb::ReadOptions(), this->family(family)));
  // An empty view may be null, which RocksDB hands to memcmp.
  const rocksdb::Slice start =
      prefix.empty() ? rocksdb::Slice("") : rocksdb::Slice(prefix.data(), prefix.size());
  for (iterator->Seek(start); iterator->Valid() && iterator->key().starts_with(start);
       iterator->Next()) {
    RETURN_IF_ERROR(visit(absl::string_view(iterator->key().data(), iterator->key().size()),
                          absl::string_view(iterator->value().data(), iterator->value().size())));
  }
  return FromRocks(iterator->status(), absl::StrCat("scanning family ", FamilyName(family)));
}

uint64_t RocksDatabase::BytesOnDisk(Family family) const {
  uint64_t bytes = 0;
  db_->GetIntProperty(this->family(family), rocksdb::DB::Properties::kLiveSstFilesSize, &bytes);
  return bytes;
}

}  // namespace relations
