#include "storage/rocks/change_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {

absl::Status ChangeLog::Load() {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::kChanges)));
  State state;
  iterator->SeekToFirst();
  if (iterator->Valid()) {
    ASSIGN_OR_RETURN(state.first, SequenceOfChangeKey(View(iterator->key())));
    ASSIGN_OR_RETURN(state.before_first, DecodeTotals(View(iterator->value())));
    iterator->SeekToLast();
  }
  if (iterator->Valid()) {
    ASSIGN_OR_RETURN(state.last, SequenceOfChangeKey(View(iterator->key())));
    ASSIGN_OR_RETURN(const ChangeRecord record, DecodeChanges(View(iterator->value())));
    state.totals = TotalsAfter(record, View(iterator->value()));
  }
  RETURN_IF_ERROR(FromRocks(iterator->status(), "reading changes"));
  const std::lock_guard<std::mutex> lock(mutex_);
  committed_ = state;
  return absl::OkStatus();
}

absl::Status ChangeLog::Append(const std::vector<LoggedChange>& changes,
                               rocksdb::WriteBatch* batch) {
  State state = committed_;
  for (size_t i = 0; i < changes.size(); i += kChangesPerRecord) {
    const size_t end = std::min(changes.size(), i + kChangesPerRecord);
    const std::vector<LoggedChange> some(changes.begin() + static_cast<ptrdiff_t>(i),
                                         changes.begin() + static_cast<ptrdiff_t>(end));
    const std::string key = ChangeKey(++state.last);
    const std::string value = EncodeChanges(some, &state.totals);
    RETURN_IF_ERROR(
        FromRocks(batch->Put(database_->family(Family::kChanges), key, value), "filling a batch"));
  }
  RETURN_IF_ERROR(DropOldest(&state, batch));
  appended_ = state;
  return absl::OkStatus();
}

void ChangeLog::Commit() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    committed_ = appended_;
  }
  Notify();
}

void ChangeLog::Notify() {
  const std::lock_guard<std::mutex> lock(listener_mutex_);
  if (listener_) listener_();
}

void ChangeLog::SetListener(std::function<void()> listener) {
  const std::lock_guard<std::mutex> lock(listener_mutex_);
  listener_ = std::move(listener);
}

ChangeLog::Counts ChangeLog::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (committed_.last < committed_.first) return {};
  return {committed_.first, committed_.last,
          committed_.totals.bytes - committed_.before_first.bytes,
          committed_.totals.changes - committed_.before_first.changes};
}

absl::StatusOr<ChangeTotals> ChangeLog::TotalsBefore(uint64_t sequence) const {
  rocksdb::PinnableSlice value;
  RETURN_IF_ERROR(
      FromRocks(database_->db().Get(rocksdb::ReadOptions(), database_->family(Family::kChanges),
                                    ChangeKey(sequence), &value),
                absl::StrCat("reading change ", sequence)));
  return DecodeTotals(View(value));
}

bool ChangeLog::IsWithin(const ChangeTotals& all, const ChangeTotals& before) const {
  return all.bytes - before.bytes <= retention_.bytes &&
         all.changes - before.changes <= retention_.changes;
}

absl::Status ChangeLog::DropOldest(State* state, rocksdb::WriteBatch* batch) const {
  const ChangeTotals& all = state->totals;
  const bool has_room =
      all.bytes - state->before_first.bytes <= retention_.bytes + retention_.bytes / 8 &&
      all.changes - state->before_first.changes <= retention_.changes + retention_.changes / 8;
  // Records of this batch stay: they are not there to be read yet.
  const uint64_t past_stored = committed_.last + 1;
  if (has_room || state->first >= past_stored) return absl::OkStatus();
  // The totals grow with the number: the first record from which on all is within the bounds.
  uint64_t low = state->first + 1;
  uint64_t high = past_stored;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    ASSIGN_OR_RETURN(const ChangeTotals before, TotalsBefore(middle));
    if (IsWithin(all, before)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  ChangeTotals before = committed_.totals;
  if (low < past_stored) {
    ASSIGN_OR_RETURN(before, TotalsBefore(low));
  }
  RETURN_IF_ERROR(FromRocks(batch->DeleteRange(database_->family(Family::kChanges),
                                               ChangeKey(state->first), ChangeKey(low)),
                            "filling a batch"));
  state->first = low;
  state->before_first = before;
  return absl::OkStatus();
}

}  // namespace relations
