#include "tests/support/model_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"
#include "storage/entity_wire.h"

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
  const auto valid_groups = [](const GroupSet& groups) {
    return !groups.empty() && groups.size() <= limits::kVisibleByMax &&
           groups == CanonicalGroups(groups) &&
           std::all_of(groups.begin(), groups.end(),
                       [](const std::string& group) { return IsGroupName(group); });
  };
  for (const PutEntity& put : mutations.entities) {
    const GroupSet groups(put.entity.visible_by().begin(), put.entity.visible_by().end());
    if (!IsEntityId(put.entity.id()) || put.entity.type().empty() ||
        put.entity.type().size() > limits::kTypeBytesMax || !valid_groups(groups)) {
      return absl::InvalidArgumentError("not a valid entity");
    }
    next.entities[put.entity.id()] = put.entity;
  }
  for (const PutRelation& put : mutations.relations) {
    if (put.source == put.target || !next.entities.contains(put.source) ||
        !next.entities.contains(put.target)) {
      return absl::FailedPreconditionError("an end is missing, or both are the same");
    }
    if (put.type.empty() || put.type.size() > limits::kRelationTypeBytesMax ||
        !IsTimestamp(put.last_seen) || !valid_groups(put.visible_by)) {
      return absl::InvalidArgumentError("not a valid relation");
    }
    next.relations[{put.source, put.target, put.type, put.mode}] = put;
  }
  state_ = std::move(next);
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
