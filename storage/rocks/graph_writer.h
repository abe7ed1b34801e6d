// One Apply of the RocksDB store: judges the mutations, gives node numbers, classes and labels,
// works out what changes, and writes one batch. REQUIRES: the caller holds the store's writer
// mutex.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/write_batch.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_writer.h"
#include "storage/rocks/node_cache.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/rocks/table_changes.h"

namespace relations {

class GraphWriter {
 public:
  // `store` is not owned and must outlive the writer.
  explicit GraphWriter(RocksGraphStore* store);

  // Applies everything or nothing. Call once.
  absl::Status Apply(const Mutations& mutations);

 private:
  // Relations from one node to another, before and after.
  struct PairChange {
    std::vector<PairRelation> before;
    std::vector<PairRelation> after;
  };
  using PairNodes = std::pair<NodeId, NodeId>;
  using ListId = std::pair<NodeId, ClassId>;

  absl::Status ResolveIds(const Mutations& mutations);
  absl::Status PutEntities(const std::vector<PutEntity>& entities);
  absl::Status LoadPairs(const std::vector<PutRelation>& relations);
  absl::Status PutRelations(const std::vector<PutRelation>& relations);
  absl::Status WritePairs();
  void EditLists(const PairNodes& nodes, const PairChange& change, bool sole_before,
                 bool sole_after);
  absl::Status WriteLists();
  absl::Status WriteCounters();
  absl::StatusOr<absl::string_view> IdOf(NodeId node);
  absl::Status Put(Family family, absl::string_view key, absl::string_view value);

  RocksGraphStore* const store_;
  rocksdb::WriteBatch batch_;
  TableChanges changes_;

  // Ids named by the mutations; node 0 when the id is unknown.
  absl::flat_hash_map<std::string, NodeId> nodes_;
  absl::flat_hash_map<NodeId, std::string> ids_;
  std::map<PairNodes, PairChange> pairs_;
  std::map<ListId, std::vector<ListEdit>> edits_;
  // What the node cache must forget.
  std::vector<NodeCache::Key> changed_;
};

}  // namespace relations
