#include "tests/support/reference_walk.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/traversal.h"

namespace relations {
namespace {

bool Shares(const GroupSet& a, const GroupSet& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& group) {
    return std::find(b.begin(), b.end(), group) != b.end();
  });
}

std::string EntityText(const v1::Entity& entity) {
  // The text format prints maps in no fixed order; the attributes are listed by hand.
  v1::Entity rest = entity;
  rest.clear_attributes();
  std::map<std::string, std::string> attributes;
  for (const auto& [name, value] : entity.attributes()) {
    attributes[name] = value.ShortDebugString();
  }
  return absl::StrCat(rest.ShortDebugString(), " ",
                      absl::StrJoin(attributes, ",", absl::PairFormatter("=")));
}

std::string RelationText(const ReferenceRelation& relation) {
  return absl::StrCat(relation.source, " -> ", relation.target, " ", relation.type, " ",
                      RelationModeName(relation.mode), " ",
                      absl::FormatTime(relation.last_seen, absl::UTCTimeZone()));
}

}  // namespace

std::optional<ReferenceAnswer> ReferenceWalk(const ModelGraph::State& graph,
                                             const ReferenceQuestion& question) {
  // G: the entities and relations that count.
  std::map<std::string, v1::Entity> entities;
  for (const auto& [id, entity] : graph.entities) {
    const GroupSet visible_by(entity.visible_by().begin(), entity.visible_by().end());
    if (!Shares(visible_by, question.groups)) continue;
    if (!question.types.empty() && id != question.root && !question.types.contains(entity.type())) {
      continue;
    }
    v1::Entity seen = entity;
    seen.clear_visible_by();
    for (const std::string& group : visible_by) {
      if (Shares({group}, question.groups)) seen.add_visible_by(group);
    }
    entities[id] = seen;
  }
  if (!entities.contains(question.root)) return std::nullopt;
  std::vector<PutRelation> relations;
  for (const auto& [key, relation] : graph.relations) {
    if (Shares(relation.visible_by, question.groups) && entities.contains(relation.source) &&
        entities.contains(relation.target)) {
      relations.push_back(relation);
    }
  }

  // Every entity within reach, in breadth-first order.
  std::vector<std::string> order = {question.root};
  std::map<std::string, int> distance = {{question.root, 0}};
  for (size_t next = 0; next < order.size(); ++next) {
    const std::string id = order[next];
    if (distance[id] == question.levels) continue;
    std::vector<std::pair<absl::Time, std::string>> neighbours;
    for (const PutRelation& relation : relations) {
      if (relation.source == id) neighbours.emplace_back(relation.last_seen, relation.target);
      if (relation.target == id) neighbours.emplace_back(relation.last_seen, relation.source);
    }
    std::sort(neighbours.begin(), neighbours.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& [time, neighbour] : neighbours) {
      if (distance.emplace(neighbour, distance[id] + 1).second) order.push_back(neighbour);
    }
  }

  ReferenceAnswer answer;
  const size_t room = static_cast<size_t>(question.limit) + 1;
  answer.stopped_by_limit = order.size() > room;
  if (answer.stopped_by_limit) order.resize(room);
  std::map<std::string, size_t> position;
  for (const std::string& id : order) {
    position[id] = answer.nodes.size();
    answer.nodes.push_back(entities[id]);
  }
  for (const PutRelation& relation : relations) {
    if (!position.contains(relation.source) || !position.contains(relation.target)) continue;
    if (std::min(distance[relation.source], distance[relation.target]) >= question.levels) continue;
    answer.relations.push_back(
        {relation.source, relation.target, relation.type, relation.mode, relation.last_seen});
  }
  const auto key = [&](const ReferenceRelation& relation) {
    const size_t source = position[relation.source];
    const size_t target = position[relation.target];
    return std::make_tuple(std::min(source, target), source, target, relation.type, relation.mode);
  };
  std::sort(
      answer.relations.begin(), answer.relations.end(),
      [&](const ReferenceRelation& a, const ReferenceRelation& b) { return key(a) < key(b); });
  return answer;
}

std::string ToText(const std::optional<ReferenceAnswer>& answer) {
  if (!answer.has_value()) return "not found\n";
  std::string text = answer->stopped_by_limit ? "limit\n" : "complete\n";
  for (const v1::Entity& entity : answer->nodes) absl::StrAppend(&text, EntityText(entity), "\n");
  for (const ReferenceRelation& relation : answer->relations) {
    absl::StrAppend(&text, RelationText(relation), "\n");
  }
  return text;
}

std::string ExpandToText(GraphStore& store, const ReferenceQuestion& question) {
  ExpandParams params;
  params.root_id = question.root;
  params.limit = question.limit;
  params.levels = question.levels;
  params.types.insert(question.types.begin(), question.types.end());
  params.groups = question.groups;
  const absl::StatusOr<ExpandedGraph> graph = Expand(store, params);
  if (absl::IsNotFound(graph.status())) return "not found\n";
  if (!graph.ok()) return graph.status().ToString();
  ReferenceAnswer answer;
  answer.stopped_by_limit = graph->stopped_by_limit;
  for (const ExpandedEntity& node : graph->nodes) {
    if (!answer.nodes.emplace_back().ParseFromString(node.Wire()))
      return "an entity does not parse";
  }
  for (const ExpandedRelation& relation : graph->relations) {
    answer.relations.push_back({answer.nodes[relation.source].id(),
                                answer.nodes[relation.target].id(), std::string(relation.type),
                                relation.mode, relation.last_seen});
  }
  return ToText(answer);
}

}  // namespace relations
