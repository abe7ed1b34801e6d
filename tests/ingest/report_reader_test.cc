// What a report means, and what is refused of it, without a server.
#include "storage/ingest/report_reader.h"

#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <limits>
#include <string>

#include "google/protobuf/struct.pb.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/entity_id.h"
#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

ReportReader Reader(GroupSet groups = {"g1", "public"}, bool trusted = false) {
  return ReportReader({"user", std::move(groups), trusted, absl::FromUnixSeconds(1'700'000'000)});
}

v1::EntityReport Ip(const std::string& ip) {
  v1::EntityReport report;
  report.set_type("ip");
  (*report.mutable_attributes())["ip"].set_string_value(ip);
  return report;
}

std::string Text(const google::protobuf::Value& value) {
  if (value.kind_case() == google::protobuf::Value::kNumberValue) {
    return NumberText(value.number_value());
  }
  if (value.kind_case() == google::protobuf::Value::kBoolValue) {
    return value.bool_value() ? "true" : "false";
  }
  return value.string_value();
}

TEST_CASE("every worked vector gives the entity that its normal form makes, or is refused") {
  std::ifstream file(RELATIONS_SOURCE_DIR "/tests/import/data/id_vectors.jsonl");
  size_t accepted = 0;
  size_t refused = 0;
  for (std::string line; std::getline(file, line);) {
    google::protobuf::Struct vector;
    REQUIRE(google::protobuf::util::JsonStringToMessage(line, &vector).ok());
    const std::string type = vector.fields().at("type").string_value();
    const google::protobuf::Value& in = vector.fields().at("in");
    CAPTURE(line);
    v1::EntityReport report;
    report.set_type(type);
    (*report.mutable_attributes())[type] = in;
    ReportReader reader = Reader();
    const absl::Status status = reader.Add(report);
    const absl::StatusOr<std::string> normal = NormaliseValue(type, Text(in));
    REQUIRE(status.ok() == normal.ok());
    if (!status.ok()) {
      ++refused;
      CHECK(ReasonOf(status) == "invalid_report");
      CHECK(ParamOf(status) == (IsKnownType(type) ? "attributes" : "type"));
      continue;
    }
    ++accepted;
    REQUIRE(reader.mutations().entity_reports.size() == 1);
    const v1::Entity& entity = reader.mutations().entity_reports[0].entity;
    CHECK(entity.id() == MakeEntityId(type, *normal));
    CHECK(entity.attributes().at(type).SerializeAsString() ==
          AttributeOf(type, *normal).SerializeAsString());
  }
  CHECK(accepted + refused == 150);
  CHECK(accepted > 0);
  CHECK(refused > 0);
}

TEST_CASE("a report makes entities with all its fields, and relations from outer to inner") {
  v1::EntityReport report = Ip("192.0.2.1");
  report.set_reputation(-3);
  report.add_tags("b");
  report.add_tags("a");
  report.add_visible_by("public");
  report.add_correlate("domain");
  (*report.mutable_attributes())["domain"].set_string_value("Example.ORG");
  (*report.mutable_attributes())["gone"].set_null_value(google::protobuf::NULL_VALUE);
  v1::EntityReport& child = *report.add_associations();
  child = Ip("192.0.2.2");
  child.set_mode("aggregation");
  ReportReader reader = Reader();
  REQUIRE(reader.Add(report).ok());
  const Mutations& mutations = reader.mutations();
  REQUIRE(mutations.entity_reports.size() == 3);
  const v1::Entity& entity = mutations.entity_reports[0].entity;
  CHECK(entity.last_seen().seconds() == 1'700'000'000);
  CHECK(entity.timestamp().seconds() == 1'700'000'000);
  CHECK(entity.reputation() == -3);
  CHECK(entity.best_reputation() == -3);
  CHECK(entity.worst_reputation() == -3);
  CHECK(entity.attributes().size() == 2);
  CHECK(entity.attributes().at("domain").string_value() == "Example.ORG");
  CHECK(entity.tags_size() == 2);
  const v1::Entity& correlated = mutations.entity_reports[1].entity;
  CHECK(correlated.id() == MakeEntityId("domain", "example.org"));
  CHECK(correlated.reputation() == 0);
  CHECK(GroupSet(correlated.visible_by().begin(), correlated.visible_by().end()) ==
        GroupSet{"public"});
  const v1::Entity& inner = mutations.entity_reports[2].entity;
  CHECK(GroupSet(inner.visible_by().begin(), inner.visible_by().end()) == GroupSet{"g1", "public"});
  REQUIRE(mutations.relation_reports.size() == 2);
  for (const ReportRelation& relation : mutations.relation_reports) {
    CHECK(relation.source == entity.id());
    CHECK(relation.mode == RelationMode::kAggregation);
    CHECK(relation.visible_by == GroupSet{"public"});
    CHECK(relation.ends == ReportRelation::Ends::kReported);
  }
  CHECK(mutations.relation_reports[1].target == inner.id());
}

TEST_CASE("faults that JSON cannot carry are refused too") {
  const auto refused = [](v1::EntityReport report, const std::string& param) {
    const absl::Status status = Reader().Add(report);
    CAPTURE(status.ToString());
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(ParamOf(status) == param);
  };
  v1::EntityReport report = Ip("192.0.2.1");
  (*report.mutable_attributes())["x"].set_number_value(std::numeric_limits<double>::infinity());
  refused(report, "attributes");
  report = Ip("192.0.2.1");
  (*report.mutable_attributes())[std::string(limits::kAttributeNameBytesMax + 1, 'a')]
      .set_bool_value(true);
  refused(report, "attributes");
  report = Ip("192.0.2.1");
  for (size_t i = 0; i < limits::kAttributesMax; ++i) {
    (*report.mutable_attributes())["a" + std::to_string(i)].set_bool_value(true);
  }
  refused(report, "attributes");
  CHECK_FALSE(Reader({}).Add(Ip("192.0.2.1")).ok());
  v1::Report empty;
  CHECK(ParamOf(Reader().Add(empty)) == "reports");
}

TEST_CASE("the limit of entities counts those of correlate and of all reports together") {
  ReportReader reader = Reader();
  for (size_t i = 0; i + 1 < limits::kReportEntitiesMax; ++i) {
    REQUIRE(reader.Add(Ip("198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)))
                .ok());
  }
  v1::EntityReport two = Ip("192.0.2.1");
  (*two.mutable_attributes())["asn"].set_number_value(5);
  two.add_correlate("asn");
  CHECK(reader.Add(two).code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relations
