#include "storage/traversal.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/position_table.h"

namespace relations {
namespace {

// Entries that are asked for of each list first, and again where that was not enough. The first
// chunk costs an engine the head of the list, whatever is asked for, and what is read whole spares
// look-ups later; the next ones are read for a few neighbours only.
constexpr size_t kFirstChunkEntries = 1024;
constexpr size_t kNextChunkEntries = 128;
constexpr size_t kNodesMax = PositionTable::kNodesMax;

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
    // Its entries were looked at for relations of the answer.
    bool matched = false;
    absl::InlinedVector<RelationChunk, 1> chunks;
    // Where the list goes on; empty when all of it is in `chunks`.
    std::optional<ScanCursor> next;
    // Positions of entities that all relations with this one were found of.
    std::bitset<kNodesMax> settled;
  };
  // A relation found; from both its ends it can be found twice.
  struct Found {
    // From most to least: position of the nearer end, of the source, of the target (8 bits each),
    // type (32), mode.
    uint64_t order = 0;
    absl::Time last_seen;

    size_t source() const { return order >> 48 & 0xFF; }
    size_t target() const { return order >> 40 & 0xFF; }
    LabelId type() const { return LabelId{static_cast<uint32_t>(order >> 8)}; }
    RelationMode mode() const { return static_cast<RelationMode>(order & 0xFF); }
  };

  size_t limit() const { return static_cast<size_t>(params_.limit); }
  size_t found() const { return nodes_.size() - 1; }
  static bool IsHeavy(const Node& node) { return node.next.has_value(); }
  // Relations between these two belong to the answer.
  bool IsNear(const Node& a, const Node& b) const {
    return std::min(a.distance, b.distance) < params_.levels;
  }

  absl::Status CheckAlive() const {
    return params_.check_alive ? params_.check_alive() : absl::OkStatus();
  }

  absl::Status AdmitRoot();
  absl::Status WalkLevels();
  absl::Status ExpandLevel(size_t begin, size_t end);
  absl::Status Admit(absl::Span<const NodeId> candidates, int distance);
  absl::StatusOr<absl::string_view> VisibleBy(ClassId visibility);
  absl::Status ScanMore(std::vector<size_t> positions);
  absl::Status FindRelations();
  void Match(size_t position);
  absl::Status LookUpHeavyPairs();
  void AddRelation(size_t source, size_t target, LabelId type, RelationMode mode,
                   absl::Time last_seen);
  absl::StatusOr<std::vector<ExpandedRelation>> OrderedRelations();
  absl::StatusOr<absl::string_view> LabelText(LabelId label);

  void OnChunk(size_t request, RelationChunk relations, std::optional<ScanCursor> next) override;
  void OnEntity(size_t index, EntityRecord record) override;
  void OnPair(size_t index, Direction direction, absl::Span<const PairRelation> relations) override;

  GraphView* const view_;
  const VisibleClasses* const visible_;
  const ExpandParams& params_;

  ExpandedGraph answer_;
  std::vector<Node> nodes_;
  PositionTable positions_;
  // All nodes that were candidates.
  absl::flat_hash_set<NodeId> seen_;
  std::vector<Found> relations_;
  // Few of each come in an answer.
  absl::InlinedVector<std::pair<LabelId, absl::string_view>, 16> labels_;
  absl::InlinedVector<std::pair<ClassId, absl::string_view>, 16> visible_by_;
  bool stopped_ = false;

  // What the sinks work on.
  std::vector<size_t> scanning_;
  absl::Span<const NodeId> getting_;
  int getting_distance_ = 0;
  absl::InlinedVector<std::pair<size_t, size_t>, kNodesMax> pairing_;
  absl::Status sink_status_;
};

