#include "storage/relation_chunk.h"

#include <utility>
#include <vector>

#include "storage/instant.h"

namespace relations {
RelationDetails::RelationDetails(const AdjacentRelation& relation) : type_(relation.type) {
  const Instant instant = InstantOf(relation.last_seen);
  seconds_low_ = static_cast<uint32_t>(instant.seconds);
  seconds_high_ = static_cast<uint8_t>(instant.seconds >> 32);
  nanoseconds_ = instant.nanoseconds;
  if (relation.direction == Direction::kIncoming) flags_ |= kIncoming;
  if (relation.mode == RelationMode::kAggregation) flags_ |= kAggregation;
  if (relation.sole) flags_ |= kSole;
}

absl::Time RelationDetails::last_seen() const {
  return TimeOf({static_cast<uint64_t>(seconds_high_) << 32 | seconds_low_, nanoseconds_});
}

RelationChunk RelationChunk::Of(absl::Span<const AdjacentRelation> relations) {
  struct Columns {
    std::vector<NodeId> neighbours;
    std::vector<RelationDetails> details;
  };
  auto columns = std::make_shared<Columns>();
  columns->neighbours.reserve(relations.size());
  columns->details.reserve(relations.size());
  for (const AdjacentRelation& relation : relations) {
    columns->neighbours.push_back(relation.neighbour);
    columns->details.emplace_back(relation);
  }
  const absl::Span<const NodeId> neighbours = columns->neighbours;
  const absl::Span<const RelationDetails> details = columns->details;
  return {neighbours, details, {}, std::move(columns)};
}

AdjacentRelation RelationChunk::operator[](size_t i) const {
  const RelationDetails& details = details_[i];
  return {details.last_seen(), neighbours_[i], details.type(),
          details.direction(), details.mode(), details.sole()};
}

}  // namespace relations
