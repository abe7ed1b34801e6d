#include "tests/support/model_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/mutation_rules.h"

namespace relations {

class ModelView final : public GraphView {
 public:
  explicit ModelView(ModelGraph* graph) : graph_(graph), state_(graph->state()) {}

  absl::StatusOr<std::optional<NodeId>> Resolve(absl::string_view id) override {
    const auto found = state_.entities.find(std::string(id));
    if (found == state_.entities.end()) return std::nullopt;
    return graph_->NodeOf(found->first);
  }

  absl::Status Scan(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                    ScanSink& sink) override {
    for (size_t i = 0; i < requests.size(); ++i) {
      const std::vector<AdjacentRelation> list = List(requests[i].node, visible);
      size_t begin = 0;
      if (requests[i].after != nullptr && !absl::SimpleAtoi(requests[i].after->position, &begin)) {
        return absl::InternalError("not a cursor of this view");
      }
      const size_t end = std::min(list.size(), begin + requests[i].limit);
      std::optional<ScanCursor> next;
      if (end < list.size()) next = ScanCursor{absl::StrCat(end)};
      sink.OnChunk(i, RelationChunk::Of(absl::MakeConstSpan(list).subspan(begin, end - begin)),
                   std::move(next));
    }
    return absl::OkStatus();
  }

  absl::Status Get(absl::Span<const NodeId> nodes, EntitySink& sink) override {
    for (size_t i = 0; i < nodes.size(); ++i) {
      const auto found = state_.entities.find(IdOf(nodes[i]));
      if (found == state_.entities.end()) continue;
      v1::Entity entity = found->second;
      const GroupSet groups(entity.visible_by().begin(), entity.visible_by().end());
      entity.clear_visible_by();
      const auto wire = std::make_shared<const std::string>(SerializeEntity(entity));
      entity.clear_attributes();
      sink.OnEntity(i, {*wire, entity.ByteSizeLong(), graph_->ClassOf(groups), wire});
    }
    return absl::OkStatus();
  }

