#include "storage/rocks/list_directory.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr char kOthers = 0x01;

absl::Status Damaged(absl::string_view value) {
  return absl::DataLossError(absl::StrCat("not a valid directory of lists: ",
                                          absl::BytesToHexString(value.substr(0, 64))));
}

auto PlaceOf(std::vector<ListDirectory::List>& lists, ClassId visibility) {
  return std::lower_bound(
      lists.begin(), lists.end(), visibility,
      [](const ListDirectory::List& list, ClassId wanted) { return list.visibility < wanted; });
}

}  // namespace

const ListDirectory::List* ListDirectory::Find(ClassId visibility) const {
  const auto found = std::find_if(lists.begin(), lists.end(),
                                  [&](const List& list) { return list.visibility == visibility; });
  return found == lists.end() ? nullptr : &*found;
}

bool ListDirectory::Set(ClassId visibility, absl::string_view block) {
  const auto place = PlaceOf(lists, visibility);
  if (place != lists.end() && place->visibility == visibility) {
    place->block = block;
    return true;
  }
  if (lists.size() >= kDirectoryListsMax) {
    others = true;
    return false;
  }
  lists.insert(place, {visibility, block});
  return true;
}

void ListDirectory::Remove(ClassId visibility) {
  const auto place = PlaceOf(lists, visibility);
  if (place != lists.end() && place->visibility == visibility) lists.erase(place);
}

std::string EncodeListDirectory(const ListDirectory& directory) {
  std::string value(1, directory.others ? kOthers : '\0');
  PutVarint(directory.lists.size(), value);
  uint32_t previous = 0;
  for (const ListDirectory::List& list : directory.lists) {
    const auto visibility = static_cast<uint32_t>(list.visibility);
    PutVarint(visibility - previous, value);
    PutVarint(list.block.size(), value);
    previous = visibility;
  }
  for (const ListDirectory::List& list : directory.lists) {
    value.append(list.block.data(), list.block.size());
  }
  return value;
}

absl::StatusOr<ListDirectory> DecodeListDirectory(absl::string_view value) {
  ListDirectory directory;
  if (value.empty()) return directory;
  absl::string_view rest = value;
  const char flags = rest.front();
  rest.remove_prefix(1);
  uint64_t count = 0;
  if ((flags & ~kOthers) != 0 || !GetVarint(&rest, &count) || count > kDirectoryListsMax) {
    return Damaged(value);
  }
  directory.others = flags == kOthers;
  if (directory.others == false && count == 0) return Damaged(value);
  std::vector<uint64_t> lengths(count);
  directory.lists.resize(count);
  uint64_t visibility = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t distance = 0;
    if (!GetVarint(&rest, &distance) || !GetVarint(&rest, &lengths[i]) || distance >= UINT32_MAX ||
        (i > 0 && distance == 0)) {
      return Damaged(value);
    }
    visibility += distance;
    if (visibility >= UINT32_MAX) return Damaged(value);
    directory.lists[i].visibility = ClassId{static_cast<uint32_t>(visibility)};
  }
  for (size_t i = 0; i < count; ++i) {
    if (lengths[i] > rest.size()) return Damaged(value);
    directory.lists[i].block = rest.substr(0, lengths[i]);
    rest.remove_prefix(lengths[i]);
  }
  if (!rest.empty()) return Damaged(value);
  return directory;
}

absl::StatusOr<size_t> DirectoryEntries(const ListDirectory& directory) {
  size_t entries = 0;
  for (const ListDirectory::List& list : directory.lists) {
    if (list.apart()) continue;
    ASSIGN_OR_RETURN(const size_t of_list, AdjacencyBlockEntries(list.block));
    entries += of_list;
  }
  return entries;
}

}  // namespace relations
