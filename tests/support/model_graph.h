// The storage contract over std::map, obviously right and slow: what the RocksDB store is compared
// with, and a store for tests that need no disk.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/graph_store.h"
#include "storage/visibility.h"

namespace relations {

class ModelGraph final : public GraphStore {
 public:
  using RelationKey = std::tuple<std::string, std::string, std::string, RelationMode>;
  struct State {
    std::map<std::string, v1::Entity> entities;
    std::map<RelationKey, PutRelation> relations;
    std::map<std::string, std::set<uint64_t>> reporters;
  };

  absl::StatusOr<std::unique_ptr<GraphView>> View() override;
  absl::Status Apply(const Mutations& mutations) override;
  absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) override;
  absl::StatusOr<GraphStats> Stats() override;

  // A copy of all that is stored.
  State state() const;

 private:
  friend class ModelView;

  // Each applies a part of a request to a state.
  static absl::Status TakeAway(const Mutations& mutations, State& state);
  static absl::Status Put(const Mutations& mutations, State& state);
  static absl::Status Report(const Mutations& mutations, State& state);

  NodeId NodeOf(const std::string& id);
  LabelId LabelOf(const std::string& text);
  ClassId ClassOf(const GroupSet& groups);

  mutable std::recursive_mutex mutex_;
  State state_;
  std::vector<std::string> ids_;
  // Texts keep their place while the table grows.
  std::deque<std::string> labels_;
  ClassTable classes_;
};

}  // namespace relations
