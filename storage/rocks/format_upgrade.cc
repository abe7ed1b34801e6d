#include "storage/rocks/format_upgrade.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 20;

class Upgrade {
 public:
  explicit Upgrade(RocksDatabase* database)
      : database_(database), family_(database->family(Family::kAdjacency)) {}

  absl::Status Run() {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> iterator(
        database_->db().NewIterator(options, family_));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      ASSIGN_OR_RETURN(const AdjacencyKey key, ParseAdjacencyKey(View(iterator->key())));
      if (key.node != node_) {
        RETURN_IF_ERROR(FinishNode());
        node_ = key.node;
      }
      if (key.is_directory()) {
        has_directory_ = true;
      } else if (!key.boundary.empty()) {
        lists_.back().block.clear();
      } else {
        RETURN_IF_ERROR(BeginList(key.visibility, View(iterator->value())));
      }
    }
    RETURN_IF_ERROR(FromRocks(iterator->status(), "scanning adjacency"));
    RETURN_IF_ERROR(FinishNode());
    RETURN_IF_ERROR(
        FromRocks(batch_.Delete(database_->family(Family::kMeta), kUpgradeListsKey), "upgrading"));
    return database_->Write(batch_);
  }

 private:
  // A list of the node at hand; the block only where it may come into the directory.
  struct List {
    ClassId visibility{};
    std::string block;
    bool is_empty = false;
  };

  absl::Status BeginList(ClassId visibility, absl::string_view value) {
    AdjacencyBlock block;
    RETURN_IF_ERROR(DecodeAdjacencyBlock(value, &block));
    List& list = lists_.emplace_back();
    list.visibility = visibility;
    list.is_empty = block.entries.empty();
    const size_t entries = block.entries.size();
    if (block.more_may_follow || entries_ + entries > kDirectoryEntriesMax ||
        lists_.size() > kDirectoryListsMax) {
      return absl::OkStatus();
    }
    entries_ += entries;
    list.block = std::string(value);
    return absl::OkStatus();
  }

  absl::Status FinishNode() {
    if (!has_directory_ && !lists_.empty()) {
      ListDirectory directory;
      for (const List& list : lists_) {
        const bool held = !list.block.empty();
        if (held) {
          RETURN_IF_ERROR(
              FromRocks(batch_.Delete(family_, ListKey(node_, list.visibility)), "upgrading"));
        }
        if (held && list.is_empty) continue;
        directory.Set(list.visibility, list.block);
      }
      if (!directory.empty()) {
        RETURN_IF_ERROR(FromRocks(
            batch_.Put(family_, DirectoryKey(node_), EncodeListDirectory(directory)), "upgrading"));
      }
    }
    lists_.clear();
    entries_ = 0;
    has_directory_ = false;
    if (batch_.GetDataSize() < kBatchBytes) return absl::OkStatus();
    RETURN_IF_ERROR(database_->Write(batch_));
    batch_.Clear();
    return absl::OkStatus();
  }

  RocksDatabase* const database_;
  rocksdb::ColumnFamilyHandle* const family_;
  rocksdb::WriteBatch batch_;
  NodeId node_{};
  bool has_directory_ = false;
  std::vector<List> lists_;
  size_t entries_ = 0;
};

}  // namespace

absl::Status UpgradeLists(RocksDatabase& database) {
  LogInfo("bringing the store to the current format", {{"directory", database.directory()}});
  RETURN_IF_ERROR(Upgrade(&database).Run());
  LogInfo("the store has the current format", {{"directory", database.directory()}});
  return absl::OkStatus();
}

}  // namespace relations