absl::StatusOr<ExpandedGraph> Walk::Run() {
  nodes_.reserve(limit() + 1);
  answer_.nodes.reserve(limit() + 1);
  relations_.reserve(4 * limit());
  seen_.reserve(2 * limit());
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
  const NodeId node = root.value_or(NodeId{0});
  seen_.insert(node);
  RETURN_IF_ERROR(Admit({&node, 1}, 0));
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
    level.reserve(level_end - level_begin);
    for (size_t position = level_begin; position < level_end; ++position) level.push_back(position);
    RETURN_IF_ERROR(ScanMore(std::move(level)));
    RETURN_IF_ERROR(ExpandLevel(level_begin, level_end));
    level_begin = level_end;
  }
  return absl::OkStatus();
}

// Admits the neighbours of the entities of one level in order, as many as there is room for at
// once. Reads on in a list as long as more is wanted: it must be used up before the next entity's
// turn.
absl::Status Walk::ExpandLevel(size_t begin, size_t end) {
  const int distance = nodes_[begin].distance + 1;
  size_t position = begin;
  size_t chunk = 0;
  size_t entry = 0;
  std::vector<NodeId> candidates;
  candidates.reserve(limit() - found() + 1);
  while (!stopped_) {
    // One more than there is room for: it tells whether the limit cuts anything off.
    const size_t wanted = limit() - found() + 1;
    candidates.clear();
    while (position < end && candidates.size() < wanted) {
      const Node& node = nodes_[position];
      if (chunk < node.chunks.size()) {
        const RelationChunk& relations = node.chunks[chunk];
        const absl::Span<const NodeId> neighbours = relations.neighbours();
        for (; entry < neighbours.size() && candidates.size() < wanted; ++entry) {
          if (!relations.visible(entry)) continue;
          if (seen_.insert(neighbours[entry]).second) candidates.push_back(neighbours[entry]);
        }
        if (entry < neighbours.size()) break;
        ++chunk;
        entry = 0;
      } else if (!IsHeavy(node)) {
        ++position;
        chunk = 0;
      } else if (candidates.empty()) {
        RETURN_IF_ERROR(ScanMore({position}));
      } else {
        // These may fill the answer: then the rest of the list is not needed.
        break;
      }
    }
    if (candidates.empty()) break;
    RETURN_IF_ERROR(Admit(candidates, distance));
  }
  return absl::OkStatus();
}

// Reads candidates and takes those that may be seen, in order, as far as there is room.
absl::Status Walk::Admit(absl::Span<const NodeId> candidates, int distance) {
  RETURN_IF_ERROR(CheckAlive());
  getting_ = candidates;
  getting_distance_ = distance;
  RETURN_IF_ERROR(view_->Get(candidates, *this));
  return sink_status_;
}

void Walk::OnEntity(size_t index, EntityRecord record) {
  if (stopped_ || !sink_status_.ok() || !visible_->Contains(record.visibility)) return;
  const bool is_root = getting_distance_ == 0;
  if (!is_root && !params_.types.empty()) {
    const absl::StatusOr<EntityHead> head = ReadEntityHead(record.wire);
    if (!head.ok()) {
      sink_status_ = head.status();
      return;
    }
    if (!params_.types.contains(head->type)) return;
  }
  if (!is_root && found() == limit()) {
    stopped_ = true;
    return;
  }
  const absl::StatusOr<absl::string_view> visible_by = VisibleBy(record.visibility);
  if (!visible_by.ok()) {
    sink_status_ = visible_by.status();
    return;
  }
  positions_.Add(getting_[index], nodes_.size());
  Node& node = nodes_.emplace_back();
  node.node = getting_[index];
  node.distance = getting_distance_;
  answer_.nodes.push_back({record.wire.substr(0, record.visible_by_offset), *visible_by,
                           record.wire.substr(record.visible_by_offset), getting_distance_,
                           std::move(record.owner)});
}

