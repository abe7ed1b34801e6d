#include "storage/rocks/table_changes.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/write_batch.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {

// Only the holder of the writer mutex changes the tables, so it reads them without their lock.
TableChanges::TableChanges(RocksGraphStore* store) : store_(store), next_node_(store->next_node_) {}

absl::StatusOr<ClassId> TableChanges::Intern(const GroupSet& groups) {
  if (const ClassId* known = store_->classes_.Find(groups)) return *known;
  const size_t next = store_->classes_.size() + new_classes_.size();
  if (next > UINT32_MAX) return absl::ResourceExhaustedError("no visibility class is left");
  const auto [place, is_new] = new_class_ids_.emplace(groups, ClassId{static_cast<uint32_t>(next)});
  if (is_new) new_classes_.push_back(groups);
  return place->second;
}

absl::StatusOr<LabelId> TableChanges::InternLabel(const std::string& text) {
  const auto known = store_->label_ids_.find(text);
  if (known != store_->label_ids_.end()) return known->second;
  const size_t next = store_->labels_.size() + new_labels_.size();
  if (next > UINT32_MAX) return absl::ResourceExhaustedError("no relation type is left");
  const auto [place, is_new] = new_label_ids_.emplace(text, LabelId{static_cast<uint32_t>(next)});
  if (is_new) new_labels_.push_back(text);
  return place->second;
}

absl::StatusOr<const GroupSet*> TableChanges::Groups(ClassId visibility) const {
  if (const GroupSet* stored = store_->classes_.Groups(visibility)) return stored;
  const size_t index = static_cast<size_t>(visibility) - store_->classes_.size();
  if (index >= new_classes_.size()) {
    return absl::DataLossError(absl::StrCat("a record has the unknown visibility class ",
                                            static_cast<uint32_t>(visibility)));
  }
  return &new_classes_[index];
}

std::map<std::string, std::string> TableChanges::ChangedCounters() const {
  std::map<std::string, std::string> counters;
  if (next_node_ != store_->next_node_) counters[kNextNodeKey] = EncodeNumber(next_node_);
  if (relations_added_ != 0) {
    counters[kRelationCountKey] =
        EncodeNumber(store_->relation_count_ + static_cast<uint64_t>(relations_added_));
  }
  for (const auto& [type, added] : entities_added_) {
    if (added == 0) continue;
    const auto found = store_->entities_by_type_.find(type);
    const uint64_t before = found == store_->entities_by_type_.end() ? 0 : found->second;
    counters[absl::StrCat(kEntityCountPrefix, type)] =
        EncodeNumber(before + static_cast<uint64_t>(added));
  }
  return counters;
}

absl::Status TableChanges::Publish() {
  if (new_classes_.empty() && new_labels_.empty()) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  auto visibility = static_cast<uint32_t>(store_->classes_.next());
  for (const GroupSet& groups : new_classes_) {
    RETURN_IF_ERROR(FromRocks(batch.Put(store_->database_->family(Family::kVisibility),
                                        ClassKey(ClassId{visibility++}), EncodeGroups(groups)),
                              "filling a batch"));
  }
  auto label = static_cast<uint32_t>(store_->labels_.size());
  for (const std::string& text : new_labels_) {
    RETURN_IF_ERROR(FromRocks(
        batch.Put(store_->database_->family(Family::kLabels), LabelKey(LabelId{label++}), text),
        "filling a batch"));
  }
  RETURN_IF_ERROR(store_->database_->Write(batch));
  const std::lock_guard<std::shared_mutex> lock(store_->tables_mutex_);
  if (!new_classes_.empty()) store_->visible_cache_.clear();
  for (GroupSet& groups : new_classes_) store_->classes_.Add(std::move(groups));
  for (std::string& text : new_labels_) {
    store_->label_ids_.emplace(text, LabelId{static_cast<uint32_t>(store_->labels_.size())});
    store_->labels_.push_back(std::move(text));
  }
  new_classes_.clear();
  new_labels_.clear();
  return absl::OkStatus();
}

void TableChanges::Commit() {
  store_->next_node_ = next_node_;
  const std::lock_guard<std::shared_mutex> lock(store_->tables_mutex_);
  store_->relation_count_ += static_cast<uint64_t>(relations_added_);
  for (const auto& [type, added] : entities_added_) {
    store_->entities_by_type_[type] += static_cast<uint64_t>(added);
  }
}

}  // namespace relations
