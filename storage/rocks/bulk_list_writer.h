// Writes adjacency lists from edits that come in list order, whatever their number: new lists in
// one pass, of stored lists the blocks that change; behind the lists of a node its directory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/bulk_node_ids.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/database.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/sst_output.h"

namespace relations {

// A change of one entry of a node's list.
struct BulkListEdit {
  // Removals come before insertions of the same place.
  enum class Kind : uint8_t { kRemove, kInsert };

  ClassId visibility{};
  LabelId label{};
  Instant last_seen;
  NodeId neighbour{};
  // bulk_ends.h.
  uint64_t neighbour_order = 0;
  Direction direction{};
  RelationMode mode{};
  Kind kind = Kind::kInsert;
  bool sole = false;
};

// The order of a node's edits: class, then list order (key_format.h, invariant 4).
bool Precedes(const BulkListEdit& a, const BulkListEdit& b);

// Not thread-safe.
class BulkListWriter {
 public:
  // Not owned.
  BulkListWriter(const RocksDatabase* database, const BulkNodeIds* node_ids, SstOutput* output)
      : database_(database), node_ids_(node_ids), output_(output) {}

  // Nodes ascend, and the edits of one are in order. DATA_LOSS when an entry to remove is not
  // there.
  absl::Status Add(NodeId node, const BulkListEdit& edit);
  // Ends the last node.
  absl::Status Finish() { return EndNode(); }

 private:
  absl::Status BeginNode(NodeId node);
  absl::Status EndNode();
  absl::Status BeginList(ClassId visibility);
  absl::Status EndList();
  // Makes the block at hand the one that the edit's place lies in.
  absl::Status SeekBlock(const BulkListEdit& edit);
  absl::StatusOr<bool> LiesBeforeUpper(const BulkListEdit& edit);
  // The id of the edit's neighbour, read once for each edit.
  absl::StatusOr<absl::string_view> NeighbourId(const BulkListEdit& edit);
  absl::Status LoadBlock();
  // Writes what is left of the block at hand.
  absl::Status EndBlock();
  // Copies stored entries that stand before the edit.
  absl::Status CopyBefore(const BulkListEdit& edit);
  absl::StatusOr<bool> StandsBefore(size_t index, const BulkListEdit& edit);
  absl::Status Append(const AdjacentRelation& entry);
  absl::Status WriteBlock(bool more);
  // Puts what is to be written, all of the list at hand, into the directory; false when it has no
  // room.
  bool Hold();

  const RocksDatabase* const database_;
  const BulkNodeIds* const node_ids_;
  SstOutput* const output_;
  std::unique_ptr<rocksdb::Iterator> iterator_;

  // The node at hand.
  std::optional<NodeId> node_;
  // Its directory as it is stored, and as it becomes: with views into that and into new_blocks_.
  std::string stored_directory_;
  ListDirectory directory_;
  std::deque<std::string> new_blocks_;
  size_t held_entries_ = 0;

  // The list at hand.
  bool has_list_ = false;
  ClassId visibility_{};
  std::string list_key_;
  bool is_stored_ = false;
  // Blocks of it stand under keys of their own, or will.
  bool is_apart_ = false;

  // The block at hand, as it is stored; of a new list one without entries.
  bool has_block_ = false;
  std::string block_key_;
  // The next block's boundary; empty for the last block.
  std::string upper_;
  AdjacencyBlock block_;
  size_t copied_ = 0;
  // The ids of the block's neighbours, as far as they were needed.
  std::vector<std::string> block_ids_;

  // Of the edit at hand; empty until it is needed.
  std::string edit_id_;

  // What is to be written under pending_key_.
  std::string pending_key_;
  std::vector<AdjacentRelation> pending_;
  bool wrote_of_block_ = false;
};

}  // namespace relations
