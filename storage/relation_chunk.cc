#include "storage/relation_chunk.h"

#include <utility>
#include <vector>

namespace relations {
namespace {

// Seconds between 0001-01-01T00:00:00Z and the Unix epoch.
constexpr int64_t kUnixEpochSeconds = 62'135'596'800;

}  // namespace

RelationDetails::RelationDetails(const AdjacentRelation& relation) : type_(relation.type) {
  const int64_t unix_seconds = absl::ToUnixSeconds(relation.last_seen);
  const auto seconds = static_cast<uint64_t>(unix_seconds + kUnixEpochSeconds);
  seconds_low_ = static_cast<uint32_t>(seconds);
  seconds_high_ = static_cast<uint8_t>(seconds >> 32);
  nanoseconds_ = static_cast<uint32_t>(
      absl::ToInt64Nanoseconds(relation.last_seen - absl::FromUnixSeconds(unix_seconds)));
  if (relation.direction == Direction::kIncoming) flags_ |= kIncoming;
  if (relation.mode == RelationMode::kAggregation) flags_ |= kAggregation;
  if (relation.sole) flags_ |= kSole;
}

absl::Time RelationDetails::last_seen() const {
  const int64_t seconds = static_cast<int64_t>(seconds_high_) << 32 | seconds_low_;
  return absl::FromUnixSeconds(seconds - kUnixEpochSeconds) + absl::Nanoseconds(nanoseconds_);
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
