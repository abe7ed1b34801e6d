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

absl::Status AdjacencyWriter::Edit(NodeId node, ClassId visibility, std::vector<ListEdit> edits) {
  std::vector<OrderedEdit> ordered;
  ordered.reserve(edits.size());
  for (ListEdit& edit : edits) {
    ASSIGN_OR_RETURN(const absl::string_view id, id_of_(edit.entry.neighbour));
    ordered.push_back({Boundary(edit.entry.last_seen, id), std::move(edit)});
  }
  std::sort(ordered.begin(), ordered.end(), [](const OrderedEdit& a, const OrderedEdit& b) {
    return std::make_tuple(absl::string_view(a.boundary), Rest(a.edit.entry)) <
           std::make_tuple(absl::string_view(b.boundary), Rest(b.edit.entry));
  });

  if (iterator_ == nullptr) {
    iterator_.reset(
        database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::kAdjacency)));
  }
  const std::string list_key = ListKey(node, visibility);
  size_t done = 0;
  while (done < ordered.size()) {
    // The block that holds the place of the first edit left: the last one at or before it.
    std::string block_key = list_key;
    AdjacencyBlock block;
    std::string upper;
    iterator_->SeekForPrev(absl::StrCat(list_key, ordered[done].boundary));
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
    while (end < ordered.size() && (upper.empty() || ordered[end].boundary < upper)) ++end;
    ASSIGN_OR_RETURN(const std::vector<AdjacentRelation> revised,
                     Revise(block.entries, absl::MakeConstSpan(ordered).subspan(done, end - done)));
    RETURN_IF_ERROR(WriteBlocks(list_key, block_key, revised, upper.empty()));
    done = end;
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
  rocksdb::ColumnFamilyHandle* const family = database_->family(Family::kAdjacency);
  if (entries.empty() && (is_last || block_key != list_key)) {
    return FromRocks(batch_->Delete(family, block_key), "editing adjacency");
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
    RETURN_IF_ERROR(FromRocks(batch_->Put(family, key, value), "editing adjacency"));
    begin = end;
    if (begin < entries.size()) {
      ASSIGN_OR_RETURN(const absl::string_view id, id_of_(entries[begin].neighbour));
      key = absl::StrCat(list_key, Boundary(entries[begin].last_seen, id));
    }
  } while (begin < entries.size());
  return absl::OkStatus();
}

}  // namespace relations
