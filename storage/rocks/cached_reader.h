// Reads the parts of nodes of one view: from the node cache where it has them, else from RocksDB,
// offering what was read to the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"
#include "storage/rocks/node_cache.h"

namespace relations {

// Tells the id of a node of the same view.
using IdLookup = std::function<absl::StatusOr<std::string>(NodeId)>;

// True when `a` stands before `b` in list order.
absl::StatusOr<bool> Precedes(const AdjacentRelation& a, const AdjacentRelation& b,
                              const IdLookup& id_of);

class CachedReader {
 public:
  // Takes a snapshot. `database` and `cache` are not owned and must outlive the reader.
  CachedReader(const RocksDatabase* database, NodeCache* cache);

  // Reads entity records (kEntitySlot) and heads of single lists (any class), in one batch a
  // family. No value is null; what does not exist is a part without record or lists.
  absl::Status Read(absl::Span<const NodeCache::Key> keys, std::vector<NodeCache::Value>* values);

  // Reads the merged heads of all lists of a node. `id_of` tells ids where lists tie in time.
  absl::StatusOr<NodeCache::Value> ReadAllLists(NodeId node, const IdLookup& id_of);

  const rocksdb::ReadOptions& read_options() const { return read_options_; }
  const RocksDatabase& database() const { return *database_; }
  // Over the family `adjacency`; made when it is first needed, shared by all who read of this view.
  rocksdb::Iterator& adjacency_iterator();

 private:
  absl::Status ReadMissing(absl::Span<const NodeCache::Key> keys, Family family,
                           const std::vector<size_t>& missing,
                           std::vector<NodeCache::Value>* values);
  absl::StatusOr<NodeCache::Value> LoadAllLists(NodeId node, const IdLookup& id_of);

  const RocksDatabase* const database_;
  NodeCache* const cache_;
  // Before the snapshot: the cache's rule 3.
  const NodeCache::Ticket ticket_;
  const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  const uint64_t sequence_;
  rocksdb::ReadOptions read_options_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace relations
