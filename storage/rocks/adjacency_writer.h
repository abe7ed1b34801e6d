// Edits adjacency lists within the batch of one Apply: finds the blocks that the edits fall into,
// rewrites and splits them, and keeps the directories. REQUIRES: the caller is the only writer.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/database.h"
#include "storage/rocks/list_directory.h"

namespace relations {

// A change of one entry of a list.
struct ListEdit {
  enum class Kind { kRemove, kInsert };
  Kind kind = Kind::kInsert;
  AdjacentRelation entry;
};

// The changes of one node's lists.
using NodeEdits = std::map<ClassId, std::vector<ListEdit>>;

class AdjacencyWriter {
 public:
  // Tells the id of a node, stored or new in this Apply. The view is valid until the next call.
  using IdLookup = std::function<absl::StatusOr<absl::string_view>(NodeId)>;

  // `database` and `batch` are not owned and must outlive the writer.
  AdjacencyWriter(const RocksDatabase* database, IdLookup id_of, rocksdb::WriteBatch* batch)
      : database_(database), id_of_(std::move(id_of)), batch_(batch) {}

  // Applies all edits, by node. Call once: lists are read as they are stored. DATA_LOSS when an
  // entry to remove is not there.
  absl::Status Edit(std::map<NodeId, NodeEdits> edits);

 private:
  // An edit with the boundary string that orders it.
  struct OrderedEdit {
    std::string boundary;
    ListEdit edit;
  };
  using OrderedEdits = std::vector<OrderedEdit>;

  absl::Status EditNode(NodeId node, absl::string_view stored_directory, NodeEdits edits);
  absl::StatusOr<OrderedEdits> Order(std::vector<ListEdit> edits);
  // Edits a list that the directory holds, or a new one.
  absl::Status EditHeld(NodeId node, ClassId visibility, const OrderedEdits& edits,
                        ListDirectory* directory);
  // Edits a list that stands apart. Returns whether it has blocks left.
  absl::StatusOr<bool> EditApart(NodeId node, ClassId visibility, const OrderedEdits& edits);
  // Puts lists apart until the directory holds no more than it may.
  absl::Status Relieve(NodeId node, ListDirectory* directory);

  // Applies the edits that fall into one block to its entries.
  absl::StatusOr<std::vector<AdjacentRelation>> Revise(const std::vector<AdjacentRelation>& entries,
                                                       absl::Span<const OrderedEdit> edits);
  // Where an entry to insert belongs among `entries`, at or after `from`.
  absl::StatusOr<size_t> InsertPosition(const std::vector<AdjacentRelation>& entries, size_t from,
                                        const OrderedEdit& edit);
  absl::Status WriteBlocks(const std::string& list_key, const std::string& block_key,
                           const std::vector<AdjacentRelation>& entries, bool is_last);
  absl::Status Put(absl::string_view key, absl::string_view value);
  absl::Status Delete(absl::string_view key);

  const RocksDatabase* const database_;
  const IdLookup id_of_;
  rocksdb::WriteBatch* const batch_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  // The blocks that were made for the directory at hand, which has views of them.
  std::deque<std::string> blocks_;
};

}  // namespace relations
