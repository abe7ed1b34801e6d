// The bounded breadth-first walk that answers GetRelations. It stands once, above GraphView, and is
// the only place that knows which entities and relations an answer holds and in which order.
//
// Let G be the graph of what the caller may see: entities whose class is visible (and whose type
// passes the filter), relations whose class is visible with both ends in G. The answer holds the
// root, then min(limit, |{x : 1 <= d(x) <= levels}|) entities in breadth-first order over G
// (neighbours newest relation first, ties by id), then every relation of G between two of them
// whose nearer end has d < levels. Nothing outside G influences it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"
#include "storage/visibility.h"

namespace relations {

struct ExpandParams {
  std::string root_id;
  // Already judged: 1 to limits::kRelatedEntitiesMax and 1 to limits::kLevelsMax.
  int limit = 0;
  int levels = 0;
  // Types to walk; empty means all. The root needs none of them.
  absl::flat_hash_set<std::string> types;
  // Canonical.
  GroupSet groups;
  // Asked between the steps of the walk; a status that is not OK ends it with that status (a
  // deadline, a caller that left). May be empty.
  std::function<absl::Status()> check_alive;
};

// An entity of an answer: the serialised Entity, in field order, in three parts. The bytes of the
// first and the last are those of the store, shared and not copied.
struct ExpandedEntity {
  // The fields before `visible_by`.
  absl::string_view head;
  // The `visible_by` fields that the caller may see.
  absl::string_view visible_by;
  // The fields after it.
  absl::string_view tail;
  // Hops from the root.
  int distance = 0;
  // Keeps `head` and `tail`.
  std::shared_ptr<const void> owner;

  size_t wire_bytes() const { return head.size() + visible_by.size() + tail.size(); }
  // The three in one.
  std::string Wire() const;
};

// A relation of an answer; the ends are positions in `nodes`.
struct ExpandedRelation {
  size_t source = 0;
  size_t target = 0;
  // Lives as long as the store.
  absl::string_view type;
  RelationMode mode = RelationMode::kAssociation;
  absl::Time last_seen;
};

// Holds what its parts point to, so it is moved, not copied.
struct ExpandedGraph {
  ExpandedGraph() = default;
  ExpandedGraph(ExpandedGraph&&) = default;
  ExpandedGraph& operator=(ExpandedGraph&&) = default;

  std::vector<ExpandedEntity> nodes;
  std::vector<ExpandedRelation> relations;
  // More entities exist within `levels` than `limit` let in.
  bool stopped_by_limit = false;
  // What the nodes' `visible_by` point to. Its elements stay where they are, also when it is moved.
  std::deque<std::string> visible_by_fields;
};

// Walks. NOT_FOUND (with the public reason) when the root does not exist or is not visible: the two
// cannot be told apart. Statuses of the view and of check_alive are passed on.
absl::StatusOr<ExpandedGraph> Expand(GraphStore& store, const ExpandParams& params);

}  // namespace relations
