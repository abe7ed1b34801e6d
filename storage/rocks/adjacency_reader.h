// Reads adjacency lists of one view: the lists of a node's visible classes, merged newest first.
//
// A node's cached head is given as it is, with what tells which entries are visible; where few of
// them are, these are copied, so that hidden ones cost nothing. What goes beyond it is read list by
// list. Of a node with more lists than a directory names those that stand apart are found by
// leapfrog between the classes present at the node and those visible to the caller.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/cached_reader.h"
#include "storage/visibility.h"

namespace relations {

class AdjacencyReader {
 public:
  // `reader` is not owned and must outlive this.
  explicit AdjacencyReader(CachedReader* reader) : reader_(reader) {}

  // GraphView::Scan.
  absl::Status Scan(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                    ScanSink& sink);

 private:
  // One list being read: the current block and the place in it.
  struct Run {
    ClassId visibility{};
    // Of the current block.
    std::string key;
    AdjacencyBlock block;
    size_t index = 0;

    const AdjacentRelation& head() const { return block.entries[index]; }
    bool used_up() const { return index == block.entries.size() && !block.more_may_follow; }
  };

  // Answers a request from a merged head.
  void ScanHead(size_t request, const ScanRequest& wanted, const NodeCache::Value& head,
                const VisibleClasses& visible, ScanSink& sink);
  absl::Status ScanRuns(size_t request, const ScanRequest& wanted, std::vector<Run> runs,
                        ScanSink& sink);
  absl::StatusOr<std::vector<Run>> Leapfrog(NodeId node, const VisibleClasses& visible);
  absl::StatusOr<std::vector<Run>> Resume(NodeId node, const ScanCursor& cursor,
                                          const VisibleClasses& visible);
  absl::StatusOr<std::vector<Run>> ResumeBehindHead(NodeId node, absl::string_view position,
                                                    const VisibleClasses& visible);
  absl::StatusOr<Run> StartRun(ClassId visibility, std::string key, size_t index);
  // Reads the block under a key, or where there is none the list that the node's directory holds.
  absl::Status ReadBlock(absl::string_view key, AdjacencyBlock* block);
  // One record of the family `adjacency`; empty when there is none.
  absl::Status Read(absl::string_view key, rocksdb::PinnableSlice* value);
  // Moves on to the next block as long as the current one is used up; false when the list ends.
  absl::StatusOr<bool> HasHead(Run* run);
  absl::Status Merge(std::vector<Run>* runs, size_t limit, std::vector<AdjacentRelation>* merged);

  CachedReader* const reader_;
  // The heads that cursors go on behind: the next one read of a node might be another.
  absl::flat_hash_map<NodeId, NodeCache::Value> heads_in_use_;
  // Kept between calls for their memory.
  std::vector<AdjacentRelation> chunk_;
  std::vector<NodeCache::Value> heads_;
};

}  // namespace relations