// The `visible_by` fields of an entity of this class: the groups that the caller holds.
absl::StatusOr<absl::string_view> Walk::VisibleBy(ClassId visibility) {
  for (const auto& [known, fields] : visible_by_) {
    if (known == visibility) return fields;
  }
  ASSIGN_OR_RETURN(const GroupSet* const groups, view_->ClassGroups(visibility));
  absl::InlinedVector<absl::string_view, 8> shared;
  for (const std::string& group : *groups) {
    if (std::binary_search(params_.groups.begin(), params_.groups.end(), group)) {
      shared.push_back(group);
    }
  }
  std::string& fields = answer_.visible_by_fields.emplace_back();
  AppendVisibleBy(shared, fields);
  return visible_by_.emplace_back(visibility, fields).second;
}

// Reads the next chunk of each list.
absl::Status Walk::ScanMore(std::vector<size_t> positions) {
  RETURN_IF_ERROR(CheckAlive());
  std::vector<ScanRequest> requests;
  requests.reserve(positions.size());
  for (const size_t position : positions) {
    Node& node = nodes_[position];
    if (node.next.has_value()) {
      requests.push_back({node.node, kNextChunkEntries, &*node.next});
    } else {
      requests.push_back({node.node, kFirstChunkEntries, nullptr});
    }
  }
  scanning_ = std::move(positions);
  return view_->Scan(requests, *visible_, *this);
}

void Walk::OnChunk(size_t request, RelationChunk relations, std::optional<ScanCursor> next) {
  Node& node = nodes_[scanning_[request]];
  node.chunks.push_back(std::move(relations));
  node.next = std::move(next);
  node.scanned = true;
}

// A list that was read whole holds all relations of its entity. Where it was not (a hub), the
// relations with each other returned entity come from that entity's list, or, between two hubs, are
// looked up pair by pair, unless a list says that the relation already seen is the only one.
absl::Status Walk::FindRelations() {
  std::vector<size_t> unread;
  absl::InlinedVector<size_t, kNodesMax> hubs;
  unread.reserve(nodes_.size());
  for (size_t position = 0; position < nodes_.size(); ++position) {
    const Node& node = nodes_[position];
    if (!node.scanned && node.distance < params_.levels) unread.push_back(position);
  }
  if (!unread.empty()) RETURN_IF_ERROR(ScanMore(std::move(unread)));
  for (size_t position = 0; position < nodes_.size(); ++position) {
    if (nodes_[position].scanned) Match(position);
    if (IsHeavy(nodes_[position])) hubs.push_back(position);
  }
  // Entities on the last level are read only for their relations with hubs.
  std::vector<size_t> far;
  far.reserve(nodes_.size());
  for (size_t position = 0; position < nodes_.size(); ++position) {
    if (nodes_[position].scanned) continue;
    const bool is_settled = std::all_of(
        hubs.begin(), hubs.end(), [&](size_t hub) { return nodes_[hub].settled.test(position); });
    if (!is_settled) far.push_back(position);
  }
  if (!far.empty()) RETURN_IF_ERROR(ScanMore(far));
  for (const size_t position : far) Match(position);
  return LookUpHeavyPairs();
}

// Takes the relations of an entity with others of the answer out of what was read of its list.
void Walk::Match(size_t position) {
  Node& node = nodes_[position];
  for (const RelationChunk& chunk : node.chunks) {
    const absl::Span<const NodeId> neighbours = chunk.neighbours();
    for (size_t i = 0; i < neighbours.size(); ++i) {
      const int found = positions_.Find(neighbours[i]);
      if (found == PositionTable::kNone || !chunk.visible(i)) continue;
      const auto other = static_cast<size_t>(found);
      const RelationDetails& details = chunk.details()[i];
      if (details.sole()) {
        node.settled.set(other);
        nodes_[other].settled.set(position);
      }
      // Its own list, if it was read whole, has told the relation already.
      if (nodes_[other].matched && !IsHeavy(nodes_[other])) continue;
      const bool outgoing = details.direction() == Direction::kOutgoing;
      AddRelation(outgoing ? position : other, outgoing ? other : position, details.type(),
                  details.mode(), details.last_seen());
    }
  }
  node.matched = true;
}

