// Which entities an answer holds, and where. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "storage/base/limits.h"
#include "storage/graph_types.h"

namespace relations {

// Positions in an answer by node. Asked for every entry of every list that is read, nearly always
// in vain: one look at a table that fits the processor's nearest cache and is mostly empty.
class PositionTable {
 public:
  static constexpr size_t kNodesMax = limits::kRelatedEntitiesMax + 1;
  static constexpr int kNone = -1;

  // REQUIRES: `node` is not 0 and not in the table yet, and no more than kNodesMax are.
  void Add(NodeId node, size_t position) {
    size_t slot = SlotOf(node);
    while (nodes_[slot] != NodeId{0}) slot = (slot + 1) % kSlots;
    nodes_[slot] = node;
    positions_[slot] = static_cast<uint8_t>(position);
  }
  // kNone when the node is not in the answer. REQUIRES: `node` is not 0.
  int Find(NodeId node) const {
    for (size_t slot = SlotOf(node); nodes_[slot] != NodeId{0}; slot = (slot + 1) % kSlots) {
      if (nodes_[slot] == node) return positions_[slot];
    }
    return kNone;
  }

 private:
  static constexpr size_t kSlotBits = 10;
  static constexpr size_t kSlots = 1 << kSlotBits;
  static_assert(kNodesMax * 4 < kSlots && kNodesMax <= UINT8_MAX);

  // Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
  static size_t SlotOf(NodeId node) {
    return static_cast<uint64_t>(node) * 0x9E3779B97F4A7C15 >> (64 - kSlotBits);
  }

  std::array<NodeId, kSlots> nodes_{};
  std::array<uint8_t, kSlots> positions_{};
};

}  // namespace relations
