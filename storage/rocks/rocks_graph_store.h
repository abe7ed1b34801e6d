// The graph store over RocksDB: the column families of key_format.h, one writer at a time, readers
// on snapshots.
//
//   ASSIGN_OR_RETURN(auto database, RocksDatabase::Open({.directory = "/var/lib/relations"}));
//   ASSIGN_OR_RETURN(auto store, RocksGraphStore::Open(database.get()));
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"
#include "storage/rocks/change_log.h"
#include "storage/rocks/database.h"
#include "storage/rocks/fair_mutex.h"
#include "storage/rocks/node_cache.h"
#include "storage/visibility.h"

namespace relations {

class RocksGraphStore final : public GraphStore {
 public:
  struct Options {
    // Of the cache of nodes above RocksDB; 0 for none.
    uint64_t node_cache_bytes = uint64_t{64} << 20;
    // Of the changes that the feed can go back.
    ChangeLog::Retention feed = {};
  };

  // Loads the tables that are held in memory: visibility classes, labels, counters. `database` is
  // not owned and must outlive the store. DATA_LOSS when they are not what the format says.
  static absl::StatusOr<std::unique_ptr<RocksGraphStore>> Open(RocksDatabase* database,
                                                               const Options& options);
  static absl::StatusOr<std::unique_ptr<RocksGraphStore>> Open(RocksDatabase* database) {
    return Open(database, Options());
  }

  absl::StatusOr<std::unique_ptr<GraphView>> View() override;
  // What is too large for one batch returns when its last one is written; others write in between.
  absl::Status Apply(const Mutations& mutations) override;
  // One batch and one sync for the group, but for requests that stand alone.
  std::vector<absl::Status> ApplyGroup(absl::Span<const Mutations* const> group) override;
  absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) override;
  absl::StatusOr<GraphStats> Stats() override;

  NodeCache::Counts node_cache_counts() const { return cache_.counts(); }
  ChangeLog::Counts change_log_counts() const { return change_log_.counts(); }

 private:
  friend class RocksGraphView;
  friend class RocksChangeFeed;
  friend class RocksFeedReader;
  friend class GraphWriter;
  friend class BulkImport;
  friend class TableChanges;

  RocksGraphStore(RocksDatabase* database, const Options& options)
      : database_(database),
        cache_(options.node_cache_bytes),
        change_log_(database, options.feed) {}
  absl::Status Load();
  // Applies a request that needs a batch of its own.
  absl::Status ApplyAlone(const Mutations& mutations);
  // Applies others as one batch; one by one when that fails for a reason of its contents.
  void ApplyTogether(absl::Span<const Mutations* const> group, absl::Span<absl::Status> statuses);
  // Takes one step of some revision that was interrupted.
  absl::Status ContinueRevision();

  RocksDatabase* const database_;
  NodeCache cache_;
  ChangeLog change_log_;

  // Held through the writing of a batch.
  FairMutex writer_mutex_;
  // Guarded by writer_mutex_.
  uint64_t next_node_ = 1;
  // Nodes whose deletion or narrowing is under way (key_format.h).
  absl::flat_hash_set<NodeId> revisions_;

  // Guards what follows; held shortly. Only the holder of writer_mutex_ changes the tables (all but
  // the cache), so it reads them without this lock.
  mutable std::shared_mutex tables_mutex_;
  uint64_t relation_count_ = 0;
  std::map<std::string, uint64_t> entities_by_type_;
  ClassTable classes_;
  // Texts keep their place while the table grows.
  std::deque<std::string> labels_;
  absl::flat_hash_map<std::string, LabelId> label_ids_;
  // Visible classes by group set; emptied when a class is added or when it grows too large.
  absl::flat_hash_map<GroupSet, std::shared_ptr<const VisibleClasses>> visible_cache_;
};

}  // namespace relations
