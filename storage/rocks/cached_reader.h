// Reads the parts of nodes of one view: from the node cache where it has them, else from RocksDB,
// offering what was read to the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/node_cache.h"
#include "storage/visibility.h"

namespace relations {

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
  // The merged heads of the lists of nodes: of all lists, or at least of the visible ones; of a
  // node with more lists than a directory names a head for this caller alone, or too_many_lists()
  // when even that has too many. Reads the directories in one batch; then the first blocks of
  // visible lists that stand apart, and the ids where lists tie in time. Only for a node that is
  // asked for again hidden lists and further blocks are read too, as then one value serves all
  // callers.
  absl::Status ReadLists(absl::Span<const NodeId> nodes, const VisibleClasses& visible,
                         std::vector<NodeCache::Value>* values);
  // The pair records of both directions; SplitPairRecords tells them apart. Empty where there is
  // none.
  absl::Status ReadPairs(absl::Span<const NodePair> pairs, std::vector<NodeCache::Value>* values);
  // The node of an id, or nothing.
  absl::StatusOr<std::optional<NodeId>> ReadNode(absl::string_view id);
  // True when `a` stands before `b` in list order. Where they tie in time it takes the ids of the
  // neighbours.
  absl::StatusOr<bool> Precedes(const AdjacentRelation& a, const AdjacentRelation& b);

  const rocksdb::ReadOptions& read_options() const { return read_options_; }
  const RocksDatabase& database() const { return *database_; }
  // Over the family `adjacency`; made when it is first needed, shared by all who read of this view.
  rocksdb::Iterator& adjacency_iterator();

 private:
  // Reads keys of a family in one batch; an absent one gives an empty value.
  absl::Status MultiGet(Family family, const std::vector<std::string>& keys,
                        std::vector<rocksdb::PinnableSlice>* found);
  // What is read of a node's lists.
  struct Gathered {
    NodeValue::Head head;
    // Of each list of the head.
    std::vector<std::vector<AdjacentRelation>> entries;
    // Nothing was passed over that a head has room for.
    bool complete = true;
    // The head is that of the caller: the node has too many lists for one.
    bool is_callers = false;
  };
  // A list that stands apart and is wanted: the node and the list, by index.
  struct ApartList {
    size_t gathered = 0;
    size_t list = 0;
  };
  // Takes the lists from the directory of the node with this index. Of a node that is back all of
  // them, those that stand apart at length; else the visible ones, and those that stand apart go to
  // `apart`.
  absl::Status Gather(NodeId node, absl::string_view directory, const VisibleClasses& visible,
                      bool is_back, size_t index, std::vector<Gathered>* gathered,
                      std::vector<ApartList>* apart);
  absl::Status ReadLong(NodeId node, size_t list, Gathered* gathered);
  // Of a node whose directory does not name all lists: takes the visible ones, found by leapfrog
  // between the classes present at the node and those visible. False when they are too many.
  absl::StatusOr<bool> GatherVisible(NodeId node, const ListDirectory& directory,
                                     const VisibleClasses& visible, Gathered* gathered);
  // The blocks of a list from the iterator's place on, until there are `most` entries.
  absl::Status ReadBlocks(absl::string_view list_key, size_t most,
                          std::vector<AdjacentRelation>* entries, bool* more);
  // The value for the caller, offered to the cache together with what `before` holds, which is the
  // cached value or null.
  NodeCache::Value Keep(const NodeCache::Key& key, const NodeCache::Value& before,
                        const VisibleClasses& visible, Gathered gathered);
  absl::Status ReadFirstBlocks(absl::Span<const NodeId> nodes, absl::Span<const ApartList> apart,
                               std::vector<Gathered>* gathered);
  // Merges what each list gives to the head.
  absl::Status MergeIntoHead(const std::vector<std::vector<AdjacentRelation>>& lists,
                             NodeValue::Head* head);
  // Reads the ids of nodes that lists name, for IdOf.
  absl::Status ReadIds(absl::Span<const NodeId> nodes);
  absl::StatusOr<absl::string_view> IdOf(NodeId node);

  const RocksDatabase* const database_;
  NodeCache* const cache_;
  // Before the snapshot: the cache's rule 3.
  const NodeCache::Ticket ticket_;
  const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  const uint64_t sequence_;
  rocksdb::ReadOptions read_options_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  // Of nodes whose place in a list depended on it.
  absl::node_hash_map<NodeId, std::string> ids_;
  // Kept between calls for its memory.
  std::vector<NodeCache::Key> keys_;
};

}  // namespace relations
