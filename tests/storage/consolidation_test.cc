#include "storage/consolidation.h"

#include <string>

#include "storage/base/limits.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

v1::Entity Report(int64_t seconds, int reputation) {
  v1::Entity report = TestEntity("ip-1");
  *report.mutable_last_seen() = TimestampOf(TestTime(seconds));
  *report.mutable_timestamp() = TimestampOf(TestTime(seconds));
  report.set_reputation(reputation);
  report.set_best_reputation(reputation);
  report.set_worst_reputation(reputation);
  return report;
}

TEST_CASE("a newer report moves the record forward") {
  v1::Entity entity = Report(10, 1);
  v1::Entity report = Report(20, -2);
  report.set_accuracy(3);
  REQUIRE(MergeReport(report, &entity).ok());
  CHECK(entity.reputation() == -2);
  CHECK(entity.best_reputation() == 1);
  CHECK(entity.worst_reputation() == -2);
  CHECK(entity.accuracy() == 3);
  CHECK(TimeOf(entity.last_seen()) == TestTime(20));
  CHECK(TimeOf(entity.timestamp()) == TestTime(20));
}

TEST_CASE("an older report adds what is missing and overrides nothing") {
  v1::Entity entity = Report(20, -2);
  (*entity.mutable_attributes())["asn"].set_number_value(1);
  v1::Entity report = Report(10, 3);
  (*report.mutable_attributes())["asn"].set_number_value(2);
  (*report.mutable_attributes())["country"].set_string_value("x");
  REQUIRE(MergeReport(report, &entity).ok());
  CHECK(entity.reputation() == -2);
  CHECK(entity.best_reputation() == 3);
  CHECK(entity.attributes().at("asn").number_value() == 1);
  CHECK(entity.attributes().at("country").string_value() == "x");
  CHECK(TimeOf(entity.last_seen()) == TestTime(20));
  CHECK(TimeOf(entity.timestamp()) == TestTime(20));
}

TEST_CASE("attributes of a report as new as the record win") {
  v1::Entity entity = Report(10, 0);
  (*entity.mutable_attributes())["asn"].set_number_value(1);
  v1::Entity report = Report(10, 0);
  (*report.mutable_attributes())["asn"].set_number_value(2);
  REQUIRE(MergeReport(report, &entity).ok());
  CHECK(entity.attributes().at("asn").number_value() == 2);
}

TEST_CASE("tags and groups unite") {
  v1::Entity entity = TestEntity("ip-1", {"g2", "public"});
  entity.add_tags("dns");
  v1::Entity report = TestEntity("ip-1", {"g1", "g2"});
  report.add_tags("dns");
  report.add_tags("c2");
  REQUIRE(MergeReport(report, &entity).ok());
  CHECK(std::vector<std::string>(entity.tags().begin(), entity.tags().end()) ==
        std::vector<std::string>{"dns", "c2"});
  CHECK(GroupSet(entity.visible_by().begin(), entity.visible_by().end()) ==
        GroupSet{"g1", "g2", "public"});
}

TEST_CASE("merging a report twice is merging it once") {
  v1::Entity entity = Report(10, 1);
  const v1::Entity report = Report(20, -1);
  REQUIRE(MergeReport(report, &entity).ok());
  const std::string once = entity.SerializeAsString();
  REQUIRE(MergeReport(report, &entity).ok());
  CHECK(entity.SerializeAsString() == once);
}

TEST_CASE("a merge that would pass a limit is refused, one at the limit is not") {
  v1::Entity entity = TestEntity("ip-1", {"g-a"});
  v1::Entity report = TestEntity("ip-1", {"g-a"});
  SECTION("tags") {
    for (size_t i = 0; i < limits::kTagsMax - 1; ++i) entity.add_tags("t" + std::to_string(i));
    report.add_tags("last");
    CHECK(MergeReport(report, &entity).ok());
    report.add_tags("one more");
    CHECK(MergeReport(report, &entity).code() == absl::StatusCode::kInvalidArgument);
  }
  SECTION("groups") {
    for (size_t i = 0; i < limits::kVisibleByMax - 1; ++i) {
      report.add_visible_by("g-b" + std::to_string(100 + i));
    }
    CHECK(MergeReport(report, &entity).ok());
    report.add_visible_by("g-z");
    CHECK(MergeReport(report, &entity).code() == absl::StatusCode::kInvalidArgument);
  }
  SECTION("attributes") {
    for (size_t i = 0; i < limits::kAttributesMax - 1; ++i) {
      (*report.mutable_attributes())["a" + std::to_string(i)].set_bool_value(true);
    }
    CHECK(MergeReport(report, &entity).ok());
    (*report.mutable_attributes())["z"].set_bool_value(true);
    CHECK(MergeReport(report, &entity).code() == absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace relations
