// The storage contract: what a graph engine offers to the walk above it. An engine answers one
// level of a walk with one batched call; the walk itself (traversal.h) stands once, above this
// interface.
//
//   ASSIGN_OR_RETURN(auto view, store.View());
//   ASSIGN_OR_RETURN(auto root, view->Resolve("ip-ba7f..."));
//   if (root.has_value()) { RETURN_IF_ERROR(view->Scan(requests, visible, sink)); }
//
// Thread-safety: a GraphStore may be used from any number of threads; Apply calls are put in order
// inside. A GraphView belongs to one thread at a time and must not outlive its store.
//
// Errors: absence is a value (an empty optional), failure a status. Bytes that are not what the
// format says are DATA_LOSS, never a shorter result.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_types.h"
#include "storage/mutations.h"
#include "storage/relation_chunk.h"
#include "storage/visibility.h"

namespace relations {

// Where a scan left a list; made by an engine, opaque to everybody else. Valid in the view that
// made it, for the same visible classes.
struct ScanCursor {
  std::string position;
};

struct ScanRequest {
  NodeId node{};
  // Most visible entries to return. An engine may return fewer: the cursor alone says whether more
  // may follow.
  size_t limit = 0;
  // Continue after this cursor; at the list's head when null. Not owned.
  const ScanCursor* after = nullptr;
};

// Receives the chunks of a Scan.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  // Called once for each request, in the order of the requests. `relations` come newest first
  // (descending last_seen), ties by the neighbour's id in byte order, then by direction, type and
  // mode; the sink may keep them. `next` is empty when the list is known to end here; when it is
  // not, a further scan may still find nothing.
  virtual void OnChunk(size_t request, RelationChunk relations, std::optional<ScanCursor> next) = 0;
};

// A stored entity.
struct EntityRecord {
  // The serialised Entity in field order, `visible_by` left out.
  absl::string_view wire;
  // Where in `wire` the `visible_by` fields belong.
  size_t visible_by_offset = 0;
  ClassId visibility{};
  // Keeps the bytes of `wire` where they are; null where somebody else does.
  std::shared_ptr<const void> owner;
  // Who reported it, as an engine keeps that; empty where the sink has no use for it.
  absl::string_view reporters{};
};

// Receives the records of a Get.
class EntitySink {
 public:
  virtual ~EntitySink() = default;
  // Called once for each node that exists, in the order of the request. The sink may keep the
  // record: its owner is set.
  virtual void OnEntity(size_t index, EntityRecord record) = 0;
};

// Two nodes; as the key of a record, from the one to the other.
struct NodePair {
  NodeId source{};
  NodeId target{};
};

// A relation from one given node to another.
struct PairRelation {
  LabelId type{};
  RelationMode mode = RelationMode::kAssociation;
  ClassId visibility{};
  absl::Time last_seen;
};

class PairSink {
 public:
  virtual ~PairSink() = default;
  // Called for each direction in which a pair has relations, in the order of the request, outgoing
  // (from source to target) first. `relations` are all of them, whoever may see them, ordered by
  // type number and mode; valid inside the call.
  virtual void OnPair(size_t index, Direction direction,
                      absl::Span<const PairRelation> relations) = 0;
};

// One consistent state of the graph.
class GraphView {
 public:
  virtual ~GraphView() = default;

  // The node of an entity id, or nothing when there is no such entity.
  virtual absl::StatusOr<std::optional<NodeId>> Resolve(absl::string_view id) = 0;

  // Reads a chunk of the adjacency list of each requested node, restricted to the visible classes.
  // Costs what it returns plus min(classes at the node, visible classes) a node.
  virtual absl::Status Scan(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                            ScanSink& sink) = 0;

  // Reads the entities of some nodes, in one batch.
  virtual absl::Status Get(absl::Span<const NodeId> nodes, EntitySink& sink) = 0;

  // Reads the relations between the two nodes of each pair, in both directions, in one batch.
  virtual absl::Status GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) = 0;

  // The text of a relation type that a read of this view returned; lives as long as the store.
  virtual absl::StatusOr<absl::string_view> LabelText(LabelId label) = 0;

  // The set of groups of a class that a read of this view returned. The set lives as long as the
  // store.
  virtual absl::StatusOr<const GroupSet*> ClassGroups(ClassId visibility) = 0;
};

// Relations of an entity in both directions, whoever may see them, over a sample of the entities.
struct DegreeStats {
  // Nobody's relations are counted further.
  static constexpr uint64_t kCountedMax = 100'000;

  // Entities that were looked at; 0 when nothing was sampled.
  uint64_t sampled = 0;
  uint64_t median = 0;
  uint64_t p90 = 0;
  uint64_t p99 = 0;
  // The most of the sample, which need not be the most of the graph.
  uint64_t most = 0;
};

struct CacheStats {
  uint64_t capacity_bytes = 0;
  uint64_t bytes = 0;
  // Look-ups since the store was opened; both 0 where they are not counted.
  uint64_t hits = 0;
  uint64_t misses = 0;
};

struct GraphStats {
  uint64_t entities = 0;
  std::map<std::string, uint64_t> entities_by_type;
  uint64_t relations = 0;
  // Bytes on disk by column family; empty for an engine that has no disk.
  std::map<std::string, uint64_t> bytes_by_family;
  DegreeStats degrees;
  // By name; empty for an engine without caches.
  std::map<std::string, CacheStats> caches;
};

class GraphStore {
 public:
  virtual ~GraphStore() = default;

  // A view of the graph as it is now.
  virtual absl::StatusOr<std::unique_ptr<GraphView>> View() = 0;

  // Applies all of `mutations` or nothing, durable when OK returns; a view taken then shows it.
  // INVALID_ARGUMENT: a record that breaks the limits of limits.h or the grammar of ids and groups.
  // FAILED_PRECONDITION: a relation names an entity that is neither stored nor in the batch, or
  // both ends are the same. Others as mutations.h says; those that a reporter can cause are public
  // errors.
  virtual absl::Status Apply(const Mutations& mutations) = 0;

  // Applies each request of a group as Apply does, in order, and gives the status of each; an
  // engine may make the group durable at once. One that is refused does not concern the others.
  virtual std::vector<absl::Status> ApplyGroup(absl::Span<const Mutations* const> group) {
    std::vector<absl::Status> statuses;
    statuses.reserve(group.size());
    for (const Mutations* const mutations : group) statuses.push_back(Apply(*mutations));
    return statuses;
  }

  // The classes that a holder of `groups` may see; shared and cached. Ask after View: classes are
  // only ever added, so the answer then covers every record of the view.
  virtual absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) = 0;

  // Costs no scan: counters, and a sample for the degrees.
  virtual absl::StatusOr<GraphStats> Stats() = 0;
};

}  // namespace relations
