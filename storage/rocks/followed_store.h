// The graph store of a directory that another process writes, or nobody does: for reading beside
// the primary, and of copies.
//
//   ASSIGN_OR_RETURN(auto store, FollowedStore::Open({.database = {.directory = DIR}}));
//   ... store->CatchUp() every second, on one thread; anything else on any ...
//
// Invariants:
//   1. What is read is a Moment: a state that the primary has been in between two of its batches.
//      A view keeps its moment; it never changes under a reader.
//   2. CatchUp reads the newest state beside the moment that is served, and only then puts it in
//      its place. Readers neither wait for it nor keep it waiting.
//   3. Moments only go forward: the same store, at a sequence number that is not smaller.
//
// Each moment has a node cache of its own, empty at first: nothing tells which of its nodes the
// primary has changed. Blocks of files stay in their cache.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/graph_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

class FollowedStore final : public GraphStore {
 public:
  struct Options {
    DatabaseOptions database;
    RocksGraphStore::Options graph;
  };

  // One state of the store. Only read.
  struct Moment {
    std::shared_ptr<RocksDatabase> database;
    std::unique_ptr<RocksGraphStore> graph;
  };

  // How far it is, for whoever watches.
  struct Progress {
    // Of the last write that is seen.
    uint64_t sequence = 0;
    // When it was last found to show all that the primary had written.
    absl::Time looked_at;
    // Moments since the start: those read from the log alone, and those opened anew.
    uint64_t from_log = 0;
    uint64_t opened = 0;
    // Looks that ended with an error.
    uint64_t failures = 0;
  };

  // Opens the newest state. Errors are those of RocksDatabase::Open for a store that follows.
  static absl::StatusOr<std::unique_ptr<FollowedStore>> Open(const Options& options);

  // Goes to the newest state, if the primary has written since. After an error the old moment goes
  // on. FAILED_PRECONDITION: there is another store now, or an older state of this one. One thread
  // at a time.
  absl::Status CatchUp();

  absl::StatusOr<std::unique_ptr<GraphView>> View() override;
  // Both refuse: PERMISSION_DENIED.
  absl::Status Apply(const Mutations& mutations) override;
  absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) override;
  absl::StatusOr<GraphStats> Stats() override;

  std::shared_ptr<const Moment> moment() const;
  Progress progress() const;
  // Of the moment that is served; hits and misses of all moments so far.
  NodeCache::Counts node_cache_counts() const;

 private:
  friend class FollowedView;

  explicit FollowedStore(Options options);
  // The newest state: out of `spare_` when the primary has only written its log since, else opened.
  absl::StatusOr<std::shared_ptr<RocksDatabase>> Newest(bool* from_log);
  absl::Status Serve(std::shared_ptr<RocksDatabase> database, bool from_log);
  // Copies that live as long as the store, of what lives as long as a moment.
  absl::string_view KeepLabel(LabelId label, absl::string_view text);
  const GroupSet* KeepGroups(ClassId visibility, const GroupSet& groups);

  Options options_;
  // The database of the moment before, to go on from: it needs no opening. Of CatchUp's thread.
  std::shared_ptr<RocksDatabase> spare_;
  // Moments that walks may still be in. Of CatchUp's thread.
  std::deque<std::shared_ptr<const Moment>> left_;

  // Guards what follows; held shortly.
  mutable std::mutex mutex_;
  std::shared_ptr<const Moment> moment_;
  Progress progress_;
  // Of moments before.
  uint64_t past_hits_ = 0;
  uint64_t past_misses_ = 0;

  // Guards what follows.
  std::shared_mutex kept_mutex_;
  absl::flat_hash_map<LabelId, std::unique_ptr<const std::string>> labels_;
  absl::flat_hash_map<ClassId, std::unique_ptr<const GroupSet>> groups_;
};

}  // namespace relations
