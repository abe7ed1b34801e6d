// The part of RocksDatabase that gives a store its feed of changes: one of an older format has
// none. A step that was interrupted is taken again at the next opening.
#include <optional>
#include <string>

#include "storage/base/status_macros.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/column_families.h"
#include "storage/rocks/database.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {

absl::Status RocksDatabase::PrepareFeed() {
  // RocksDB's own "default" is the first of the handles.
  if (handles_.size() == kFamiliesBeforeChanges + 1) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    RETURN_IF_ERROR(
        FromRocks(db_->CreateColumnFamily(FamilyOptions(Family::kChanges, block_cache_),
                                          std::string(FamilyName(Family::kChanges)), &handle),
                  "adding the family changes"));
    handles_.push_back(handle);
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> name, Get(Family::kMeta, kFeedKey));
  return name.has_value() ? absl::OkStatus() : RenameFeed();
}

absl::Status RocksDatabase::RenameFeed() {
  rocksdb::WriteBatch batch;
  RETURN_IF_ERROR(
      FromRocks(batch.Put(family(Family::kMeta), kFeedKey, NewFeedName()), "naming the feed"));
  return Write(batch);
}

}  // namespace relations
