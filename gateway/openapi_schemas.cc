#include "gateway/openapi_schemas.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "relations/v1/ingest.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Whether null stands for absence.
enum class Nulls { kNone, kAbsence };

constexpr char kStopReasonPrefix[] = "STOP_REASON_";
// Of a relation without details: source and target.
constexpr int kPairFields = 2;

std::string TypeOf(absl::string_view type, Nulls nulls) {
  return nulls == Nulls::kNone ? JsonText(type) : JsonTexts({std::string(type), "null"});
}

std::string Text(Nulls nulls) { return JsonObject({{"type", TypeOf("string", nulls)}}); }

// An object of attributes, and whether one of them may be null.
std::string AttributesSchema(Nulls values) {
  std::vector<std::string> kinds = {"string", "number", "boolean"};
  if (values == Nulls::kAbsence) kinds.push_back("null");
  return JsonObject({{"type", JsonText("object")},
                     {"additionalProperties", JsonObject({{"type", JsonTexts(kinds)}})},
                     {"maxProperties", absl::StrCat(limits::kAttributesMax)}});
}

absl::StatusOr<std::string> SingleSchema(const FieldDescriptor& field, Nulls nulls) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return Text(nulls);
    case FieldDescriptor::CPPTYPE_BOOL:
      return JsonObject({{"type", TypeOf("boolean", nulls)}});
    case FieldDescriptor::CPPTYPE_INT32:
      return JsonObject({{"type", TypeOf("integer", nulls)}, {"format", JsonText("int32")}});
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->full_name() == "google.protobuf.Timestamp") {
        return JsonObject({{"type", TypeOf("string", nulls)}, {"format", JsonText("date-time")}});
      }
      return SchemaReference(field.message_type()->name());
    default:
      return absl::InternalError(absl::StrCat("no schema for a field like ", field.full_name()));
  }
}

absl::StatusOr<std::string> FieldSchema(const FieldDescriptor& field, Nulls nulls) {
  if (field.is_map()) {
    const Descriptor* const value = field.message_type()->map_value()->message_type();
    if (value == nullptr || value->full_name() != "google.protobuf.Value") {
      return absl::InternalError(absl::StrCat("no schema for a map like ", field.full_name()));
    }
    return AttributesSchema(nulls);
  }
  if (!field.is_repeated()) return SingleSchema(field, nulls);
  ASSIGN_OR_RETURN(const std::string item, SingleSchema(field, Nulls::kNone));
  return JsonObject({{"type", TypeOf("array", nulls)}, {"items", item}});
}

// The name of a member of a report: `entity_id` is "entityID".
std::string ReportName(const FieldDescriptor& field) {
  absl::string_view name = field.json_name();
  return absl::ConsumeSuffix(&name, "Id") ? absl::StrCat(name, "ID") : field.json_name();
}

std::string ObjectSchema(const JsonMembers& properties, const std::vector<std::string>& required,
                         JsonMembers more = {}) {
  JsonMembers schema = {{"type", JsonText("object")},
                        {"properties", JsonObject(properties)},
                        {"required", JsonTexts(required)},
                        {"additionalProperties", "false"}};
  schema.insert(schema.end(), more.begin(), more.end());
  return JsonObject(schema);
}

// Of an answer's message; enumerations travel as headers. The first `required_max` fields are
// required, and of the others all or none are there.
absl::StatusOr<std::string> AnswerSchema(const Descriptor& type, int required_max) {
  JsonMembers properties;
  std::vector<std::string> required;
  std::vector<std::string> details;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) continue;
    ASSIGN_OR_RETURN(std::string schema, FieldSchema(field, Nulls::kNone));
    properties.emplace_back(field.json_name(), std::move(schema));
    (i < required_max ? required : details).push_back(field.json_name());
  }
  JsonMembers together;
  for (const std::string& name : details) together.emplace_back(name, JsonTexts(details));
  JsonMembers more;
  if (!together.empty()) more.emplace_back("dependentRequired", JsonObject(together));
  return ObjectSchema(properties, required, more);
}

// Of a report's message. `ignored`: a member that may be there and means nothing.
absl::StatusOr<std::string> ReportSchema(const Descriptor& type,
                                         const std::vector<std::string>& required,
                                         const std::string& ignored) {
  JsonMembers properties;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string name = ReportName(field);
    // Null stands for absence in an object of attributes too, which itself is needed.
    const bool is_required =
        !field.is_map() && std::count(required.begin(), required.end(), name) > 0;
    ASSIGN_OR_RETURN(std::string schema,
                     FieldSchema(field, is_required ? Nulls::kNone : Nulls::kAbsence));
    properties.emplace_back(name, std::move(schema));
  }
  if (!ignored.empty()) properties.emplace_back(ignored, "true");
  return ObjectSchema(properties, required);
}

}  // namespace

std::string SchemaReference(absl::string_view name) {
  return JsonObject({{"$ref", JsonText(absl::StrCat("#/components/schemas/", name))}});
}

std::vector<std::string> StopReasons() {
  std::vector<std::string> words;
  const auto& reasons = *v1::StopReason_descriptor();
  for (int i = 0; i < reasons.value_count(); ++i) {
    if (reasons.value(i)->number() == v1::STOP_REASON_UNSPECIFIED) continue;
    words.push_back(
        absl::AsciiStrToLower(absl::StripPrefix(reasons.value(i)->name(), kStopReasonPrefix)));
  }
  return words;
}

absl::StatusOr<JsonMembers> MessageSchemas() {
  const Descriptor& entity = *v1::Entity::descriptor();
  const Descriptor& answer = *v1::GetRelationsResponse::descriptor();
  JsonMembers schemas;
  const auto add = [&schemas](const char* name, absl::StatusOr<std::string> schema) {
    if (schema.ok()) schemas.emplace_back(name, *std::move(schema));
    return schema.status();
  };
  RETURN_IF_ERROR(add("RelationsAnswer", AnswerSchema(answer, answer.field_count())));
  RETURN_IF_ERROR(add("Entity", AnswerSchema(entity, entity.field_count())));
  RETURN_IF_ERROR(add("Relation", AnswerSchema(*v1::Relation::descriptor(), kPairFields)));
  RETURN_IF_ERROR(add("EntityReport", ReportSchema(*v1::EntityReport::descriptor(),
                                                   {"type", "attributes"}, "value")));
  RETURN_IF_ERROR(add("AssociationReport", ReportSchema(*v1::AssociationReport::descriptor(),
                                                        {"entityID", "relatedEntityID"}, "")));
  return schemas;
}

}  // namespace relations::gateway
