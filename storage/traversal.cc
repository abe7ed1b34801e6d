#include "storage/traversal.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"

namespace relations {
namespace {

// Entries read of each list before the walk decides by point reads: enough that nearly every list
// is read whole, little enough that a hub costs no more than its neighbours.
constexpr size_t kChunkEntries = 128;

class Walk : private ScanSink, private EntitySink, private PairSink {
 public:
  Walk(GraphView* view, const VisibleClasses* visible, const ExpandParams& params)
      : view_(view), visible_(visible), params_(params) {}

  absl::StatusOr<ExpandedGraph> Run();

 private:
  // An entity of the answer, and what of its list was read.
  struct Node {
    NodeId node{};
    int distance = 0;
    bool scanned = false;
    std::vector<AdjacentRelation> entries;
    // Where the list goes on; empty when all of it is in `entries`.
    std::optional<ScanCursor> next;
  };
  // A relation found; from both its ends it is found twice.
  struct Found {
    size_t source = 0;
    size_t target = 0;
    LabelId type{};
    RelationMode mode = RelationMode::kAssociation;
    absl::Time last_seen;
  };
  // What the walk knows of a node: its position in the answer, or one of these.
  static constexpr int kCandidate = -1;
  static constexpr int kRejected = -2;

  size_t limit() const { return static_cast<size_t>(params_.limit); }
  size_t found() const { return nodes_.size() - 1; }
  bool IsHeavy(const Node& node) const { return node.next.has_value(); }

  absl::Status CheckAlive() const {
    return params_.check_alive ? params_.check_alive() : absl::OkStatus();
  }

  absl::Status AdmitRoot();
  absl::Status WalkLevels();
  absl::Status ExpandNode(size_t position);
  absl::Status Admit(std::vector<NodeId> candidates, int distance);
  absl::Status ScanMore(std::vector<size_t> positions);
  absl::Status FindRelations();
  absl::Status LookUpHeavyPairs();
  void AddRelation(size_t from, size_t to, Direction direction, LabelId type, RelationMode mode,
                   absl::Time last_seen);
  absl::StatusOr<std::vector<ExpandedRelation>> OrderedRelations();
  absl::StatusOr<absl::string_view> LabelText(LabelId label);

  void OnChunk(size_t request, absl::Span<const AdjacentRelation> relations,
               std::optional<ScanCursor> next) override;
  void OnEntity(size_t index, const EntityRecord& record) override;
  void OnPair(size_t index, absl::Span<const PairRelation> relations) override;

  GraphView* const view_;
  const VisibleClasses* const visible_;
  const ExpandParams& params_;

  ExpandedGraph answer_;
  std::vector<Node> nodes_;
  absl::flat_hash_map<NodeId, int> known_;
  std::vector<Found> relations_;
  std::deque<std::pair<LabelId, std::string>> labels_;
  bool stopped_ = false;

