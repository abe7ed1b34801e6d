#include "storage/rocks/change_record.h"

#include <string>

#include "tests/support/catch.h"

namespace relations {
namespace {

TEST_CASE("records of changes are as the format says, and damage is told") {
  LoggedChange narrowed;
  narrowed.node = NodeId{2};
  narrowed.id = "ip-b";
  narrowed.before = ClassId{1};
  narrowed.after = ClassId{0};
  ChangeTotals totals;
  const std::string example = EncodeChanges({narrowed}, &totals);
  CHECK(example == std::string("\x00\x00\x06\x02\x04ip-b\x01\x00", 11));
  CHECK(totals.bytes == 8 + example.size());
  CHECK(totals.changes == 1);

  LoggedChange relation;
  relation.is_relation = true;
  relation.source = NodeId{uint64_t{1} << 40};
  relation.target = NodeId{3};
  relation.label = LabelId{70000};
  relation.mode = RelationMode::kAggregation;
  relation.before = ClassId{5};
  relation.after = ClassId{5};
  relation.differs = true;
  LoggedChange created;
  created.node = NodeId{9};
  created.after = ClassId{300};
  const std::string value = EncodeChanges({relation, created, narrowed}, &totals);
  const auto record = DecodeChanges(value);
  REQUIRE(record.ok());
  CHECK(record->before.changes == 1);
  REQUIRE(record->changes.size() == 3);
  const LoggedChange& read = record->changes[0];
  CHECK((read.source == relation.source && read.target == relation.target));
  CHECK((read.label == relation.label && read.mode == relation.mode));
  CHECK((read.before == relation.before && read.after == relation.after && read.differs));
  CHECK(record->changes[1].after == created.after);
  CHECK_FALSE(record->changes[1].before.has_value());
  CHECK(record->changes[2].id == "ip-b");
  CHECK(TotalsAfter(*record, value).bytes == totals.bytes);
  for (size_t cut = 0; cut < example.size(); ++cut) {
    CAPTURE(cut);
    CHECK(DecodeChanges(example.substr(0, cut)).status().code() == absl::StatusCode::kDataLoss);
  }
  CHECK_FALSE(DecodeChanges(std::string("\x00\x00\x40\x02", 4)).ok());
  CHECK_FALSE(DecodeChanges(std::string("\x00\x00\x00\x02", 4)).ok());
}

}  // namespace
}  // namespace relations
