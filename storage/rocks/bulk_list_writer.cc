#include "storage/rocks/bulk_list_writer.h"

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

AdjacentRelation EntryOf(const BulkListEdit& edit) {
  return {TimeOf(edit.last_seen), edit.neighbour, edit.label, edit.direction, edit.mode, edit.sole};
}

template <typename Entry>
auto Rest(const Entry& entry, LabelId label) {
  return std::make_tuple(entry.direction, label, entry.mode);
}

}  // namespace

bool Precedes(const BulkListEdit& a, const BulkListEdit& b) {
  if (a.visibility != b.visibility) return a.visibility < b.visibility;
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  if (a.neighbour_order != b.neighbour_order) return a.neighbour_order < b.neighbour_order;
  return std::make_tuple(a.direction, a.label, a.mode, a.kind) <
         std::make_tuple(b.direction, b.label, b.mode, b.kind);
}

absl::Status BulkListWriter::Add(NodeId node, const BulkListEdit& edit) {
  edit_id_.clear();
  if (node_ != node) {
    RETURN_IF_ERROR(EndNode());
    RETURN_IF_ERROR(BeginNode(node));
  }
  if (!has_list_ || visibility_ != edit.visibility) {
    RETURN_IF_ERROR(EndList());
    RETURN_IF_ERROR(BeginList(edit.visibility));
  }
  if (is_stored_) {
    RETURN_IF_ERROR(SeekBlock(edit));
    RETURN_IF_ERROR(CopyBefore(edit));
  }
  const AdjacentRelation entry = EntryOf(edit);
  if (edit.kind == BulkListEdit::Kind::kInsert) return Append(entry);
  if (copied_ == block_.entries.size() || block_.entries[copied_].last_seen != entry.last_seen ||
      block_.entries[copied_].neighbour != entry.neighbour ||
      Rest(block_.entries[copied_], block_.entries[copied_].type) != Rest(entry, entry.type)) {
    return absl::DataLossError(absl::StrCat(
        "an adjacency list of node ", static_cast<uint64_t>(node),
        " lacks the entry of a relation to node ", static_cast<uint64_t>(edit.neighbour)));
  }
  ++copied_;
  return absl::OkStatus();
}

absl::Status BulkListWriter::BeginNode(NodeId node) {
  node_ = node;
  stored_directory_.clear();
  directory_ = {};
  new_blocks_.clear();
  held_entries_ = 0;
  if (node_ids_->IsNew(node)) return absl::OkStatus();
  const rocksdb::Status status =
      database_->db().Get(rocksdb::ReadOptions(), database_->family(Family::kAdjacency),
                          DirectoryKey(node), &stored_directory_);
  if (status.IsNotFound()) return absl::OkStatus();
  RETURN_IF_ERROR(FromRocks(status, "reading adjacency"));
  ASSIGN_OR_RETURN(directory_, DecodeListDirectory(stored_directory_));
  ASSIGN_OR_RETURN(held_entries_, DirectoryEntries(directory_));
  return absl::OkStatus();
}

absl::Status BulkListWriter::EndNode() {
  if (!node_.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(EndList());
  const std::string key = DirectoryKey(*node_);
  node_.reset();
  if (directory_.empty()) {
    return stored_directory_.empty() ? absl::OkStatus() : output_->Delete(key);
  }
  const std::string value = EncodeListDirectory(directory_);
  return value == stored_directory_ ? absl::OkStatus() : output_->Put(key, value);
}

absl::Status BulkListWriter::BeginList(ClassId visibility) {
  has_list_ = true;
  visibility_ = visibility;
  list_key_ = ListKey(*node_, visibility);
  const ListDirectory::List* const named = directory_.Find(visibility);
  is_stored_ = named != nullptr;
  is_apart_ = named != nullptr && named->apart();
  if (is_apart_ || (named == nullptr && directory_.others)) {
    if (iterator_ == nullptr) {
      iterator_.reset(database_->db().NewIterator(rocksdb::ReadOptions(),
                                                  database_->family(Family::kAdjacency)));
    }
    iterator_->Seek(list_key_);
    RETURN_IF_ERROR(FromRocks(iterator_->status(), "scanning adjacency"));
    is_stored_ = iterator_->Valid() && absl::StartsWith(View(iterator_->key()), list_key_);
    is_apart_ = is_stored_;
    // Its blocks are found edit by edit.
    if (is_stored_) return absl::OkStatus();
  }
  has_block_ = true;
  block_key_ = list_key_;
  upper_.clear();
  block_.entries.clear();
  if (is_stored_) {
    RETURN_IF_ERROR(DecodeAdjacencyBlock(named->block, &block_));
    held_entries_ -= block_.entries.size();
  }
  copied_ = 0;
  block_ids_.assign(block_.entries.size(), std::string());
  pending_key_ = list_key_;
  pending_.clear();
  wrote_of_block_ = false;
  return absl::OkStatus();
}

absl::Status BulkListWriter::EndList() {
  if (!has_list_) return absl::OkStatus();
  has_list_ = false;
  return EndBlock();
}

absl::StatusOr<absl::string_view> BulkListWriter::NeighbourId(const BulkListEdit& edit) {
  if (edit_id_.empty()) {
    ASSIGN_OR_RETURN(edit_id_, node_ids_->IdOf(edit.neighbour));
  }
  return absl::string_view(edit_id_);
}

absl::StatusOr<bool> BulkListWriter::LiesBeforeUpper(const BulkListEdit& edit) {
  if (upper_.empty()) return true;
  const std::string boundary = Boundary(TimeOf(edit.last_seen), {});
  const absl::string_view upper_instant = absl::string_view(upper_).substr(0, kInstantBytes);
  if (boundary != upper_instant) return boundary < upper_instant;
  ASSIGN_OR_RETURN(const absl::string_view id, NeighbourId(edit));
  return id < absl::string_view(upper_).substr(kInstantBytes);
}

absl::Status BulkListWriter::SeekBlock(const BulkListEdit& edit) {
  if (has_block_) {
    ASSIGN_OR_RETURN(const bool here, LiesBeforeUpper(edit));
    if (here) return absl::OkStatus();
    RETURN_IF_ERROR(EndBlock());
  }
  ASSIGN_OR_RETURN(const absl::string_view id, NeighbourId(edit));
  iterator_->SeekForPrev(absl::StrCat(list_key_, Boundary(TimeOf(edit.last_seen), id)));
  RETURN_IF_ERROR(FromRocks(iterator_->status(), "scanning adjacency"));
  if (!iterator_->Valid() || !absl::StartsWith(View(iterator_->key()), list_key_)) {
    return absl::DataLossError(absl::StrCat(
        "an adjacency list of node ", static_cast<uint64_t>(*node_), " lacks its first block"));
  }
  return LoadBlock();
}

absl::Status BulkListWriter::LoadBlock() {
  block_key_ = std::string(View(iterator_->key()));
  RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator_->value()), &block_));
  iterator_->Next();
  RETURN_IF_ERROR(FromRocks(iterator_->status(), "scanning adjacency"));
  upper_.clear();
  if (iterator_->Valid() && absl::StartsWith(View(iterator_->key()), list_key_)) {
    upper_ = std::string(View(iterator_->key()).substr(kListKeyBytes));
  }
  has_block_ = true;
  copied_ = 0;
  block_ids_.assign(block_.entries.size(), std::string());
  pending_key_ = block_key_;
  pending_.clear();
  wrote_of_block_ = false;
  return absl::OkStatus();
}

