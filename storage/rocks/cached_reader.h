// Reads raw values of one view: from the node cache where it has them, else from RocksDB in one batch,
// offering what was read to the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"
#include "storage/rocks/node_cache.h"

namespace relations {

class CachedReader {
 public:
  // Takes a snapshot. `database` and `cache` are not owned and must outlive the reader.
  CachedReader(const RocksDatabase* database, NodeCache* cache);

  // Reads entity records (kEntitySlot) and first blocks of lists, in one batch. A value that is empty
  // says that there is none.
  absl::Status Read(absl::Span<const NodeCache::Key> keys, std::vector<NodeCache::Value>* values);

  // The classes that a node's lists have, sorted; nothing when they are too many to be listed.
  absl::StatusOr<std::optional<std::vector<ClassId>>> Directory(NodeId node);

  const rocksdb::ReadOptions& read_options() const { return read_options_; }
  const RocksDatabase& database() const { return *database_; }

 private:
  absl::Status ReadMissing(absl::Span<const NodeCache::Key> keys, Family family,
                           const std::vector<size_t>& missing,
                           std::vector<NodeCache::Value>* values);
  absl::StatusOr<std::string> ListClasses(NodeId node);

  const RocksDatabase* const database_;
  NodeCache* const cache_;
  // Before the snapshot: the cache's rule 3.
  const NodeCache::Ticket ticket_;
  const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  const uint64_t sequence_;
  rocksdb::ReadOptions read_options_;
};

}  // namespace relations