absl::Status Walk::LookUpHeavyPairs() {
  absl::InlinedVector<NodePair, kNodesMax> pairs;
  for (size_t position = 0; position < nodes_.size(); ++position) {
    const Node& hub = nodes_[position];
    if (!IsHeavy(hub)) continue;
    for (size_t other = 0; other < nodes_.size(); ++other) {
      const Node& neighbour = nodes_[other];
      const bool read_whole = neighbour.scanned && !IsHeavy(neighbour);
      // Two hubs: the pair is looked up once, for the first of them; what neither is near enough
      // for is not asked.
      const bool done_before = other < position && IsHeavy(neighbour);
      if (other == position || read_whole || done_before || !IsNear(hub, neighbour) ||
          hub.settled.test(other)) {
        continue;
      }
      pairs.push_back({hub.node, neighbour.node});
      pairing_.emplace_back(position, other);
    }
  }
  if (pairs.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckAlive());
  return view_->GetPairs(pairs, *this);
}

void Walk::OnPair(size_t index, Direction direction, absl::Span<const PairRelation> relations) {
  auto [source, target] = pairing_[index];
  if (direction == Direction::kIncoming) std::swap(source, target);
  for (const PairRelation& relation : relations) {
    if (!visible_->Contains(relation.visibility)) continue;
    AddRelation(source, target, relation.type, relation.mode, relation.last_seen);
  }
}

void Walk::AddRelation(size_t source, size_t target, LabelId type, RelationMode mode,
                       absl::Time last_seen) {
  if (!IsNear(nodes_[source], nodes_[target])) return;
  const uint64_t order = static_cast<uint64_t>(std::min(source, target)) << 56 |
                         static_cast<uint64_t>(source) << 48 | static_cast<uint64_t>(target) << 40 |
                         static_cast<uint64_t>(type) << 8 | static_cast<uint64_t>(mode);
  relations_.push_back({order, last_seen});
}

absl::StatusOr<absl::string_view> Walk::LabelText(LabelId label) {
  for (const auto& [known, text] : labels_) {
    if (known == label) return text;
  }
  ASSIGN_OR_RETURN(const absl::string_view text, view_->LabelText(label));
  return labels_.emplace_back(label, text).second;
}

absl::StatusOr<std::vector<ExpandedRelation>> Walk::OrderedRelations() {
  std::sort(relations_.begin(), relations_.end(),
            [](const Found& a, const Found& b) { return a.order < b.order; });
  relations_.erase(std::unique(relations_.begin(), relations_.end(),
                               [](const Found& a, const Found& b) { return a.order == b.order; }),
                   relations_.end());

  std::vector<ExpandedRelation> ordered;
  ordered.reserve(relations_.size());
  for (const Found& found : relations_) {
    ASSIGN_OR_RETURN(const absl::string_view text, LabelText(found.type()));
    ordered.push_back({found.source(), found.target(), text, found.mode(), found.last_seen});
  }
  // Among the relations of one pair types are ordered by text, not by number.
  for (auto begin = ordered.begin(); begin != ordered.end();) {
    const auto end = std::find_if(begin, ordered.end(), [&](const ExpandedRelation& relation) {
      return relation.source != begin->source || relation.target != begin->target;
    });
    if (end - begin > 1) {
      std::sort(begin, end, [](const ExpandedRelation& a, const ExpandedRelation& b) {
        return std::tie(a.type, a.mode) < std::tie(b.type, b.mode);
      });
    }
    begin = end;
  }
  return ordered;
}

}  // namespace

std::string ExpandedEntity::Wire() const { return absl::StrCat(head, visible_by, tail); }

absl::StatusOr<ExpandedGraph> Expand(GraphStore& store, const ExpandParams& params) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphView> view, store.View());
  ASSIGN_OR_RETURN(const std::shared_ptr<const VisibleClasses> visible,
                   store.ClassesVisibleTo(params.groups));
  return Walk(view.get(), visible.get(), params).Run();
}

}  // namespace relations
