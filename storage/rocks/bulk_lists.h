// The last step of a bulk import: list entries, sorted by node and neighbour, become pair records
// and adjacency lists, united with what is stored.
//
// A relation comes as two entries, one at each of its ends. Both are merged alike, so both ends
// agree; and since a node's entries to one neighbour stand together whatever their direction, each
// end knows by itself whether the relation is the only one between the two.
//
// Record of the sorter:
//   key      node (5 bytes) | neighbour (5) | u8 direction | u32 label | u8 mode
//   payload  varint class | time | [varint order of the neighbour, when it is no new node]
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_store.h"
#include "storage/rocks/bulk_ends.h"
#include "storage/rocks/bulk_list_writer.h"
#include "storage/rocks/bulk_node_ids.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_sorter.h"
#include "storage/rocks/database.h"
#include "storage/rocks/sst_output.h"
#include "storage/rocks/table_changes.h"

namespace relations {

struct BulkListEntry {
  NodeId node{};
  NodeId neighbour{};
  // bulk_ends.h.
  uint64_t neighbour_order = 0;
  Instant last_seen;
  LabelId label{};
  ClassId visibility{};
  Direction direction{};
  RelationMode mode{};
};

// The list entries of an import, in any order in and sorted out. Not thread-safe.
class BulkListEntries {
 public:
  // Not owned, as of BulkSorter.
  BulkListEntries(const ScratchDirectory* scratch, BackgroundWorker* worker, size_t memory_bytes)
      : sorter_(scratch, worker, memory_bytes) {}

  absl::Status Add(const BulkListEntry& entry);
  // To be called before Next.
  absl::Status Finish() { return sorter_.Finish(); }
  // False at the end.
  absl::StatusOr<bool> Next(const BulkNodeIds& node_ids, BulkListEntry* entry);

 private:
  BulkSorter sorter_;
  std::string key_;
  std::string payload_;
};

// Used once.
class BulkLists {
 public:
  // Not owned.
  struct Context {
    const RocksDatabase* database = nullptr;
    TableChanges* changes = nullptr;
    const ScratchDirectory* scratch = nullptr;
    BackgroundWorker* worker = nullptr;
    // For the entries of one node; those of larger nodes are sorted through scratch.
    size_t memory_bytes = 0;
    const BulkNodeIds* node_ids = nullptr;
    SstOutput* relation_output = nullptr;
    SstOutput* adjacency_output = nullptr;
  };

  // `entries` is read to its end.
  BulkLists(BulkListEntries* entries, const Context& context);

  // Returns how many relations the import held.
  absl::StatusOr<uint64_t> Run();

 private:
  // The entries of a node to one neighbour: from `begin` on in entries_, up to the next pair's.
  struct Pair {
    NodeId node{};
    NodeId neighbour{};
    uint64_t neighbour_order = 0;
    size_t begin = 0;
    // What is stored from node to neighbour and back; empty when nothing is.
    std::vector<PairRelation> stored_out;
    std::vector<PairRelation> stored_in;
  };
  // An entry that was merged with others of its key.
  struct Entry {
    Direction direction{};
    PairRelation relation;
  };

  absl::Status Take(const BulkListEntry& entry);
  absl::Status FlushPairs();
  absl::Status LoadStored();
  // Writes what the entries of a pair up to `end` change.
  absl::Status WritePair(const Pair& pair, size_t end);
  // The same when nothing of the pair is stored, which is the most common case.
  absl::Status WriteNewPair(const Pair& pair, size_t end);
  // Unites `relation` with the one of its type and mode in `relations`, or adds it.
  absl::Status Unite(const PairRelation& relation, std::vector<PairRelation>* relations);
  absl::Status EditLists(const Pair& pair, Direction direction,
                         const std::vector<PairRelation>& before, bool sole_before,
                         const std::vector<PairRelation>& after, bool sole_after);
  absl::StatusOr<ClassId> United(ClassId a, ClassId b);
  // Gathers an edit of the node at hand, and writes its lists when the node ends.
  absl::Status AddEdit(const Pair& pair, Direction direction, BulkListEdit::Kind kind,
                       const PairRelation& relation, bool sole);
  absl::Status SpillEdits();
  absl::Status FinishNode();

  BulkListEntries* const source_;
  const Context context_;
  BulkListWriter writer_;
  std::vector<Pair> pairs_;
  size_t pair_count_ = 0;
  std::vector<Entry> entries_;
  std::vector<PairRelation> after_out_;
  std::vector<PairRelation> after_in_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, ClassId> united_;
  NodeId node_{};
  std::vector<BulkListEdit> edits_;
  std::unique_ptr<BulkSorter> spilled_;
  uint64_t relations_ = 0;
};

}  // namespace relations
