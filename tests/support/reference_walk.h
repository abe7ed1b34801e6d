// The answer that the contract (section 2) demands, worked out the plain way: filter the graph to
// what the caller may see, measure distances, sort. Shares no code with the walk it judges.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "storage/graph_store.h"
#include "tests/support/model_graph.h"

namespace relations {

struct ReferenceQuestion {
  std::string root;
  int limit = 50;
  int levels = 3;
  std::set<std::string> types;
  GroupSet groups;
};

struct ReferenceRelation {
  std::string source;
  std::string target;
  std::string type;
  RelationMode mode = RelationMode::kAssociation;
  absl::Time last_seen;
};

struct ReferenceAnswer {
  // visible_by holds only the caller's groups.
  std::vector<v1::Entity> nodes;
  std::vector<ReferenceRelation> relations;
  bool stopped_by_limit = false;
};

// Nothing when the root is not there or not visible.
std::optional<ReferenceAnswer> ReferenceWalk(const ModelGraph::State& graph,
                                             const ReferenceQuestion& question);

// The answer as text, one line a fact: for comparing and for showing differences.
std::string ToText(const std::optional<ReferenceAnswer>& answer);

// What Expand says to the same question, in the same text. Failures are text too.
std::string ExpandToText(GraphStore& store, const ReferenceQuestion& question);

}  // namespace relations
