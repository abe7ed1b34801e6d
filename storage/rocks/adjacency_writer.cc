#include "storage/rocks/adjacency_writer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

auto Rest(const AdjacentRelation& entry) {
  return std::make_tuple(entry.direction, entry.type, entry.mode);
}

bool SameEntry(const AdjacentRelation& a, const AdjacentRelation& b) {
  return a.last_seen == b.last_seen && a.neighbour == b.neighbour && Rest(a) == Rest(b);
}

}  // namespace

absl::Status AdjacencyWriter::Edit(std::map<NodeId, NodeEdits> edits) {
  std::vector<std::string> keys;
  keys.reserve(edits.size());
  for (const auto& [node, of_node] : edits) keys.push_back(DirectoryKey(node));
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> stored(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database_->db().MultiGet(rocksdb::ReadOptions(), database_->family(Family::kAdjacency),
                           keys.size(), slices.data(), stored.data(), statuses.data(),
                           /*sorted_input=*/true);
  size_t index = 0;
  for (auto& [node, of_node] : edits) {
    if (!statuses[index].IsNotFound()) {
      RETURN_IF_ERROR(FromRocks(statuses[index], "reading adjacency"));
    }
    RETURN_IF_ERROR(EditNode(node, View(stored[index]), std::move(of_node)));
    ++index;
  }
  return absl::OkStatus();
}

absl::Status AdjacencyWriter::EditNode(NodeId node, absl::string_view stored_directory,
                                       NodeEdits edits) {
  blocks_.clear();
  ASSIGN_OR_RETURN(ListDirectory directory, DecodeListDirectory(stored_directory));
  for (auto& [visibility, of_list] : edits) {
    ASSIGN_OR_RETURN(const OrderedEdits ordered, Order(std::move(of_list)));
    const ListDirectory::List* const named = directory.Find(visibility);
    if (named != nullptr ? !named->apart() : !directory.others) {
      RETURN_IF_ERROR(EditHeld(node, visibility, ordered, &directory));
      continue;
    }
    ASSIGN_OR_RETURN(const bool exists, EditApart(node, visibility, ordered));
    if (!exists) directory.Remove(visibility);
  }
  RETURN_IF_ERROR(Relieve(node, &directory));
  if (directory.empty()) {
    return stored_directory.empty() ? absl::OkStatus() : Delete(DirectoryKey(node));
  }
  const std::string value = EncodeListDirectory(directory);
  return value == stored_directory ? absl::OkStatus() : Put(DirectoryKey(node), value);
}

absl::StatusOr<AdjacencyWriter::OrderedEdits> AdjacencyWriter::Order(std::vector<ListEdit> edits) {
  OrderedEdits ordered;
  ordered.reserve(edits.size());
  for (ListEdit& edit : edits) {
    ASSIGN_OR_RETURN(const absl::string_view id, id_of_(edit.entry.neighbour));
    ordered.push_back({Boundary(edit.entry.last_seen, id), std::move(edit)});
  }
  std::sort(ordered.begin(), ordered.end(), [](const OrderedEdit& a, const OrderedEdit& b) {
    return std::make_tuple(absl::string_view(a.boundary), Rest(a.edit.entry)) <
           std::make_tuple(absl::string_view(b.boundary), Rest(b.edit.entry));
  });
  return ordered;
}

absl::Status AdjacencyWriter::EditHeld(NodeId node, ClassId visibility, const OrderedEdits& edits,
                                       ListDirectory* directory) {
  AdjacencyBlock block;
  if (const ListDirectory::List* const held = directory->Find(visibility)) {
    RETURN_IF_ERROR(DecodeAdjacencyBlock(held->block, &block));
  }
  ASSIGN_OR_RETURN(const std::vector<AdjacentRelation> revised, Revise(block.entries, edits));
  if (revised.empty()) {
    directory->Remove(visibility);
    return absl::OkStatus();
  }
  if (revised.size() <= kDirectoryEntriesMax) {
    const std::string& kept = blocks_.emplace_back(EncodeAdjacencyBlock(revised, false));
    if (directory->Set(visibility, kept)) return absl::OkStatus();
  } else {
    directory->Set(visibility, {});
  }
  const std::string key = ListKey(node, visibility);
  return WriteBlocks(key, key, revised, /*is_last=*/true);
}

absl::StatusOr<bool> AdjacencyWriter::EditApart(NodeId node, ClassId visibility,
                                                const OrderedEdits& edits) {
  if (iterator_ == nullptr) {
    iterator_.reset(
        database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::kAdjacency)));
  }
  const std::string list_key = ListKey(node, visibility);
  bool exists = true;
  size_t done = 0;
  while (done < edits.size()) {
    // The block that holds the place of the first edit left: the last one at or before it.
    std::string block_key = list_key;
    AdjacencyBlock block;
    std::string upper;
    iterator_->SeekForPrev(absl::StrCat(list_key, edits[done].boundary));
    if (iterator_->Valid() && absl::StartsWith(View(iterator_->key()), list_key)) {
      block_key = iterator_->key().ToString();
      RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator_->value()), &block));
      iterator_->Next();
      if (iterator_->Valid() && absl::StartsWith(View(iterator_->key()), list_key)) {
        upper = std::string(View(iterator_->key()).substr(kListKeyBytes));
      }
    }
    RETURN_IF_ERROR(FromRocks(iterator_->status(), "scanning adjacency"));
    size_t end = done + 1;
    while (end < edits.size() && (upper.empty() || edits[end].boundary < upper)) ++end;
    ASSIGN_OR_RETURN(const std::vector<AdjacentRelation> revised,
                     Revise(block.entries, absl::MakeConstSpan(edits).subspan(done, end - done)));
    RETURN_IF_ERROR(WriteBlocks(list_key, block_key, revised, upper.empty()));
    exists = !revised.empty() || block_key != list_key || !upper.empty();
    done = end;
  }
  return exists;
}

