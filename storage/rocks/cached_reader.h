// Reads the parts of nodes of one view: from the node cache where it has them, else from RocksDB,
// offering what was read to the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"
#include "storage/rocks/node_cache.h"
#include "storage/visibility.h"

namespace relations {

// Tells the id of a node of the same view.
using IdLookup = std::function<absl::StatusOr<std::string>(NodeId)>;

// True when `a` stands before `b` in list order.
absl::StatusOr<bool> Precedes(const AdjacentRelation& a, const AdjacentRelation& b,
                              const IdLookup& id_of);

// The two records of a pair in a value of ReadPairs; views into it, empty where there is none.
struct PairRecords {
  absl::string_view outgoing;
  absl::string_view incoming;
};
absl::StatusOr<PairRecords> SplitPairRecords(const NodePair& pair, absl::string_view value);

class CachedReader {
 public:
  // Takes a snapshot. `database` and `cache` are not owned and must outlive the reader.
  CachedReader(const RocksDatabase* database, NodeCache* cache);

  // Each reads what the cache lacks in one batch and gives one value for each key, none of them
  // null.

  // Entity records; empty where there is no entity.
  absl::Status ReadEntities(absl::Span<const NodeId> nodes, std::vector<NodeCache::Value>* values);
  // The merged heads of the lists of nodes: of all lists, or at least of the visible ones. `id_of`
  // tells ids where lists tie in time. What is read for the first time, or past the cache, costs
  // min(classes at the node, visible classes); only for a node that is asked for again hidden lists
  // are read too, as then one value serves all callers.
  absl::Status ReadLists(absl::Span<const NodeId> nodes, const VisibleClasses& visible,
                         const IdLookup& id_of, std::vector<NodeCache::Value>* values);
  // The pair records of both directions; SplitPairRecords tells them apart. Empty where there is
  // none.
  absl::Status ReadPairs(absl::Span<const NodePair> pairs, std::vector<NodeCache::Value>* values);
  // The node of an id, or nothing.
  absl::StatusOr<std::optional<NodeId>> ReadNode(absl::string_view id);

  const rocksdb::ReadOptions& read_options() const { return read_options_; }
  const RocksDatabase& database() const { return *database_; }
  // Over the family `adjacency`; made when it is first needed, shared by all who read of this view.
  rocksdb::Iterator& adjacency_iterator();

 private:
  // Reads keys of a family in one batch; an absent one gives an empty value.
  absl::Status MultiGet(Family family, const std::vector<std::string>& keys,
                        std::vector<rocksdb::PinnableSlice>* found);
  // Reads all lists when `visible` is null. Sets `*complete` to whether no list was passed over.
  absl::StatusOr<NodeCache::Value> LoadLists(NodeId node, const VisibleClasses* visible,
                                             const IdLookup& id_of, bool* complete);

  const RocksDatabase* const database_;
  NodeCache* const cache_;
  // Before the snapshot: the cache's rule 3.
  const NodeCache::Ticket ticket_;
  const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  const uint64_t sequence_;
  rocksdb::ReadOptions read_options_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  // Kept between calls for its memory.
  std::vector<NodeCache::Key> keys_;
};

}  // namespace relations
