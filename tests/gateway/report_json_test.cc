// The JSON of the ingest routes: what becomes of it, and how what is wrong with it is named.
#include "gateway/report_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

v1::EntityReport Entity(const std::string& body) {
  const auto report = ReadEntityReport(body);
  CAPTURE(body, report.status().ToString());
  REQUIRE(report.ok());
  return *report;
}

google::protobuf::Value Attribute(const std::string& json) {
  const v1::EntityReport report = Entity(R"({"attributes":{"a":)" + json + "}}");
  const auto found = report.attributes().find("a");
  REQUIRE(found != report.attributes().end());
  return found->second;
}

// That a body is refused, with the reason and the member at fault.
template <typename Read>
void RequireRefused(const Read& read, const std::string& body, const std::string& reason,
                    const std::string& param, const std::string& words) {
  const absl::Status status = read(body).status();
  CAPTURE(body.substr(0, 200), status.ToString());
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(ReasonOf(status) == reason);
  CHECK(ParamOf(status) == param);
  CHECK(std::string(status.message()).find(words) != std::string::npos);
}

TEST_CASE("every member of an entity has its place") {
  const v1::EntityReport report = Entity(R"({
    "type": "domain", "attributes": {"domain": "a.example"}, "reputation": -2,
    "mode": "aggregation", "correlate": ["asn", "ip"], "tags": ["c2"],
    "visibleBy": ["g1", "public"], "value": {"any": []},
    "associations": [{"type": "ip", "associations": [{"type": "url"}]},
                     {"mode": "association"}]})");
  CHECK(report.type() == "domain");
  CHECK(report.attributes().at("domain").string_value() == "a.example");
  CHECK(report.reputation() == -2);
  CHECK(report.mode() == "aggregation");
  REQUIRE(report.correlate_size() == 2);
  CHECK(report.correlate(1) == "ip");
  REQUIRE(report.tags_size() == 1);
  REQUIRE(report.visible_by_size() == 2);
  CHECK(report.visible_by(0) == "g1");
  REQUIRE(report.associations_size() == 2);
  CHECK(report.associations(0).associations(0).type() == "url");
  CHECK(report.associations(1).mode() == "association");
}

TEST_CASE("null is absence, at every place") {
  const v1::EntityReport report = Entity(
      R"({"type":null,"attributes":{"a":null,"b":1},"tags":null,"associations":null,"mode":null,
          "reputation":null,"correlate":null,"visibleBy":null})");
  CHECK(report.type().empty());
  CHECK(report.attributes_size() == 1);
  CHECK(report.associations_size() == 0);
  CHECK(Entity("{}").ByteSizeLong() == 0);
}

TEST_CASE("attributes keep their kind, and no digit is lost") {
  CHECK(Attribute(R"("x\u00e9\n")").string_value() == "x\u00e9\n");
  CHECK(Attribute(R"("")").kind_case() == google::protobuf::Value::kStringValue);
  CHECK(Attribute("true").bool_value());
  CHECK(Attribute("false").kind_case() == google::protobuf::Value::kBoolValue);
  CHECK(Attribute("-7").number_value() == -7);
  CHECK(Attribute("0.5").number_value() == 0.5);
  CHECK(Attribute("1e3").number_value() == 1000);
  // The largest whole numbers that a double holds, and the next ones.
  CHECK(Attribute("9007199254740992").number_value() == 9007199254740992.0);
  CHECK(Attribute("-9007199254740992").number_value() == -9007199254740992.0);
  CHECK(Attribute("9007199254740993").string_value() == "9007199254740993");
  CHECK(Attribute("-9007199254740993").string_value() == "-9007199254740993");
  CHECK(Attribute("18446744073709551615").string_value() == "18446744073709551615");
}

