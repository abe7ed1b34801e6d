// The directory of a node: which adjacency lists it has, and the short ones themselves. One read of
// a directory answers for nearly every node; the blocks of long lists stand under keys of their
// own. A value of the family `adjacency`, under DirectoryKey.
//
//   directory  u8 flags | varint count | count x (varint class | varint length) | blocks
//                flags   bit 0: further lists may exist, each apart and not named here; other bits
//                0 class   of the first list; of each other one the distance from the one before
//                length  of the list's only block (adjacency_block.h) among `blocks`, which stand
//                        in the order of the lists; 0: the list stands apart, under its own keys
//
// Worked example: node 1 has in class 0 one outgoing relation to node 2, label 3, association,
// sole, seen 2023-06-15T14:30:00Z, and a long list in class 5.
//   00000000 00000001 FFFFFFFF -> 00 02 00 0A 05 00 | 01 01 70 E8AEF4E0ED01 02
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_store.h"

namespace relations {

// Of all lists in a directory together: what a write at a small node rewrites.
inline constexpr size_t kDirectoryEntriesMax = 128;
// Lists that a directory names.
inline constexpr size_t kDirectoryListsMax = 64;

struct ListDirectory {
  struct List {
    ClassId visibility{};
    // Of a list that stands apart empty.
    absl::string_view block;

    bool apart() const { return block.empty(); }
  };

  // By class, ascending.
  std::vector<List> lists;
  bool others = false;

  // The list of a class, null when none is named.
  const List* Find(ClassId visibility) const;
  // Names a list, or changes what is said of it. False, with `others` set and nothing named, when
  // kDirectoryListsMax others are named; a list that has a block must then be put apart.
  bool Set(ClassId visibility, absl::string_view block);
  void Remove(ClassId visibility);
  // Nothing is to be stored.
  bool empty() const { return lists.empty() && !others; }
};

std::string EncodeListDirectory(const ListDirectory& directory);
// The views point into `value`; the blocks themselves are not looked at. Nothing stored (an empty
// value) is a directory without lists. DATA_LOSS when the bytes are no directory.
absl::StatusOr<ListDirectory> DecodeListDirectory(absl::string_view value);

// Entries of all lists that a directory holds.
absl::StatusOr<size_t> DirectoryEntries(const ListDirectory& directory);

}  // namespace relations