  absl::Status GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) override {
    for (size_t i = 0; i < pairs.size(); ++i) {
      const std::string source = IdOf(pairs[i].source);
      const std::string target = IdOf(pairs[i].target);
      Offer(i, Direction::kOutgoing, Between(source, target), sink);
      Offer(i, Direction::kIncoming, Between(target, source), sink);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<absl::string_view> LabelText(LabelId label) override {
    const std::lock_guard<std::recursive_mutex> lock(graph_->mutex_);
    return absl::string_view(graph_->labels_.at(static_cast<size_t>(label)));
  }

  absl::StatusOr<const GroupSet*> ClassGroups(ClassId visibility) override {
    const std::lock_guard<std::recursive_mutex> lock(graph_->mutex_);
    return graph_->classes_.Groups(visibility);
  }

 private:
  static void Offer(size_t index, Direction direction, const std::vector<PairRelation>& relations,
                    PairSink& sink) {
    if (!relations.empty()) sink.OnPair(index, direction, relations);
  }

  std::vector<PairRelation> Between(const std::string& source, const std::string& target) const {
    std::vector<PairRelation> found;
    for (const auto& [key, relation] : state_.relations) {
      if (relation.source != source || relation.target != target) continue;
      found.push_back({graph_->LabelOf(relation.type), relation.mode,
                       graph_->ClassOf(relation.visible_by), relation.last_seen});
    }
    std::sort(found.begin(), found.end(), [](const PairRelation& a, const PairRelation& b) {
      return std::make_tuple(a.type, a.mode) < std::make_tuple(b.type, b.mode);
    });
    return found;
  }

  std::string IdOf(NodeId node) const {
    const std::lock_guard<std::recursive_mutex> lock(graph_->mutex_);
    const auto number = static_cast<size_t>(node);
    return number >= 1 && number <= graph_->ids_.size() ? graph_->ids_[number - 1] : std::string();
  }

  std::vector<AdjacentRelation> List(NodeId node, const VisibleClasses& visible) const {
    const std::string id = IdOf(node);
    std::vector<AdjacentRelation> list;
    for (const auto& [key, relation] : state_.relations) {
      if (!visible.Contains(graph_->ClassOf(relation.visible_by))) continue;
      AdjacentRelation entry;
      entry.last_seen = relation.last_seen;
      entry.type = graph_->LabelOf(relation.type);
      entry.mode = relation.mode;
      if (relation.source == id) {
        entry.neighbour = graph_->NodeOf(relation.target);
        entry.direction = Direction::kOutgoing;
        list.push_back(entry);
      } else if (relation.target == id) {
        entry.neighbour = graph_->NodeOf(relation.source);
        entry.direction = Direction::kIncoming;
        list.push_back(entry);
      }
    }
    std::sort(list.begin(), list.end(), [&](const AdjacentRelation& a, const AdjacentRelation& b) {
      if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
      return std::make_tuple(IdOf(a.neighbour), a.direction, a.type, a.mode) <
             std::make_tuple(IdOf(b.neighbour), b.direction, b.type, b.mode);
    });
    return list;
  }

  ModelGraph* const graph_;
  const ModelGraph::State state_;
};

absl::StatusOr<std::unique_ptr<GraphView>> ModelGraph::View() {
  return std::make_unique<ModelView>(this);
}

ModelGraph::State ModelGraph::state() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return state_;
}

absl::Status ModelGraph::Apply(const Mutations& mutations) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  State next = state_;
  RETURN_IF_ERROR(TakeAway(mutations, next));
  RETURN_IF_ERROR(Put(mutations, next));
  RETURN_IF_ERROR(Report(mutations, next));
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::Status ModelGraph::TakeAway(const Mutations& mutations, State& state) {
  // Leaves a relation what `keep` has of its groups.
  const auto restrict = [&](const RelationKey& key, const GroupSet& keep) {
    GroupSet& groups = state.relations.at(key).visible_by;
    groups = SharedGroups(groups, keep);
    if (groups.empty()) state.relations.erase(key);
  };
  const auto of_entity = [&](const std::string& id) {
    std::vector<RelationKey> keys;
    for (const auto& [key, relation] : state.relations) {
      if (relation.source == id || relation.target == id) keys.push_back(key);
    }
    return keys;
  };
  const auto selected = [&](const RelationSelection& which) {
    std::vector<RelationKey> keys;
    for (const auto& [key, relation] : state.relations) {
      if (relation.source == which.source && relation.target == which.target &&
          (which.type.empty() || relation.type == which.type) &&
          (!which.mode.has_value() || relation.mode == *which.mode)) {
        keys.push_back(key);
      }
    }
    return keys;
  };
  for (const DeleteEntity& deletion : mutations.deleted_entities) {
    if (state.entities.erase(deletion.id) == 0) return NoSuchEntity();
    state.reporters.erase(deletion.id);
    for (const RelationKey& key : of_entity(deletion.id)) restrict(key, {});
  }
  for (const DeleteRelations& deletion : mutations.deleted_relations) {
    const std::vector<RelationKey> keys = selected(deletion.which);
    if (keys.empty()) return NoSuchRelation();
    for (const RelationKey& key : keys) restrict(key, {});
  }
  for (const NarrowEntity& narrowing : mutations.narrowed_entities) {
    const auto found = state.entities.find(narrowing.id);
    if (found == state.entities.end()) return NoSuchEntity();
    v1::Entity& entity = found->second;
    RETURN_IF_ERROR(
        CheckNarrowing(narrowing.keep, {entity.visible_by().begin(), entity.visible_by().end()}));
    entity.mutable_visible_by()->Assign(narrowing.keep.begin(), narrowing.keep.end());
    for (const RelationKey& key : of_entity(narrowing.id)) restrict(key, narrowing.keep);
  }
  for (const NarrowRelations& narrowing : mutations.narrowed_relations) {
    const std::vector<RelationKey> keys = selected(narrowing.which);
    if (keys.empty()) return NoSuchRelation();
    for (const RelationKey& key : keys) {
      RETURN_IF_ERROR(CheckNarrowing(narrowing.keep, state.relations.at(key).visible_by));
      restrict(key, narrowing.keep);
    }
  }
  return absl::OkStatus();
}

absl::Status ModelGraph::Put(const Mutations& mutations, State& state) {
  for (const PutEntity& put : mutations.entities) {
    RETURN_IF_ERROR(CheckEntity(put.entity));
    state.entities[put.entity.id()] = put.entity;
  }
  for (const PutRelation& put : mutations.relations) {
    RETURN_IF_ERROR(CheckRelation(put));
    if (!state.entities.contains(put.source) || !state.entities.contains(put.target)) {
      return absl::FailedPreconditionError("an end is missing");
    }
    state.relations[{put.source, put.target, put.type, put.mode}] = put;
  }
  return absl::OkStatus();
}

absl::Status ModelGraph::Report(const Mutations& mutations, State& state) {
  for (const ReportEntity& report : mutations.entity_reports) {
    RETURN_IF_ERROR(CheckEntity(report.entity));
    const auto [place, is_new] = state.entities.emplace(report.entity.id(), report.entity);
    if (!is_new) RETURN_IF_ERROR(MergeForReporter(report.entity, &place->second));
    std::set<uint64_t>& reporters = state.reporters[report.entity.id()];
    if (reporters.size() < 3) reporters.insert(report.reporter);
    Assess(reporters.size(), &place->second);
  }
  for (const ReportRelation& report : mutations.relation_reports) {
    GroupSet ends[2];
    const GroupSet* groups[] = {nullptr, nullptr};
    for (size_t i = 0; i < 2; ++i) {
      const auto found = state.entities.find(i == 0 ? report.source : report.target);
      if (found == state.entities.end()) continue;
      ends[i].assign(found->second.visible_by().begin(), found->second.visible_by().end());
      groups[i] = &ends[i];
    }
    PutRelation put{report.source, report.target, report.type, report.mode, report.last_seen, {}};
    ASSIGN_OR_RETURN(put.visible_by, GroupsOfReport(report, groups[0], groups[1]));
    const RelationKey key{put.source, put.target, put.type, put.mode};
    if (const auto known = state.relations.find(key); known != state.relations.end()) {
      put.last_seen = std::max(put.last_seen, known->second.last_seen);
      put.visible_by = SharedGroups(UnitedGroups(put.visible_by, known->second.visible_by),
                                    SharedGroups(ends[0], ends[1]));
    }
    state.relations[key] = put;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const VisibleClasses>> ModelGraph::ClassesVisibleTo(
    const GroupSet& groups) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  for (const auto& [id, entity] : state_.entities) {
    ClassOf({entity.visible_by().begin(), entity.visible_by().end()});
  }
  for (const auto& [key, relation] : state_.relations) ClassOf(relation.visible_by);
  return classes_.VisibleTo(groups);
}

absl::StatusOr<GraphStats> ModelGraph::Stats() {
  const State state = this->state();
  GraphStats stats;
  stats.entities = state.entities.size();
  stats.relations = state.relations.size();
  for (const auto& [id, entity] : state.entities) ++stats.entities_by_type[entity.type()];
  return stats;
}

NodeId ModelGraph::NodeOf(const std::string& id) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = std::find(ids_.begin(), ids_.end(), id);
  const auto index = static_cast<uint64_t>(found - ids_.begin());
  if (found == ids_.end()) ids_.push_back(id);
  return NodeId{index + 1};
}

LabelId ModelGraph::LabelOf(const std::string& text) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const auto found = std::find(labels_.begin(), labels_.end(), text);
  const auto index = static_cast<uint32_t>(found - labels_.begin());
  if (found == labels_.end()) labels_.push_back(text);
  return LabelId{index};
}

ClassId ModelGraph::ClassOf(const GroupSet& groups) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  const ClassId* const found = classes_.Find(groups);
  return found != nullptr ? *found : classes_.Add(groups);
}

}  // namespace relations