TEST_CASE("what is wrong with an entity is named by its place, and not repeated") {
  const auto refused = [](const std::string& body, const std::string& reason,
                          const std::string& param, const std::string& words) {
    RequireRefused(ReadEntityReport, body, reason, param, words);
  };
  refused("", "invalid_json", "", "empty");
  refused("[]", "invalid_json", "", "one JSON object");
  refused("{", "invalid_json", "", "not valid JSON");
  refused("{} {}", "invalid_json", "", "not valid JSON");
  refused("{\"type\":\"\xFF\"}", "invalid_json", "", "not valid JSON");
  refused(R"({"typo":"secret"})", "invalid_report", "", "a member is not known");
  refused(R"({"type":"ip","type":"ip"})", "invalid_report", "", "comes twice");
  refused(R"({"type":null,"type":"ip"})", "invalid_report", "", "comes twice");
  refused(R"({"attributes":{"a":1,"a":2}})", "invalid_report", "", "attributes: a member");
  refused(R"({"type":1})", "invalid_report", "type", "must be a string");
  refused(R"({"mode":[]})", "invalid_report", "mode", "must be a string");
  refused(R"({"attributes":[]})", "invalid_report", "attributes", "must be an object");
  refused(R"({"attributes":{"a":[1]}})", "invalid_report", "attributes", "only strings");
  refused(R"({"attributes":{"a":{}}})", "invalid_report", "attributes", "only strings");
  refused(R"({"tags":"c2"})", "invalid_report", "tags", "list of strings");
  refused(R"({"tags":["c2",null]})", "invalid_report", "tags", "list of strings");
  refused(R"({"correlate":[1]})", "invalid_report", "correlate", "list of strings");
  refused(R"({"visibleBy":{}})", "invalid_report", "visibleBy", "list of strings");
  refused(R"({"associations":{}})", "invalid_report", "associations", "list of entities");
  refused(R"({"associations":[1]})", "invalid_report", "associations", "list of entities");
  refused(R"({"associations":[{},{"tags":1}]})", "invalid_report", "tags",
          "associations[1].tags: must");
  for (const char* const number : {"1.5", "\"1\"", "2147483648", "-2147483649", "true"}) {
    refused(absl::StrCat(R"({"reputation":)", number, "}"), "invalid_report", "reputation",
            "whole number");
  }
  const absl::Status unknown = ReadEntityReport(R"({"typo":"secret"})").status();
  CHECK(unknown.ToString().find("typo") == std::string::npos);
}

TEST_CASE("associations nest to the limit and not deeper") {
  const auto nested = [](int depth) {
    std::string body;
    for (int i = 0; i < depth; ++i) body += R"({"associations":[)";
    body += "{}";
    for (int i = 0; i < depth; ++i) body += "]}";
    return body;
  };
  CHECK(ReadEntityReport(nested(limits::kReportDepthMax)).ok());
  RequireRefused(ReadEntityReport, nested(limits::kReportDepthMax + 1), "invalid_report",
                 "associations", "nested more than 8 deep");
  // An empty list is no deeper level; and no depth is too much to be refused.
  std::string last = R"({"associations":[]})";
  for (int i = 0; i < limits::kReportDepthMax; ++i) last = R"({"associations":[)" + last + "]}";
  CHECK(ReadEntityReport(last).ok());
  CHECK_FALSE(ReadEntityReport(nested(100'000)).ok());
}

TEST_CASE("an association names two entities") {
  const auto report = ReadAssociationReport(R"({"entityID":"ip-a","relatedEntityID":"ip-b"})");
  REQUIRE(report.ok());
  CHECK(report->entity_id() == "ip-a");
  CHECK(report->related_entity_id() == "ip-b");
  RequireRefused(ReadAssociationReport, R"({"entityID":1})", "invalid_report", "entityID",
                 "must be a string");
  RequireRefused(ReadAssociationReport, R"({"entityId":"ip-a"})", "invalid_report", "",
                 "known are entityID and relatedEntityID");
  RequireRefused(ReadAssociationReport, "", "invalid_json", "", "empty");
}

TEST_CASE("a batch has one report a line; blank lines count but say nothing") {
  const auto batch = ReadReportBatch(
      "{\"type\":\"ip\"}\r\n\n  \t\n{\"entityID\":\"ip-a\",\"relatedEntityID\":\"ip-b\"}");
  REQUIRE(batch.ok());
  REQUIRE(batch->reports_size() == 2);
  CHECK(batch->reports(0).entity().type() == "ip");
  CHECK(batch->reports(1).association().related_entity_id() == "ip-b");
  CHECK(ReadReportBatch("")->reports_size() == 0);
  CHECK(ReadReportBatch("\n\n")->reports_size() == 0);
  RequireRefused(ReadReportBatch, "{}\n\n{\"type\":1}\n", "invalid_report", "type",
                 "line 3: type: must");
  RequireRefused(ReadReportBatch, "{}\n{", "invalid_json", "", "line 2: ");
  // One of the two ids is enough to be an association, which then lacks the other.
  CHECK(ReadReportBatch(R"({"entityID":"ip-a"})")->reports(0).has_association());
}

TEST_CASE("a batch has as many lines as a request may have reports") {
  std::string body;
  for (size_t i = 0; i < limits::kReportEntitiesMax; ++i) body += "{}\n";
  CHECK(ReadReportBatch(body)->reports_size() == static_cast<int>(limits::kReportEntitiesMax));
  RequireRefused(ReadReportBatch, body + "{}", "invalid_report", "", "more than 1000 lines");
}

}  // namespace
}  // namespace relations::gateway
