// A value of the node cache: the bytes of a record, or the merged head of a node's adjacency lists.
// Immutable, in one piece of memory together with all it points to, so that reading one costs few
// misses of the processor's caches. A node with too many lists for one head has one for each of its
// callers instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"

namespace relations {

class NodeValue {
 public:
  // Of a head.
  static constexpr size_t kEntriesMax = 2048;

  // One list of a head.
  struct List {
    ClassId visibility{};
    // Its entries in the head: the first ones of the list.
    uint32_t entries = 0;
    // Where the last of them stands in the head, plus one. This and the next are set by OfHead.
    uint32_t end = 0;
    // Where the list's positions begin among all positions.
    uint32_t first_position = 0;
    // The list has more than these.
    bool more = false;
    // Its entries also stand by themselves, from `apart_at` on among those that do. Set by OfHead.
    bool stands_apart = false;
    uint32_t apart_at = 0;
  };

  // The parts of a head before it is packed.
  struct Head {
    std::vector<List> lists;
    // The lists' first entries in list order, at most kEntriesMax, and for each the index of its
    // list.
    std::vector<AdjacentRelation> entries;
    std::vector<uint8_t> list_of_entry;
    // The node has too many lists to be held as one head; nothing else is set then.
    bool too_many_lists = false;
  };

  // A head of the lists that some callers see, of a node that has too many for one head.
  struct CallersHead {
    // VisibleClasses::number().
    uint64_t visible_number = 0;
    std::shared_ptr<const NodeValue> head;
  };
  // What a node with too many lists keeps of these; the oldest makes way.
  static constexpr size_t kCallersMax = 16;

  static std::shared_ptr<const NodeValue> OfRecord(absl::string_view record);
  static std::shared_ptr<const NodeValue> OfHead(Head head);
  // Of a node with too many lists: what `before`, such a value or null, holds, and one head more.
  static std::shared_ptr<const NodeValue> WithCallersHead(const NodeValue* before,
                                                          CallersHead added);

  // Empty when nothing is stored.
  absl::string_view record() const { return record_; }

  absl::Span<const List> lists() const { return lists_; }
  // Entries of the head.
  size_t size() const { return neighbours_.size(); }
  absl::Span<const NodeId> neighbours() const { return neighbours_; }
  absl::Span<const RelationDetails> details() const { return details_; }
  absl::Span<const uint8_t> list_of_entry() const { return list_of_entry_; }
  // Where the entries of a list stand in the head, ascending.
  absl::Span<const uint16_t> positions(const List& list) const {
    return positions_.subspan(list.first_position, list.entries);
  }
  bool too_many_lists() const { return too_many_lists_; }
  // The head for a caller of a node with too many lists; null when there is none.
  std::shared_ptr<const NodeValue> HeadFor(uint64_t visible_number) const;

  // The entries of a short list of a long head by themselves: who sees little else of the node is
  // spared the looks at their places among the others. REQUIRES: list.stands_apart.
  absl::Span<const NodeId> neighbours_of(const List& list) const {
    return neighbours_apart_.subspan(list.apart_at, list.entries);
  }
  absl::Span<const RelationDetails> details_of(const List& list) const {
    return details_apart_.subspan(list.apart_at, list.entries);
  }

  // Of the memory that it takes.
  size_t bytes() const { return bytes_; }

 private:
  NodeValue() = default;

  absl::string_view record_;
  absl::Span<const NodeId> neighbours_;
  absl::Span<const RelationDetails> details_;
  absl::Span<const uint8_t> list_of_entry_;
  absl::Span<const List> lists_;
  absl::Span<const uint16_t> positions_;
  absl::Span<const NodeId> neighbours_apart_;
  absl::Span<const RelationDetails> details_apart_;
  size_t bytes_ = 0;
  bool too_many_lists_ = false;
  // Only of a node with too many lists; they live as long as the value.
  absl::Span<const CallersHead> callers_;
};

}  // namespace relations
