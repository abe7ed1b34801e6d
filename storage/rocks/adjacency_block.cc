#include "storage/rocks/adjacency_block.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/instant.h"
#include "storage/rocks/key_format.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr uint8_t kWidthMask = 0x0F;
constexpr uint8_t kMoreMayFollow = 0x10;

constexpr uint8_t kDirection = 0x01;
constexpr uint8_t kMode = 0x02;
constexpr uint8_t kSameInstant = 0x04;
constexpr uint8_t kNanoseconds = 0x08;
constexpr uint8_t kSole = 0x10;
constexpr int kLabelShift = 5;
constexpr uint32_t kLabelFollows = 7;

int WidthOf(absl::Span<const AdjacentRelation> entries) {
  uint64_t largest = 0;
  for (const AdjacentRelation& entry : entries) {
    largest = std::max(largest, static_cast<uint64_t>(entry.neighbour));
  }
  int width = 1;
  while (width < 8 && largest >> (8 * width) != 0) ++width;
  return width;
}

absl::Status Damaged(absl::string_view value) {
  return absl::DataLossError(
      absl::StrCat("not a valid adjacency block: ", absl::BytesToHexString(value.substr(0, 64))));
}

struct BlockHead {
  size_t width = 0;
  size_t count = 0;
  bool more_may_follow = false;
};

// Consumes the head; false when it is none, or when what follows is too short for it.
bool GetHead(absl::string_view* input, BlockHead* head) {
  if (input->empty()) return false;
  const auto header = static_cast<uint8_t>(input->front());
  input->remove_prefix(1);
  uint64_t count = 0;
  if ((header & ~(kWidthMask | kMoreMayFollow)) != 0 || !GetVarint(input, &count)) return false;
  head->width = header & kWidthMask;
  head->count = count;
  head->more_may_follow = (header & kMoreMayFollow) != 0;
  return head->width >= 1 && head->width <= 8 && count <= kBlockEntriesMax &&
         input->size() >= count * (1 + head->width);
}

}  // namespace

std::string EncodeAdjacencyBlock(absl::Span<const AdjacentRelation> entries, bool more_may_follow) {
  const int width = WidthOf(entries);
  std::string value;
  value.reserve(3 + entries.size() * (width + 6));
  value += static_cast<char>(width | (more_may_follow ? kMoreMayFollow : 0));
  PutVarint(entries.size(), value);
  std::string labels;
  std::string times;
  Instant previous;
  bool first = true;
  for (const AdjacentRelation& entry : entries) {
    const Instant instant = InstantOf(entry.last_seen);
    const bool same = !first && instant.seconds == previous.seconds &&
                      instant.nanoseconds == previous.nanoseconds;
    const auto label = static_cast<uint32_t>(entry.type);
    const uint32_t short_label = std::min(label, kLabelFollows);
    uint8_t flags = static_cast<uint8_t>(short_label << kLabelShift);
    if (entry.direction == Direction::kIncoming) flags |= kDirection;
    if (entry.mode == RelationMode::kAggregation) flags |= kMode;
    if (same) flags |= kSameInstant;
    if (!same && instant.nanoseconds != 0) flags |= kNanoseconds;
    if (entry.sole) flags |= kSole;
    value += static_cast<char>(flags);
    if (short_label == kLabelFollows) PutVarint(label, labels);
    if (!same) {
      PutVarint(first ? instant.seconds : previous.seconds - instant.seconds, times);
      if (instant.nanoseconds != 0) PutU32(instant.nanoseconds, times);
    }
    previous = instant;
    first = false;
  }
  value += labels;
  value += times;
  for (const AdjacentRelation& entry : entries) {
    for (int i = 0; i < width; ++i) {
      value += static_cast<char>(static_cast<uint64_t>(entry.neighbour) >> (8 * i));
    }
  }
  return value;
}

absl::StatusOr<size_t> AdjacencyBlockEntries(absl::string_view value) {
  absl::string_view rest = value;
  BlockHead head;
  if (!GetHead(&rest, &head)) return Damaged(value);
  return head.count;
}

absl::Status DecodeAdjacencyBlock(absl::string_view value, AdjacencyBlock* block) {
  absl::string_view rest = value;
  BlockHead head;
  if (!GetHead(&rest, &head)) return Damaged(value);
  const size_t width = head.width;
  const size_t count = head.count;
  block->more_may_follow = head.more_may_follow;
  block->entries.clear();
  block->entries.resize(count);
  const absl::string_view all_flags = rest.substr(0, count);
  const absl::string_view neighbours = rest.substr(rest.size() - count * width);
  rest = rest.substr(count, rest.size() - count * (1 + width));
  for (size_t i = 0; i < count; ++i) {
    const auto flags = static_cast<uint8_t>(all_flags[i]);
    uint64_t label = flags >> kLabelShift;
    if (label == kLabelFollows && (!GetVarint(&rest, &label) || label > UINT32_MAX)) {
      return Damaged(value);
    }
    AdjacentRelation& entry = block->entries[i];
    entry.type = LabelId{static_cast<uint32_t>(label)};
    entry.direction = (flags & kDirection) != 0 ? Direction::kIncoming : Direction::kOutgoing;
    entry.mode = (flags & kMode) != 0 ? RelationMode::kAggregation : RelationMode::kAssociation;
    entry.sole = (flags & kSole) != 0;
    uint64_t neighbour = 0;
    for (size_t byte = 0; byte < width; ++byte) {
      neighbour |= static_cast<uint64_t>(static_cast<uint8_t>(neighbours[i * width + byte]))
                   << (8 * byte);
    }
    if (neighbour == 0) return Damaged(value);
    entry.neighbour = NodeId{neighbour};
  }
  uint64_t seconds = 0;
  absl::Time time;
  for (size_t i = 0; i < count; ++i) {
    const auto flags = static_cast<uint8_t>(all_flags[i]);
    if ((flags & kSameInstant) != 0) {
      if (i == 0 || (flags & kNanoseconds) != 0) return Damaged(value);
    } else {
      uint64_t delta = 0;
      uint32_t nanoseconds = 0;
      if (!GetVarint(&rest, &delta) || delta > uint64_t{1} << 40 ||
          ((flags & kNanoseconds) != 0 && !GetU32(&rest, &nanoseconds)) ||
          nanoseconds >= 1'000'000'000) {
        return Damaged(value);
      }
      seconds = i == 0 ? delta : seconds - delta;
      time = TimeOf({seconds, nanoseconds});
      if (!IsTimestamp(time) || (i > 0 && time > block->entries[i - 1].last_seen)) {
        return Damaged(value);
      }
    }
    block->entries[i].last_seen = time;
  }
  return rest.empty() ? absl::OkStatus() : Damaged(value);
}

}  // namespace relations