absl::Status BulkListWriter::EndBlock() {
  if (!has_block_) return absl::OkStatus();
  has_block_ = false;
  while (copied_ < block_.entries.size()) RETURN_IF_ERROR(Append(block_.entries[copied_++]));
  const bool is_last = upper_.empty();
  if (pending_.empty() && !wrote_of_block_ && (is_last || block_key_ != list_key_)) {
    if (block_key_ == list_key_) directory_.Remove(visibility_);
    return is_apart_ ? output_->Delete(block_key_) : absl::OkStatus();
  }
  return WriteBlock(!is_last);
}

absl::Status BulkListWriter::CopyBefore(const BulkListEdit& edit) {
  while (copied_ < block_.entries.size()) {
    ASSIGN_OR_RETURN(const bool before, StandsBefore(copied_, edit));
    if (!before) return absl::OkStatus();
    RETURN_IF_ERROR(Append(block_.entries[copied_++]));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> BulkListWriter::StandsBefore(size_t index, const BulkListEdit& edit) {
  const AdjacentRelation& entry = block_.entries[index];
  const absl::Time time = TimeOf(edit.last_seen);
  if (entry.last_seen != time) return entry.last_seen > time;
  if (entry.neighbour == edit.neighbour) {
    return Rest(entry, entry.type) < Rest(edit, edit.label);
  }
  if (block_ids_[index].empty()) {
    ASSIGN_OR_RETURN(block_ids_[index], node_ids_->IdOf(entry.neighbour));
  }
  ASSIGN_OR_RETURN(const absl::string_view id, NeighbourId(edit));
  return absl::string_view(block_ids_[index]) < id;
}

absl::Status BulkListWriter::Append(const AdjacentRelation& entry) {
  // A boundary is an instant and a neighbour: what shares both stays together.
  if (pending_.size() >= kBlockEntriesTarget && (pending_.back().last_seen != entry.last_seen ||
                                                 pending_.back().neighbour != entry.neighbour)) {
    RETURN_IF_ERROR(WriteBlock(/*more=*/true));
    ASSIGN_OR_RETURN(const std::string id, node_ids_->IdOf(entry.neighbour));
    pending_key_ = absl::StrCat(list_key_, Boundary(entry.last_seen, id));
    pending_.clear();
  }
  pending_.push_back(entry);
  return absl::OkStatus();
}

bool BulkListWriter::Hold() {
  if (held_entries_ + pending_.size() > kDirectoryEntriesMax) return false;
  const std::string& block = new_blocks_.emplace_back(EncodeAdjacencyBlock(pending_, false));
  if (!directory_.Set(visibility_, block)) return false;
  held_entries_ += pending_.size();
  return true;
}

absl::Status BulkListWriter::WriteBlock(bool more) {
  wrote_of_block_ = true;
  if (!is_apart_) {
    if (!more && Hold()) return absl::OkStatus();
    is_apart_ = true;
    directory_.Set(visibility_, {});
  }
  return output_->Put(pending_key_, EncodeAdjacencyBlock(pending_, more));
}

}  // namespace relations
