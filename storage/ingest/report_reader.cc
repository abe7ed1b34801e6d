#include "storage/ingest/report_reader.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"
#include "storage/import/entity_types.h"
#include "storage/import/value_normaliser.h"
#include "storage/mutation_rules.h"

namespace relations {
namespace {

constexpr int kReputationMin = -3;
constexpr int kReputationMax = 3;
constexpr char kRelationType[] = "related-to";

// An error at `where` (a path that ends in a dot, or nothing) in the member `name`.
absl::Status Fault(const std::string& where, absl::string_view name, absl::string_view what) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
                     absl::StrCat(where, name, ": ", what), name);
}

// The value of an attribute as the text that normalisation takes; empty when it is none.
std::string TextOf(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kNumberValue:
      return NumberText(value.number_value());
    case google::protobuf::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    default:
      return "";
  }
}

bool IsAbsent(const google::protobuf::Value& value) {
  return value.kind_case() == google::protobuf::Value::kNullValue ||
         value.kind_case() == google::protobuf::Value::KIND_NOT_SET;
}

// The main value of an entity of `type`, out of `value`.
absl::StatusOr<std::string> MainValue(const std::string& type, const google::protobuf::Value& value,
                                      const std::string& where) {
  absl::StatusOr<std::string> normal = NormaliseValue(type, TextOf(value));
  if (normal.ok()) return normal;
  return Fault(where, "attributes",
               absl::StrCat("not a value of the type ", type,
                            "; accepted: ", AcceptedBy(*DataTypeOf(type))));
}

}  // namespace

uint64_t ReporterDigest(const std::string& user_id) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(user_id.data()), user_id.size(), digest);
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return number;
}

ReportReader::ReportReader(Reporter reporter)
    : reporter_(std::move(reporter)), reporter_digest_(ReporterDigest(reporter_.user_id)) {}

absl::Status ReportReader::Add(const v1::Report& report) {
  switch (report.report_case()) {
    case v1::Report::kEntity:
      return Add(report.entity());
    case v1::Report::kAssociation:
      return Add(report.association());
    default:
      return Fault("", "reports", "a report is neither an entity nor an association");
  }
}

absl::Status ReportReader::Add(const v1::EntityReport& report) {
  return AddEntity(report, "", 0).status();
}

absl::Status ReportReader::Add(const v1::AssociationReport& report) {
  for (const auto& [name, id] :
       {std::pair<const char*, const std::string&>("entityID", report.entity_id()),
        {"relatedEntityID", report.related_entity_id()}}) {
    if (IsEntityId(id)) continue;
    return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidId,
                       absl::StrCat(name, " must be ", limits::kEntityIdBytesMin, " to ",
                                    limits::kEntityIdBytesMax,
                                    " characters of A-Z a-z 0-9 and '-', with at least "
                                    "one '-' and none at either end"),
                       name);
  }
  if (report.entity_id() == report.related_entity_id()) {
    return Fault("", "relatedEntityID", "an entity cannot be related to itself");
  }
  // Every end must be visible to the reporter: without groups none is.
  ReportRelation relation;
  relation.source = report.entity_id();
  relation.target = report.related_entity_id();
  relation.type = kRelationType;
  relation.last_seen = reporter_.now;
  relation.visible_by = reporter_.groups;
  relation.ends = ReportRelation::Ends::kVisible;
  if (mutations_.relation_reports.size() >= limits::kReportEntitiesMax) {
    return Fault("", "reports", absl::StrCat("more than ", limits::kReportEntitiesMax));
  }
  if (subject_.empty()) subject_ = report.entity_id();
  mutations_.relation_reports.push_back(std::move(relation));
  return absl::OkStatus();
}

absl::Status ReportReader::Report(v1::Entity entity) {
  if (mutations_.entity_reports.size() >= limits::kReportEntitiesMax) {
    return Fault("", "associations",
                 absl::StrCat("more than ", limits::kReportEntitiesMax, " entities in a request"));
  }
  *entity.mutable_timestamp() = TimestampOf(reporter_.now);
  *entity.mutable_last_seen() = TimestampOf(reporter_.now);
  entity.set_best_reputation(entity.reputation());
  entity.set_worst_reputation(entity.reputation());
  if (subject_.empty()) subject_ = entity.id();
  mutations_.entity_reports.push_back({std::move(entity), reporter_digest_});
  return absl::OkStatus();
}

