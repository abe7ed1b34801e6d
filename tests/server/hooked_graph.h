// A graph store that does something before every view: waits, counts, fails.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "storage/graph_store.h"

namespace relations {

class HookedGraph final : public GraphStore {
 public:
  // `graph` is not owned and must outlive this. A status of `hook` that is not OK is View's.
  HookedGraph(GraphStore* graph, std::function<absl::Status()> hook)
      : graph_(graph), hook_(std::move(hook)) {}

  absl::StatusOr<std::unique_ptr<GraphView>> View() override {
    if (absl::Status status = hook_(); !status.ok()) {
      return status;
    }
    return graph_->View();
  }
  absl::Status Apply(const Mutations& mutations) override { return graph_->Apply(mutations); }
  std::vector<absl::Status> ApplyGroup(absl::Span<const Mutations* const> group) override {
    return graph_->ApplyGroup(group);
  }
  absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) override {
    return graph_->ClassesVisibleTo(groups);
  }
  absl::StatusOr<GraphStats> Stats() override { return graph_->Stats(); }

 private:
  GraphStore* graph_;
  std::function<absl::Status()> hook_;
};

}  // namespace relations