  // What the sinks work on.
  std::vector<size_t> scanning_;
  std::vector<NodeId> getting_;
  std::vector<std::optional<std::string>> got_;
  bool getting_root_ = false;
  std::vector<std::pair<size_t, size_t>> pairing_;
  absl::Status sink_status_;
};

absl::StatusOr<ExpandedGraph> Walk::Run() {
  nodes_.reserve(limit() + 1);
  answer_.nodes.reserve(limit() + 1);
  known_.reserve(2 * limit());
  RETURN_IF_ERROR(AdmitRoot());
  RETURN_IF_ERROR(WalkLevels());
  RETURN_IF_ERROR(FindRelations());
  ASSIGN_OR_RETURN(answer_.relations, OrderedRelations());
  answer_.stopped_by_limit = stopped_;
  return std::move(answer_);
}

absl::Status Walk::AdmitRoot() {
  ASSIGN_OR_RETURN(const std::optional<NodeId> root, view_->Resolve(params_.root_id));
  // Node 0 is nobody: a root that does not exist takes the same reads as one that is hidden.
  getting_root_ = true;
  RETURN_IF_ERROR(Admit({root.value_or(NodeId{0})}, 0));
  getting_root_ = false;
  if (nodes_.empty()) {
    return PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such entity");
  }
  return absl::OkStatus();
}

// Breadth first: every entity of a level is expanded, in the order found, before the next level.
absl::Status Walk::WalkLevels() {
  size_t level_begin = 0;
  for (int distance = 0; distance < params_.levels && !stopped_; ++distance) {
    const size_t level_end = nodes_.size();
    if (level_begin == level_end) break;
    std::vector<size_t> level;
    for (size_t position = level_begin; position < level_end; ++position) level.push_back(position);
    RETURN_IF_ERROR(ScanMore(std::move(level)));
    for (size_t position = level_begin; position < level_end && !stopped_; ++position) {
      RETURN_IF_ERROR(ExpandNode(position));
    }
    level_begin = level_end;
  }
  return absl::OkStatus();
}

// Admits the neighbours of one entity in list order. Reads on in its list as long as more is
// wanted: the list must be used up before the next entity's turn.
absl::Status Walk::ExpandNode(size_t position) {
  size_t looked_at = 0;
  while (!stopped_) {
    // One more than there is room for: it tells whether the limit cuts anything off.
    std::vector<NodeId> candidates;
    const size_t wanted = limit() - found() + 1;
    const std::vector<AdjacentRelation>& entries = nodes_[position].entries;
    for (; looked_at < entries.size() && candidates.size() < wanted; ++looked_at) {
      const NodeId neighbour = entries[looked_at].neighbour;
      if (known_.emplace(neighbour, kCandidate).second) candidates.push_back(neighbour);
    }
    if (!candidates.empty()) {
      RETURN_IF_ERROR(Admit(std::move(candidates), nodes_[position].distance + 1));
      continue;
    }
    if (!nodes_[position].next.has_value()) break;
    RETURN_IF_ERROR(ScanMore({position}));
  }
  return absl::OkStatus();
}

// Reads candidates and takes those that may be seen, in order, as far as there is room.
absl::Status Walk::Admit(std::vector<NodeId> candidates, int distance) {
  RETURN_IF_ERROR(CheckAlive());
  getting_ = std::move(candidates);
  got_.assign(getting_.size(), std::nullopt);
  RETURN_IF_ERROR(view_->Get(getting_, *this));
  RETURN_IF_ERROR(sink_status_);
  for (size_t i = 0; i < getting_.size(); ++i) {
    if (!got_[i].has_value()) {
      known_[getting_[i]] = kRejected;
      continue;
    }
    if (!getting_root_ && found() == limit()) {
      stopped_ = true;
      break;
    }
    known_[getting_[i]] = static_cast<int>(nodes_.size());
    Node& node = nodes_.emplace_back();
    node.node = getting_[i];
    node.distance = distance;
    answer_.nodes.push_back({*std::move(got_[i]), distance});
  }
  return absl::OkStatus();
}

void Walk::OnEntity(size_t index, const EntityRecord& record) {
  if (!sink_status_.ok() || !visible_->Contains(record.visibility)) return;
  if (!getting_root_ && !params_.types.empty()) {
    const absl::StatusOr<EntityHead> head = ReadEntityHead(record.wire);
    if (!head.ok()) {
      sink_status_ = head.status();
      return;
    }
    if (!params_.types.contains(head->type)) return;
  }
  const absl::StatusOr<const GroupSet*> groups = view_->ClassGroups(record.visibility);
  if (!groups.ok()) {
    sink_status_ = groups.status();
    return;
  }
  std::vector<absl::string_view> shared;
  for (const std::string& group : **groups) {
    if (std::binary_search(params_.groups.begin(), params_.groups.end(), group)) {
      shared.push_back(group);
    }
  }
  std::string wire(record.wire.substr(0, record.visible_by_offset));
  AppendVisibleBy(shared, wire);
  const absl::string_view rest = record.wire.substr(record.visible_by_offset);
  wire.append(rest.data(), rest.size());
  got_[index] = std::move(wire);
}

// Reads the next chunk of each list.
absl::Status Walk::ScanMore(std::vector<size_t> positions) {
  RETURN_IF_ERROR(CheckAlive());
  std::vector<ScanRequest> requests;
  for (const size_t position : positions) {
    Node& node = nodes_[position];
    requests.push_back({node.node, kChunkEntries, node.next.has_value() ? &*node.next : nullptr});
  }
  scanning_ = std::move(positions);
  return view_->Scan(requests, *visible_, *this);
}

void Walk::OnChunk(size_t request, absl::Span<const AdjacentRelation> relations,
                   std::optional<ScanCursor> next) {
  Node& node = nodes_[scanning_[request]];
  node.entries.insert(node.entries.end(), relations.begin(), relations.end());
  node.next = std::move(next);
  node.scanned = true;
}

// A list that was read whole holds all relations of its entity. Where it was not (a hub), the
// relations with each other returned entity come from that entity's list, or, between two hubs, are
// looked up pair by pair, unless the list says that the relation already seen is the only one.
absl::Status Walk::FindRelations() {
  const auto unread = [&](auto&& wanted) {
    std::vector<size_t> positions;
    for (size_t position = 0; position < nodes_.size(); ++position) {
      if (!nodes_[position].scanned && wanted(position)) positions.push_back(position);
    }
    return positions;
  };
  std::vector<size_t> near =
      unread([&](size_t position) { return nodes_[position].distance < params_.levels; });
  if (!near.empty()) RETURN_IF_ERROR(ScanMore(std::move(near)));

  // Entities on the last level are read only for their relations with hubs.
  absl::flat_hash_set<NodeId> settled;
  size_t hubs = 0;
  for (const Node& hub : nodes_) {
    if (!IsHeavy(hub)) continue;
    absl::flat_hash_set<NodeId> of_this;
    for (const AdjacentRelation& entry : hub.entries) {
      if (entry.sole) of_this.insert(entry.neighbour);
    }
    if (hubs++ == 0) {
      settled = std::move(of_this);
    } else {
      absl::erase_if(settled, [&](NodeId node) { return !of_this.contains(node); });
    }
  }
  if (hubs != 0) {
    std::vector<size_t> far =
        unread([&](size_t position) { return !settled.contains(nodes_[position].node); });
    if (!far.empty()) RETURN_IF_ERROR(ScanMore(std::move(far)));
  }

  for (size_t position = 0; position < nodes_.size(); ++position) {
    for (const AdjacentRelation& entry : nodes_[position].entries) {
      const auto neighbour = known_.find(entry.neighbour);
      if (neighbour == known_.end() || neighbour->second < 0) continue;
      AddRelation(position, static_cast<size_t>(neighbour->second), entry.direction, entry.type,
                  entry.mode, entry.last_seen);
    }
  }
  return LookUpHeavyPairs();
}

absl::Status Walk::LookUpHeavyPairs() {
  std::vector<NodePair> pairs;
  for (size_t position = 0; position < nodes_.size(); ++position) {
    const Node& hub = nodes_[position];
    if (!IsHeavy(hub)) continue;
    absl::flat_hash_set<NodeId> settled;
    for (const AdjacentRelation& entry : hub.entries) {
      if (entry.sole) settled.insert(entry.neighbour);
    }
    for (size_t other = 0; other < nodes_.size(); ++other) {
      const Node& neighbour = nodes_[other];
      const bool read_whole = neighbour.scanned && !IsHeavy(neighbour);
      // Two hubs: the pair is looked up once, for the first of them; what neither is near enough
      // for is not asked.
      const bool done_before = other < position && IsHeavy(neighbour);
      const bool too_far = std::min(hub.distance, neighbour.distance) >= params_.levels;
      if (other == position || read_whole || done_before || too_far ||
          settled.contains(neighbour.node)) {
        continue;
      }
      pairs.push_back({hub.node, neighbour.node});
      pairing_.emplace_back(position, other);
      pairs.push_back({neighbour.node, hub.node});
      pairing_.emplace_back(other, position);
    }
  }
  if (pairs.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckAlive());
  return view_->GetPairs(pairs, *this);
}

void Walk::OnPair(size_t index, absl::Span<const PairRelation> relations) {
  const auto [source, target] = pairing_[index];
  for (const PairRelation& relation : relations) {
    if (!visible_->Contains(relation.visibility)) continue;
    AddRelation(source, target, Direction::kOutgoing, relation.type, relation.mode,
                relation.last_seen);
  }
}

void Walk::AddRelation(size_t from, size_t to, Direction direction, LabelId type, RelationMode mode,
                       absl::Time last_seen) {
  if (direction == Direction::kIncoming) std::swap(from, to);
  if (std::min(nodes_[from].distance, nodes_[to].distance) >= params_.levels) return;
  relations_.push_back({from, to, type, mode, last_seen});
}

absl::StatusOr<absl::string_view> Walk::LabelText(LabelId label) {
  // An answer has few types of relations.
  for (const auto& [known, text] : labels_) {
    if (known == label) return absl::string_view(text);
  }
  ASSIGN_OR_RETURN(std::string text, view_->LabelText(label));
  return absl::string_view(labels_.emplace_back(label, std::move(text)).second);
}

absl::StatusOr<std::vector<ExpandedRelation>> Walk::OrderedRelations() {
  const auto ends = [](const Found& found) {
    return std::make_tuple(std::min(found.source, found.target), found.source, found.target);
  };
  const auto kind = [](const Found& found) { return std::make_tuple(found.type, found.mode); };
  std::sort(relations_.begin(), relations_.end(), [&](const Found& a, const Found& b) {
    return std::make_pair(ends(a), kind(a)) < std::make_pair(ends(b), kind(b));
  });
  const auto last = std::unique(
      relations_.begin(), relations_.end(),
      [&](const Found& a, const Found& b) { return ends(a) == ends(b) && kind(a) == kind(b); });
  relations_.erase(last, relations_.end());

  std::vector<ExpandedRelation> ordered;
  ordered.reserve(relations_.size());
  for (const Found& found : relations_) {
    ASSIGN_OR_RETURN(const absl::string_view text, LabelText(found.type));
    ordered.push_back({found.source, found.target, std::string(text), found.mode, found.last_seen});
  }
  // Among the relations of one pair types are ordered by text, not by number.
  for (auto begin = ordered.begin(); begin != ordered.end();) {
    const auto end = std::find_if(begin, ordered.end(), [&](const ExpandedRelation& relation) {
      return relation.source != begin->source || relation.target != begin->target;
    });
    std::sort(begin, end, [](const ExpandedRelation& a, const ExpandedRelation& b) {
      return std::tie(a.type, a.mode) < std::tie(b.type, b.mode);
    });
    begin = end;
  }
  return ordered;
}

}  // namespace

absl::StatusOr<ExpandedGraph> Expand(GraphStore& store, const ExpandParams& params) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphView> view, store.View());
  ASSIGN_OR_RETURN(const std::shared_ptr<const VisibleClasses> visible,
                   store.ClassesVisibleTo(params.groups));
  return Walk(view.get(), visible.get(), params).Run();
}

}  // namespace relations
