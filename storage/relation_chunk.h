// A chunk of an adjacency list as a walk reads it: column by column. A walk looks at every
// neighbour, and at what else is known of a relation only for those it returns, so the neighbours
// lie by themselves. The bytes are shared, not copied, and live as long as a chunk holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/graph_types.h"

namespace relations {

// One entry of a node's adjacency list.
struct AdjacentRelation {
  absl::Time last_seen;
  NodeId neighbour{};
  LabelId type{};
  Direction direction = Direction::kOutgoing;
  RelationMode mode = RelationMode::kAssociation;
  // A hint: when true, this is the only relation that joins the two nodes, in either direction. An
  // engine that does not know says false.
  bool sole = false;
};

// An entry without its neighbour, in 16 bytes.
class RelationDetails {
 public:
  RelationDetails() = default;
  // REQUIRES: IsTimestamp(relation.last_seen).
  explicit RelationDetails(const AdjacentRelation& relation);

  absl::Time last_seen() const;
  LabelId type() const { return type_; }
  Direction direction() const {
    return (flags_ & kIncoming) != 0 ? Direction::kIncoming : Direction::kOutgoing;
  }
  RelationMode mode() const {
    return (flags_ & kAggregation) != 0 ? RelationMode::kAggregation : RelationMode::kAssociation;
  }
  bool sole() const { return (flags_ & kSole) != 0; }

 private:
  static constexpr uint8_t kIncoming = 1;
  static constexpr uint8_t kAggregation = 2;
  static constexpr uint8_t kSole = 4;

  // Since 0001-01-01T00:00:00Z: 40 bits of seconds, and nanoseconds.
  uint32_t seconds_low_ = 0;
  uint32_t nanoseconds_ = 0;
  LabelId type_{};
  uint8_t seconds_high_ = 0;
  uint8_t flags_ = 0;
};

// Entries that the caller may not see can stand between the others: `visible` must be asked before
// anything of an entry is used. Copies are cheap and share the entries. Thread-safe as a value is.
class RelationChunk {
 public:
  // Lists of different visibility in one chunk, at most.
  static constexpr size_t kListsMax = 64;

  // Which entries are visible: each belongs to a list, whose bit tells. All are when
  // `list_of_entry` is empty.
  struct Visibility {
    absl::Span<const uint8_t> list_of_entry;
    uint64_t visible_lists = 0;
  };

  RelationChunk() = default;
  // The spans are equally long and live as long as `owner`.
  RelationChunk(absl::Span<const NodeId> neighbours, absl::Span<const RelationDetails> details,
                const Visibility& visibility, std::shared_ptr<const void> owner)
      : neighbours_(neighbours),
        details_(details),
        visibility_(visibility),
        owner_(std::move(owner)) {}
  // A chunk with entries of its own.
  static RelationChunk Of(absl::Span<const AdjacentRelation> relations);

  // Hidden entries included.
  size_t size() const { return neighbours_.size(); }
  bool visible(size_t i) const {
    return visibility_.list_of_entry.empty() ||
           (visibility_.visible_lists >> visibility_.list_of_entry[i] & 1) != 0;
  }
  absl::Span<const NodeId> neighbours() const { return neighbours_; }
  absl::Span<const RelationDetails> details() const { return details_; }
  AdjacentRelation operator[](size_t i) const;

 private:
  absl::Span<const NodeId> neighbours_;
  absl::Span<const RelationDetails> details_;
  Visibility visibility_;
  std::shared_ptr<const void> owner_;
};

}  // namespace relations