absl::Status AdjacencyWriter::Relieve(NodeId node, ListDirectory* directory) {
  ASSIGN_OR_RETURN(size_t entries, DirectoryEntries(*directory));
  while (entries > kDirectoryEntriesMax) {
    ListDirectory::List* largest = nullptr;
    size_t most = 0;
    for (ListDirectory::List& list : directory->lists) {
      if (list.apart()) continue;
      ASSIGN_OR_RETURN(const size_t of_list, AdjacencyBlockEntries(list.block));
      if (of_list <= most) continue;
      most = of_list;
      largest = &list;
    }
    // The list's only block is the same there and here.
    RETURN_IF_ERROR(Put(ListKey(node, largest->visibility), largest->block));
    largest->block = {};
    entries -= most;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AdjacentRelation>> AdjacencyWriter::Revise(
    const std::vector<AdjacentRelation>& entries, absl::Span<const OrderedEdit> edits) {
  std::vector<AdjacentRelation> kept = entries;
  for (const OrderedEdit& edit : edits) {
    if (edit.edit.kind != ListEdit::Kind::kRemove) continue;
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const AdjacentRelation& entry) {
      return SameEntry(entry, edit.edit.entry);
    });
    if (found == kept.end()) {
      return absl::DataLossError(
          absl::StrCat("an adjacency list lacks the entry of a relation to node ",
                       static_cast<uint64_t>(edit.edit.entry.neighbour)));
    }
    kept.erase(found);
  }
  std::vector<AdjacentRelation> revised;
  revised.reserve(kept.size() + edits.size());
  size_t copied = 0;
  for (const OrderedEdit& edit : edits) {
    if (edit.edit.kind != ListEdit::Kind::kInsert) continue;
    ASSIGN_OR_RETURN(const size_t position, InsertPosition(kept, copied, edit));
    revised.insert(revised.end(), kept.begin() + static_cast<ptrdiff_t>(copied),
                   kept.begin() + static_cast<ptrdiff_t>(position));
    revised.push_back(edit.edit.entry);
    copied = position;
  }
  revised.insert(revised.end(), kept.begin() + static_cast<ptrdiff_t>(copied), kept.end());
  return revised;
}

absl::StatusOr<size_t> AdjacencyWriter::InsertPosition(const std::vector<AdjacentRelation>& entries,
                                                       size_t from, const OrderedEdit& edit) {
  const AdjacentRelation& inserted = edit.edit.entry;
  const absl::string_view id = absl::string_view(edit.boundary).substr(kInstantBytes);
  size_t low = from;
  size_t high = entries.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const AdjacentRelation& entry = entries[middle];
    bool before = false;
    if (entry.last_seen != inserted.last_seen) {
      before = entry.last_seen > inserted.last_seen;
    } else if (entry.neighbour == inserted.neighbour) {
      before = Rest(entry) < Rest(inserted);
    } else {
      ASSIGN_OR_RETURN(const absl::string_view entry_id, id_of_(entry.neighbour));
      before = entry_id < id;
    }
    if (before) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

absl::Status AdjacencyWriter::WriteBlocks(const std::string& list_key, const std::string& block_key,
                                          const std::vector<AdjacentRelation>& entries,
                                          bool is_last) {
  if (entries.empty() && (is_last || block_key != list_key)) {
    return Delete(block_key);
  }
  const size_t blocks =
      std::max<size_t>(1, (entries.size() + kBlockEntriesTarget - 1) / kBlockEntriesTarget);
  const size_t per_block = (entries.size() + blocks - 1) / blocks;
  size_t begin = 0;
  std::string key = block_key;
  do {
    size_t end = std::min(entries.size(), begin + per_block);
    // A boundary is an instant and a neighbour: what shares both stays together.
    while (end > begin && end < entries.size() &&
           entries[end].last_seen == entries[end - 1].last_seen &&
           entries[end].neighbour == entries[end - 1].neighbour) {
      ++end;
    }
    const bool more = !is_last || end < entries.size();
    const std::string value =
        EncodeAdjacencyBlock(absl::MakeConstSpan(entries).subspan(begin, end - begin), more);
    RETURN_IF_ERROR(Put(key, value));
    begin = end;
    if (begin < entries.size()) {
      ASSIGN_OR_RETURN(const absl::string_view id, id_of_(entries[begin].neighbour));
      key = absl::StrCat(list_key, Boundary(entries[begin].last_seen, id));
    }
  } while (begin < entries.size());
  return absl::OkStatus();
}

absl::Status AdjacencyWriter::Put(absl::string_view key, absl::string_view value) {
  return FromRocks(batch_->Put(database_->family(Family::kAdjacency), SliceOf(key), SliceOf(value)),
                   "editing adjacency");
}

absl::Status AdjacencyWriter::Delete(absl::string_view key) {
  return FromRocks(batch_->Delete(database_->family(Family::kAdjacency), SliceOf(key)),
                   "editing adjacency");
}

}  // namespace relations
