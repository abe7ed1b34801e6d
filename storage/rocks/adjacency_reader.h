// Reads adjacency lists from one snapshot: the lists of a node's visible classes, found by leapfrog
// between the classes present at the node and those visible to the caller, merged newest first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/cached_reader.h"
#include "storage/visibility.h"

namespace relations {

class AdjacencyReader {
 public:
  // Tells the id of a node: needed where relations of different classes tie in time.
  using IdLookup = std::function<absl::StatusOr<std::string>(NodeId)>;

  // `reader` is not owned and must outlive this.
  AdjacencyReader(CachedReader* reader, IdLookup id_of)
      : reader_(reader), id_of_(std::move(id_of)) {}

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
  };

  absl::Status FindHeads(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                         std::vector<std::vector<Run>>* runs);
  // Tells the visible classes whose lists are to be asked for by key; false when they are too many at
  // this node.
  absl::StatusOr<bool> ClassesToRead(NodeId node, const VisibleClasses& visible,
                                     std::vector<ClassId>* classes);
  absl::Status LeapfrogHeads(NodeId node, const VisibleClasses& visible, std::vector<Run>* runs);
  absl::Status Resume(NodeId node, const ScanCursor& cursor, std::vector<Run>* runs);
  // Moves on to the next block as long as the current one is used up; false when the list ends.
  absl::StatusOr<bool> HasHead(Run* run);
  absl::Status Merge(std::vector<Run>* runs, size_t limit, std::vector<AdjacentRelation>* merged);
  absl::StatusOr<bool> Precedes(const AdjacentRelation& a, const AdjacentRelation& b);
  rocksdb::Iterator& iterator();

  CachedReader* const reader_;
  const IdLookup id_of_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace relations
