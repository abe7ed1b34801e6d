#include "storage/rocks/change_record.h"

#include <utility>

#include "storage/base/limits.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr size_t kKeyBytes = 8;
constexpr size_t kFeedNameCharacters = 43;

enum Flag : uint8_t {
  kIsRelation = 1 << 0,
  kWasThere = 1 << 1,
  kIsThere = 1 << 2,
  kSameClass = 1 << 3,
  kDiffers = 1 << 4,
  kModeBit = 1 << 5,
  kAllFlags = (1 << 6) - 1,
};

absl::Status Damaged() { return absl::DataLossError("a record of changes is damaged"); }

void PutChange(const LoggedChange& change, std::string& out) {
  const bool same = change.before.has_value() && change.before == change.after;
  uint8_t flags = 0;
  if (change.is_relation) flags |= kIsRelation;
  if (change.before.has_value()) flags |= kWasThere;
  if (change.after.has_value()) flags |= kIsThere;
  if (same) flags |= kSameClass;
  if (change.differs) flags |= kDiffers;
  if (change.is_relation && change.mode == RelationMode::kAggregation) flags |= kModeBit;
  out += static_cast<char>(flags);
  if (change.is_relation) {
    PutVarint(static_cast<uint64_t>(change.source), out);
    PutVarint(static_cast<uint64_t>(change.target), out);
    PutVarint(static_cast<uint64_t>(change.label), out);
  } else {
    PutVarint(static_cast<uint64_t>(change.node), out);
    if (change.NeedsId()) {
      PutVarint(change.id.size(), out);
      out += change.id;
    }
  }
  if (change.before.has_value()) PutVarint(static_cast<uint64_t>(*change.before), out);
  if (change.after.has_value() && !same) PutVarint(static_cast<uint64_t>(*change.after), out);
}

template <typename Number>
bool GetNumber(absl::string_view* input, Number* number) {
  uint64_t value = 0;
  if (!GetVarint(input, &value)) return false;
  *number = Number{static_cast<std::underlying_type_t<Number>>(value)};
  return static_cast<uint64_t>(*number) == value;
}

bool GetClass(absl::string_view* input, std::optional<ClassId>* visibility) {
  ClassId value{};
  if (!GetNumber(input, &value)) return false;
  *visibility = value;
  return true;
}

bool GetId(absl::string_view* input, std::string* id) {
  uint64_t length = 0;
  if (!GetVarint(input, &length) || length == 0 || length > limits::kEntityIdBytesMax ||
      length > input->size()) {
    return false;
  }
  *id = std::string(input->substr(0, length));
  input->remove_prefix(length);
  return true;
}

bool GetChange(absl::string_view* input, LoggedChange* change) {
  const auto flags = static_cast<uint8_t>(input->front());
  input->remove_prefix(1);
  const bool was = (flags & kWasThere) != 0;
  const bool is = (flags & kIsThere) != 0;
  const bool same = (flags & kSameClass) != 0;
  change->is_relation = (flags & kIsRelation) != 0;
  change->differs = (flags & kDiffers) != 0;
  if ((flags & ~kAllFlags) != 0 || !(was || is) || (same && !(was && is))) return false;
  if (change->is_relation) {
    change->mode =
        (flags & kModeBit) != 0 ? RelationMode::kAggregation : RelationMode::kAssociation;
    if (!GetNumber(input, &change->source) || !GetNumber(input, &change->target) ||
        !GetNumber(input, &change->label)) {
      return false;
    }
  } else {
    if (!GetNumber(input, &change->node)) return false;
    if (was && !same && !GetId(input, &change->id)) return false;
  }
  if (was && !GetClass(input, &change->before)) return false;
  if (same) change->after = change->before;
  return !is || same || GetClass(input, &change->after);
}

bool GetTotals(absl::string_view* input, ChangeTotals* totals) {
  return GetVarint(input, &totals->bytes) && GetVarint(input, &totals->changes);
}

}  // namespace

std::string ChangeKey(uint64_t sequence) {
  std::string key;
  PutU64(sequence, key);
  return key;
}

absl::StatusOr<uint64_t> SequenceOfChangeKey(absl::string_view key) {
  uint64_t sequence = 0;
  if (!GetU64(&key, &sequence) || !key.empty()) return Damaged();
  return sequence;
}

std::string EncodeChanges(const std::vector<LoggedChange>& changes, ChangeTotals* totals) {
  std::string value;
  PutVarint(totals->bytes, value);
  PutVarint(totals->changes, value);
  for (const LoggedChange& change : changes) PutChange(change, value);
  totals->bytes += kKeyBytes + value.size();
  totals->changes += changes.size();
  return value;
}

absl::StatusOr<ChangeRecord> DecodeChanges(absl::string_view value) {
  ChangeRecord record;
  if (!GetTotals(&value, &record.before)) return Damaged();
  while (!value.empty()) {
    LoggedChange& change = record.changes.emplace_back();
    if (!GetChange(&value, &change)) return Damaged();
  }
  if (record.changes.empty() || record.changes.size() > kChangesPerRecord) return Damaged();
  return record;
}

absl::StatusOr<ChangeTotals> DecodeTotals(absl::string_view value) {
  ChangeTotals totals;
  if (!GetTotals(&value, &totals)) return Damaged();
  return totals;
}

ChangeTotals TotalsAfter(const ChangeRecord& record, absl::string_view value) {
  return {record.before.bytes + kKeyBytes + value.size(),
          record.before.changes + record.changes.size()};
}

std::string NewFeedName() { return RandomAlphanumeric(kFeedNameCharacters); }

}  // namespace relations