absl::StatusOr<ReportReader::Named> ReportReader::AddEntity(const v1::EntityReport& report,
                                                            const std::string& where, int depth) {
  if (depth > limits::kReportDepthMax) {
    return Fault("", "associations",
                 absl::StrCat("nested more than ", limits::kReportDepthMax, " deep"));
  }
  if (report.type().empty()) return Fault(where, "type", "missing");
  if (report.type().size() > limits::kTypeBytesMax || !IsKnownType(report.type())) {
    return Fault(where, "type",
                 "not a known type; custom ones are x- and letters, digits and hyphens");
  }
  v1::Entity entity;
  entity.set_type(report.type());
  RETURN_IF_ERROR(ReadAttributes(report, where, entity));
  if (report.reputation() < kReputationMin || report.reputation() > kReputationMax) {
    return Fault(where, "reputation", "must be a whole number from -3 to 3");
  }
  entity.set_reputation(report.reputation());
  RETURN_IF_ERROR(ReadTags(report, where, entity));
  Named named{entity.id(), {}};
  ASSIGN_OR_RETURN(named.visible_by, ReadGroups(report, where));
  entity.mutable_visible_by()->Assign(named.visible_by.begin(), named.visible_by.end());
  RETURN_IF_ERROR(Report(std::move(entity)));
  RETURN_IF_ERROR(AddCorrelated(report, named, where));
  for (int i = 0; i < report.associations_size(); ++i) {
    const v1::EntityReport& child = report.associations(i);
    const std::string place = absl::StrCat(where, "associations[", i, "].");
    ASSIGN_OR_RETURN(const Named related, AddEntity(child, place, depth + 1));
    RelationMode mode = RelationMode::kAssociation;
    if (!child.mode().empty() && !ParseRelationMode(child.mode(), &mode)) {
      return Fault(place, "mode", "neither association nor aggregation");
    }
    RETURN_IF_ERROR(AddRelation(named, related, mode, place));
  }
  return named;
}

absl::Status ReportReader::AddRelation(const Named& parent, const Named& child, RelationMode mode,
                                       const std::string& where) {
  if (parent.id == child.id) {
    return Fault(where, "attributes", "an entity cannot be related to itself");
  }
  ReportRelation relation;
  relation.source = parent.id;
  relation.target = child.id;
  relation.type = kRelationType;
  relation.mode = mode;
  relation.last_seen = reporter_.now;
  relation.visible_by = SharedGroups(parent.visible_by, child.visible_by);
  if (relation.visible_by.empty()) {
    return Fault(where, "visibleBy", "shares no group with the entity that it is related to");
  }
  mutations_.relation_reports.push_back(std::move(relation));
  return absl::OkStatus();
}

absl::Status ReportReader::AddCorrelated(const v1::EntityReport& report, const Named& parent,
                                         const std::string& where) {
  for (int i = 0; i < report.correlate_size(); ++i) {
    const std::string& type = report.correlate(i);
    const auto attribute = report.attributes().find(type);
    if (attribute == report.attributes().end() || IsAbsent(attribute->second)) {
      return Fault(where, "correlate", absl::StrCat("number ", i, " names no attribute"));
    }
    if (type.size() > limits::kTypeBytesMax || !IsKnownType(type) || type == report.type()) {
      return Fault(where, "correlate",
                   absl::StrCat("number ", i, " is not the name of another type of entity"));
    }
    ASSIGN_OR_RETURN(const std::string value, MainValue(type, attribute->second, where));
    v1::Entity entity;
    entity.set_type(type);
    entity.set_id(MakeEntityId(type, value));
    (*entity.mutable_attributes())[type] = AttributeOf(type, value);
    const Named related{entity.id(), parent.visible_by};
    entity.mutable_visible_by()->Assign(parent.visible_by.begin(), parent.visible_by.end());
    RETURN_IF_ERROR(Report(std::move(entity)));
    RETURN_IF_ERROR(AddRelation(parent, related, RelationMode::kAggregation, where));
  }
  return absl::OkStatus();
}

