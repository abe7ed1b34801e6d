// The record of the family `changes`: what one write changed, for the feed of changes. It tells who
// could see a thing before and after; what the thing is now stands in its own record.
//
//   change record   varint bytes | varint changes | n x change
//                   bytes, changes: of all records before this one since the feed began; bytes
//                   counts keys and values
//   change          u8 flags | what | classes
//                     flags  bit 0  a relation, else an entity
//                            bit 1  it was there before
//                            bit 2  it is there after
//                            bit 3  before and after are of the same class
//                            bit 4  something besides the class differs
//                            bit 5  the relation's mode (RelationMode)
//     of an entity    varint node | [varint length | id], the id unless bits 1 to 3 are all set or
//                     bit 1 is not
//     of a relation   varint source | varint target | varint label
//     classes         [varint before], when it was there | [varint after], when it is and bit 3 is
//                     not set
//
// Worked example: the first record of a store, node 2 narrowed from class 1 to class 0, its id
// "ip-b": 00 00 06 02 04 69702D62 01 00
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_types.h"

namespace relations {

// One entity or relation that a write changed.
struct LoggedChange {
  bool is_relation = false;
  // Of an entity.
  NodeId node{};
  // Of an entity whose class changed or that is gone; else empty.
  std::string id;
  // Of a relation.
  NodeId source{};
  NodeId target{};
  LabelId label{};
  RelationMode mode = RelationMode::kAssociation;
  // The class before and after; nothing where it was not there.
  std::optional<ClassId> before;
  std::optional<ClassId> after;
  // It was there before and after, and differs in more than its class.
  bool differs = false;

  bool NeedsId() const { return !is_relation && before.has_value() && before != after; }
};

// What all records before one hold.
struct ChangeTotals {
  uint64_t bytes = 0;
  uint64_t changes = 0;
};

// Changes of one record, so that a reader needs not look at more at once.
inline constexpr size_t kChangesPerRecord = 256;

// The key and value of the next record of a log that holds `*totals`, which is moved on.
std::string ChangeKey(uint64_t sequence);
absl::StatusOr<uint64_t> SequenceOfChangeKey(absl::string_view key);
std::string EncodeChanges(const std::vector<LoggedChange>& changes, ChangeTotals* totals);

struct ChangeRecord {
  ChangeTotals before;
  std::vector<LoggedChange> changes;
};
// DATA_LOSS when the bytes are not of that form.
absl::StatusOr<ChangeRecord> DecodeChanges(absl::string_view value);
// Only what is before it.
absl::StatusOr<ChangeTotals> DecodeTotals(absl::string_view value);
// What a log holds that ends with this record.
ChangeTotals TotalsAfter(const ChangeRecord& record, absl::string_view value);

// A name that no feed had yet.
std::string NewFeedName();

}  // namespace relations
