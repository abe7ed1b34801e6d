#include "tests/support/turning_ring.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tests/support/graph_literals.h"

namespace relations {

TurningRing::TurningRing(uint64_t seed) : random_(seed) {
  for (int i = 0; i < kLength; ++i) order_.push_back(Id(i));
}

std::string TurningRing::Id(int number) { return absl::StrCat("ip-", 100 + number); }

Mutations TurningRing::First() const {
  Mutations request;
  for (const std::string& id : order_) request.entities.push_back({TestEntity(id)});
  for (const auto& [from, to] : Edges()) request.relations.push_back(TestRelation(from, to));
  return request;
}

Mutations TurningRing::Next() {
  const auto before = Edges();
  std::shuffle(order_.begin(), order_.end(), random_);
  const auto after = Edges();
  Mutations request;
  for (const auto& edge : before) {
    if (after.contains(edge)) continue;
    request.deleted_relations.push_back({{edge.first, edge.second, "", std::nullopt}});
  }
  for (const auto& edge : after) {
    if (before.contains(edge)) continue;
    request.relations.push_back(
        TestRelation(edge.first, edge.second, static_cast<int64_t>(random_() % 100)));
  }
  return request;
}

bool TurningRing::IsWhole(const ExpandedGraph& graph) {
  if (graph.nodes.size() != kLength || graph.relations.size() != kLength) return false;
  std::vector<size_t> next(kLength, kLength);
  for (const ExpandedRelation& relation : graph.relations) {
    if (next[relation.source] != kLength) return false;
    next[relation.source] = relation.target;
  }
  size_t place = 0;
  for (int steps = 1; steps < kLength; ++steps) {
    place = next[place];
    if (place == 0) return false;
  }
  return next[place] == 0;
}

std::set<std::pair<std::string, std::string>> TurningRing::Edges() const {
  std::set<std::pair<std::string, std::string>> edges;
  for (size_t i = 0; i < order_.size(); ++i) {
    edges.emplace(order_[i], order_[(i + 1) % order_.size()]);
  }
  return edges;
}

}  // namespace relations