absl::Status ReportReader::ReadAttributes(const v1::EntityReport& report, const std::string& where,
                                          v1::Entity& entity) const {
  const std::string& type = report.type();
  if (report.attributes().size() > limits::kAttributesMax) {
    return Fault(where, "attributes", absl::StrCat("more than ", limits::kAttributesMax));
  }
  for (const auto& [name, value] : report.attributes()) {
    if (IsAbsent(value)) continue;
    if (name.empty() || name.size() > limits::kAttributeNameBytesMax) {
      return Fault(
          where, "attributes",
          absl::StrCat("a name must have 1 to ", limits::kAttributeNameBytesMax, " bytes"));
    }
    const auto kind = value.kind_case();
    if (kind == google::protobuf::Value::kStructValue ||
        kind == google::protobuf::Value::kListValue) {
      return Fault(where, "attributes", "only strings, numbers and booleans are accepted");
    }
    if (kind == google::protobuf::Value::kNumberValue && !std::isfinite(value.number_value())) {
      return Fault(where, "attributes", "a number is not finite");
    }
    if (value.string_value().size() > limits::kValueBytesMax) {
      return Fault(where, "attributes",
                   absl::StrCat("a value is longer than ", limits::kValueBytesMax, " bytes"));
    }
    (*entity.mutable_attributes())[name] = value;
  }
  const auto main = entity.attributes().find(type);
  if (main == entity.attributes().end()) {
    return Fault(where, "attributes", absl::StrCat("the main value, ", type, ", is missing"));
  }
  ASSIGN_OR_RETURN(const std::string value, MainValue(type, main->second, where));
  (*entity.mutable_attributes())[type] = AttributeOf(type, value);
  entity.set_id(MakeEntityId(type, value));
  return absl::OkStatus();
}

absl::Status ReportReader::ReadTags(const v1::EntityReport& report, const std::string& where,
                                    v1::Entity& entity) const {
  if (static_cast<size_t>(report.tags_size()) > limits::kTagsMax) {
    return Fault(where, "tags", absl::StrCat("more than ", limits::kTagsMax));
  }
  for (const std::string& tag : report.tags()) {
    if (tag.empty() || tag.size() > limits::kTagBytesMax) {
      return Fault(where, "tags",
                   absl::StrCat("a tag must have 1 to ", limits::kTagBytesMax, " bytes"));
    }
    if (tag == kWellKnownTag && !reporter_.trusted) {
      return PublicError(absl::StatusCode::kPermissionDenied, reason::kPermissionDenied,
                         "the tag well-known needs the role trusted or admin", "tags");
    }
    if (std::find(entity.tags().begin(), entity.tags().end(), tag) == entity.tags().end()) {
      entity.add_tags(tag);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<GroupSet> ReportReader::ReadGroups(const v1::EntityReport& report,
                                                  const std::string& where) const {
  GroupSet groups = report.visible_by_size() == 0
                        ? reporter_.groups
                        : CanonicalGroups({report.visible_by().begin(), report.visible_by().end()});
  if (groups.empty() || groups.size() > limits::kVisibleByMax) {
    return Fault(where, "visibleBy",
                 absl::StrCat("must name 1 to ", limits::kVisibleByMax,
                              " groups; the default is "
                              "the reporter's"));
  }
  for (const std::string& group : groups) {
    if (!IsGroupName(group)) {
      return Fault(where, "visibleBy",
                   "a group is 1 to 128 bytes of UTF-8 without comma and control characters");
    }
    if (!std::binary_search(reporter_.groups.begin(), reporter_.groups.end(), group)) {
      return PublicError(absl::StatusCode::kPermissionDenied, reason::kPermissionDenied,
                         absl::StrCat(where, "visibleBy: a group that the reporter does not hold"),
                         "visibleBy");
    }
  }
  return groups;
}

}  // namespace relations
