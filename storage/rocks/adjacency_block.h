// A block of an adjacency list: its entries, packed column by column, as what is alike lies
// together then and compresses well. The value of the family `adjacency`.
//
//   block   u8 header | varint count | count x flags | labels | times | count x neighbour
//             header     bits 0-3  width: bytes of a neighbour (1 to 8)
//                        bit  4    another block of the same list may follow
//                        other bits 0
//   flags   u8           bit  0    direction (Direction)
//                        bit  1    mode (RelationMode)
//                        bit  2    same instant as the entry before: no time of its own
//                        bit  3    the instant has nanoseconds
//                        bit  4    sole: no other relation joins the two nodes
//                        bits 5-7  label when it is 0 to 6; 7: it stands among the labels
//   labels  varint for each entry whose flags say 7
//   times   for each entry with a time of its own: varint seconds | [4 bytes nanoseconds,
//           big-endian]; the seconds of the first count from 0001-01-01T00:00:00Z, those of the
//           others back from the seconds of the time before (newest first)
//   neighbour            width bytes, little-endian
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"

namespace relations {

// A block is split when it has more. Large enough that a chunk of a walk is one block, small enough
// that a write rewrites little.
inline constexpr size_t kBlockEntriesTarget = 128;
// Entries with equal instant and neighbour are never split apart; there are at most
// 2 * limits::kRelationsPerPairMax of them.
inline constexpr size_t kBlockEntriesMax = 1024;

struct AdjacencyBlock {
  std::vector<AdjacentRelation> entries;
  bool more_may_follow = false;
};

// Packs entries that are in list order.
std::string EncodeAdjacencyBlock(absl::Span<const AdjacentRelation> entries, bool more_may_follow);

// Unpacks into `*block`, replacing what it holds. DATA_LOSS, and nothing read past the fault, when
// the bytes are no block.
absl::Status DecodeAdjacencyBlock(absl::string_view value, AdjacencyBlock* block);

// How many entries a block says it has, without unpacking it. DATA_LOSS when it is none.
absl::StatusOr<size_t> AdjacencyBlockEntries(absl::string_view value);

}  // namespace relations
