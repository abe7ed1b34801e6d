#include "storage/rocks/node_value.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace relations {
namespace {

// Memory for a value and what follows it, aligned for both.
using Unit = uint64_t;
static_assert(alignof(NodeValue) <= alignof(Unit));
static_assert(std::is_trivially_destructible_v<NodeValue>);

// Hands out the memory behind a value, widest alignment first.
class Arena {
 public:
  explicit Arena(void* begin) : next_(static_cast<char*>(begin)) {}

  template <typename T>
  T* Take(size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    T* const taken = reinterpret_cast<T*>(next_);
    next_ += count * sizeof(T);
    return taken;
  }

 private:
  char* next_;
};

std::shared_ptr<Unit[]> Allocate(size_t bytes) {
  return std::make_shared_for_overwrite<Unit[]>((bytes + sizeof(Unit) - 1) / sizeof(Unit));
}

}  // namespace

std::shared_ptr<const NodeValue> NodeValue::OfRecord(absl::string_view record) {
  const size_t bytes = sizeof(NodeValue) + record.size();
  std::shared_ptr<Unit[]> memory = Allocate(bytes);
  auto* const value = new (memory.get()) NodeValue();
  char* const copy = Arena(value + 1).Take<char>(record.size());
  if (!record.empty()) std::memcpy(copy, record.data(), record.size());
  value->record_ = absl::string_view(copy, record.size());
  value->bytes_ = bytes;
  return {std::move(memory), value};
}

std::shared_ptr<const NodeValue> NodeValue::OfHead(Head head) {
  const size_t count = head.entries.size();
  std::vector<uint32_t> next_position;
  uint32_t positions_before = 0;
  for (List& list : head.lists) {
    list.first_position = positions_before;
    next_position.push_back(positions_before);
    positions_before += list.entries;
  }
  const size_t bytes =
      sizeof(NodeValue) +
      count * (sizeof(NodeId) + sizeof(RelationDetails) + sizeof(uint16_t) + sizeof(uint8_t)) +
      head.lists.size() * sizeof(List);
  std::shared_ptr<Unit[]> memory = Allocate(bytes);
  auto* const value = new (memory.get()) NodeValue();
  Arena arena(value + 1);
  auto* const neighbours = arena.Take<NodeId>(count);
  auto* const details = arena.Take<RelationDetails>(count);
  auto* const lists = arena.Take<List>(head.lists.size());
  auto* const positions = arena.Take<uint16_t>(count);
  auto* const list_of_entry = arena.Take<uint8_t>(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t list = head.list_of_entry[i];
    head.lists[list].end = static_cast<uint32_t>(i + 1);
    positions[next_position[list]++] = static_cast<uint16_t>(i);
    neighbours[i] = head.entries[i].neighbour;
    new (details + i) RelationDetails(head.entries[i]);
  }
  std::copy(head.lists.begin(), head.lists.end(), lists);
  std::copy(head.list_of_entry.begin(), head.list_of_entry.end(), list_of_entry);
  value->neighbours_ = {neighbours, count};
  value->details_ = {details, count};
  value->lists_ = {lists, head.lists.size()};
  value->list_of_entry_ = {list_of_entry, count};
  value->positions_ = {positions, count};
  value->too_many_lists_ = head.too_many_lists;
  value->bytes_ = bytes;
  return {std::move(memory), value};
}

}  // namespace relations
