// Ways to lay adjacency lists out in RocksDB, side by side: what layout_bench compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"

namespace relations::bench {

// The id of a neighbour, made up: it breaks ties of time, and stands in the boundaries of blocks.
std::string LayoutId(NodeId neighbour);
// True when `a` stands before `b` in a list.
bool Precedes(const AdjacentRelation& a, const AdjacentRelation& b);

// One candidate, in a database of its own. Lists are of one visibility class. Not thread-safe.
class AdjacencyLayout {
 public:
  // `database` is not owned and must outlive the layout.
  explicit AdjacencyLayout(rocksdb::DB* database) : database_(database) {}
  virtual ~AdjacencyLayout() = default;

  virtual std::string name() const = 0;
  // Writes a whole list, its entries in list order.
  virtual absl::Status Load(NodeId node, absl::Span<const AdjacentRelation> entries) = 0;
  // The first entries of a list, at most `limit`, replacing what `*entries` holds.
  virtual absl::Status ReadHead(NodeId node, size_t limit,
                                std::vector<AdjacentRelation>* entries) = 0;
  // Adds one entry to a list, logged and not synced.
  virtual absl::Status Insert(NodeId node, const AdjacentRelation& entry) = 0;
  // Forgets what was prepared for reading: readers use a snapshot for one level of a walk.
  virtual void EndView() {}

 protected:
  rocksdb::DB* const database_;
};

// One key for each entry: node | class | inverted seconds | 4 bytes of the id's hash | neighbour.
std::unique_ptr<AdjacencyLayout> MakeKeyPerEntry(rocksdb::DB* database);

// The blocks of storage/rocks/adjacency_block.h with at most `block_entries` each: small lists are
// one record, hubs are split.
std::unique_ptr<AdjacencyLayout> MakePackedBlocks(rocksdb::DB* database, size_t block_entries);

}  // namespace relations::bench
