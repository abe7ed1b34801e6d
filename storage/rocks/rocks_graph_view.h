// One snapshot of the RocksDB store.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_reader.h"
#include "storage/rocks/cached_reader.h"

namespace relations {

class RocksGraphStore;

class RocksGraphView final : public GraphView {
 public:
  // `store` is not owned and must outlive the view.
  explicit RocksGraphView(RocksGraphStore* store);

  absl::StatusOr<std::optional<NodeId>> Resolve(absl::string_view id) override;
  absl::Status Scan(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                    ScanSink& sink) override;
  absl::Status Get(absl::Span<const NodeId> nodes, EntitySink& sink) override;
  absl::Status GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) override;
  absl::StatusOr<absl::string_view> LabelText(LabelId label) override;
  absl::StatusOr<const GroupSet*> ClassGroups(ClassId visibility) override;

 private:
  const RocksGraphStore* const store_;
  CachedReader reader_;
  AdjacencyReader adjacency_;
  // Kept between calls for its memory.
  std::vector<NodeCache::Value> values_;
};

}  // namespace relations
