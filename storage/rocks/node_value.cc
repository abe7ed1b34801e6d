#include "storage/rocks/node_value.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace relations {
namespace {

// Lists whose entries stand by themselves too: so short, and so small a share of the head.
constexpr uint32_t kApartEntriesMax = 64;
constexpr uint32_t kApartShare = 8;

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
  uint32_t apart = 0;
  for (List& list : head.lists) {
    list.first_position = positions_before;
    next_position.push_back(positions_before);
    positions_before += list.entries;
    list.stands_apart = list.entries <= kApartEntriesMax && list.entries * kApartShare <= count;
    if (!list.stands_apart) continue;
    list.apart_at = apart;
    apart += list.entries;
  }
  const size_t bytes =
      sizeof(NodeValue) + (count + apart) * (sizeof(NodeId) + sizeof(RelationDetails)) +
      count * (sizeof(uint16_t) + sizeof(uint8_t)) + head.lists.size() * sizeof(List);
  std::shared_ptr<Unit[]> memory = Allocate(bytes);
  auto* const value = new (memory.get()) NodeValue();
  Arena arena(value + 1);
  auto* const neighbours = arena.Take<NodeId>(count);
  auto* const neighbours_apart = arena.Take<NodeId>(apart);
  auto* const details = arena.Take<RelationDetails>(count);
  auto* const details_apart = arena.Take<RelationDetails>(apart);
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
  for (const List& list : head.lists) {
    if (!list.stands_apart) continue;
    for (uint32_t i = 0; i < list.entries; ++i) {
      const uint16_t position = positions[list.first_position + i];
      neighbours_apart[list.apart_at + i] = neighbours[position];
      new (details_apart + list.apart_at + i) RelationDetails(details[position]);
    }
  }
  std::copy(head.lists.begin(), head.lists.end(), lists);
  std::copy(head.list_of_entry.begin(), head.list_of_entry.end(), list_of_entry);
  value->neighbours_ = {neighbours, count};
  value->details_ = {details, count};
  value->lists_ = {lists, head.lists.size()};
  value->list_of_entry_ = {list_of_entry, count};
  value->positions_ = {positions, count};
  value->neighbours_apart_ = {neighbours_apart, apart};
  value->details_apart_ = {details_apart, apart};
  value->too_many_lists_ = head.too_many_lists;
  value->bytes_ = bytes;
  return {std::move(memory), value};
}

std::shared_ptr<const NodeValue> NodeValue::WithCallersHead(const NodeValue* before,
                                                            CallersHead added) {
  struct Owner {
    NodeValue value;
    std::vector<CallersHead> callers;
  };
  const auto owner = std::make_shared<Owner>(Owner{NodeValue(), {}});
  std::vector<CallersHead>& callers = owner->callers;
  if (before != nullptr) callers.assign(before->callers_.begin(), before->callers_.end());
  if (callers.size() >= kCallersMax) callers.erase(callers.begin());
  callers.push_back(std::move(added));
  NodeValue& value = owner->value;
  value.too_many_lists_ = true;
  value.callers_ = callers;
  value.bytes_ = sizeof(Owner) + callers.capacity() * sizeof(CallersHead);
  for (const CallersHead& of : callers) value.bytes_ += of.head->bytes();
  return {owner, &value};
}

std::shared_ptr<const NodeValue> NodeValue::HeadFor(uint64_t visible_number) const {
  for (const CallersHead& of : callers_) {
    if (of.visible_number == visible_number) return of.head;
  }
  return nullptr;
}

}  // namespace relations
