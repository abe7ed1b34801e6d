// The graph as the requests of one write leave it: what they touch is read from the store in
// batches, changed here, and can be taken back to a mark when a request is refused. REQUIRES: the
// caller is the only writer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"
#include "storage/rocks/database.h"

namespace relations {

class WriteOverlay {
 public:
  // An entity at one moment.
  struct Entity {
    ClassId visibility{};
    // Its record's bytes; null when there is none.
    std::shared_ptr<const std::string> record;

    bool exists() const { return record != nullptr; }
  };
  struct EntityChange {
    std::string id;
    Entity before;
    Entity after;
  };
  // Relations from one node to another, ordered by label and mode.
  struct PairChange {
    std::vector<PairRelation> before;
    std::vector<PairRelation> after;
  };
  using PairNodes = std::pair<NodeId, NodeId>;

  static constexpr NodeId kUnknown{0};

  // `database` is not owned. Nodes from `first_new` on are not stored.
  WriteOverlay(const RocksDatabase* database, NodeId first_new)
      : database_(database), first_new_(first_new) {}

  // Reads what is not here yet, in one batch each. Pairs are read in both directions: whether a
  // relation is the only one between two nodes depends on both.
  absl::Status LoadIds(absl::Span<const absl::string_view> ids);
  absl::Status LoadEntities(absl::Span<const NodeId> nodes);
  absl::Status LoadPairs(absl::Span<const PairNodes> pairs);

  // The node of an id; kUnknown when there is no such entity.
  absl::StatusOr<NodeId> Resolve(absl::string_view id);
  // References stay valid.
  absl::StatusOr<const EntityChange*> Find(NodeId node);
  absl::StatusOr<const std::vector<PairRelation>*> Relations(const PairNodes& nodes);
  // The id of a node; the view stays valid.
  absl::StatusOr<absl::string_view> IdOf(NodeId node);

  void SetNode(absl::string_view id, NodeId node);
  // REQUIRES: Find or AddEntity was called for the node.
  void SetEntity(NodeId node, Entity after);
  void AddEntity(NodeId node, absl::string_view id, Entity entity);
  // REQUIRES: Relations was called for the pair.
  void SetRelations(const PairNodes& nodes, std::vector<PairRelation> after);

  using Mark = size_t;
  Mark SetMark() const { return undo_.size(); }
  // Undoes all that was set since.
  void TakeBack(Mark mark);

  // All that is here, changed or not.
  const absl::node_hash_map<NodeId, EntityChange>& entities() const { return entities_; }
  const std::map<PairNodes, PairChange>& pairs() const { return pairs_; }

 private:
  bool IsNew(NodeId node) const { return node >= first_new_; }

  const RocksDatabase* const database_;
  const NodeId first_new_;
  absl::flat_hash_map<std::string, NodeId> nodes_;
  absl::node_hash_map<NodeId, EntityChange> entities_;
  std::map<PairNodes, PairChange> pairs_;
  std::vector<std::function<void()>> undo_;
};

}  // namespace relations
