#include "server/ctl/answer_json.h"

#include <charconv>
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/ctl/json_object.h"

namespace relations {
namespace {

// Beyond it not every integer is a double, and digits would claim what is not known.
constexpr double kIntegersMax = 9007199254740992.0;

std::string NumberText(double number) {
  if (number == 0 && std::signbit(number)) return "-0.0";
  if (number == std::trunc(number) && std::fabs(number) <= kIntegersMax) {
    return absl::StrCat(static_cast<int64_t>(number));
  }
  char digits[32];
  // With an exponent where it is large: whole digits would be read as an integer that no double
  // holds.
  const bool large = std::fabs(number) > kIntegersMax;
  const std::to_chars_result end =
      large ? std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific)
            : std::to_chars(digits, digits + sizeof digits, number);
  return std::string(digits, end.ptr);
}

std::string AttributesJson(const v1::Entity& entity) {
  // A map of Protobuf has no order of its own.
  const std::map<std::string, google::protobuf::Value> ordered(entity.attributes().begin(),
                                                               entity.attributes().end());
  JsonObject object;
  for (const auto& [key, value] : ordered) {
    if (value.kind_case() == google::protobuf::Value::kStringValue) {
      object.AddString(key, value.string_value());
    } else if (const std::string text = ValueText(value); !text.empty()) {
      object.AddJson(key, text);
    }
  }
  return object.Text();
}

std::string RelationJson(const v1::Relation& relation, AnswerDetails details) {
  JsonObject object;
  object.AddString("source", relation.source()).AddString("target", relation.target());
  if (details == AnswerDetails::kIncluded) {
    object.AddString("type", relation.type())
        .AddString("mode", relation.mode())
        .AddString("lastSeen", TimestampText(relation.last_seen()));
  }
  return object.Text();
}

}  // namespace

std::string TimestampText(const google::protobuf::Timestamp& timestamp) {
  const absl::Time time =
      absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string ValueText(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case google::protobuf::Value::kNumberValue:
      return std::isfinite(value.number_value()) ? NumberText(value.number_value()) : std::string();
    default:
      return std::string();
  }
}

std::string EntityJson(const v1::Entity& entity) {
  return JsonObject()
      .AddString("id", entity.id())
      .AddString("type", entity.type())
      .AddString("@timestamp", TimestampText(entity.timestamp()))
      .AddNumber("reputation", entity.reputation())
      .AddNumber("bestReputation", entity.best_reputation())
      .AddNumber("worstReputation", entity.worst_reputation())
      .AddNumber("accuracy", entity.accuracy())
      .AddString("lastSeen", TimestampText(entity.last_seen()))
      .AddJson("tags", JsonStrings(entity.tags()))
      .AddJson("visibleBy", JsonStrings(entity.visible_by()))
      .AddJson("attributes", AttributesJson(entity))
      .Text();
}

std::string WatchJson(const v1::WatchResponse& message) {
  JsonArray gone_relations;
  for (const v1::RelationSelection& gone : message.gone_relations()) {
    gone_relations.AddJson(JsonObject()
                               .AddString("source", gone.source())
                               .AddString("target", gone.target())
                               .AddString("type", gone.type())
                               .AddString("mode", gone.mode())
                               .Text());
  }
  JsonArray entities;
  for (const v1::Entity& entity : message.entities()) entities.AddJson(EntityJson(entity));
  JsonArray relations;
  for (const v1::Relation& relation : message.relations()) {
    relations.AddJson(RelationJson(relation, AnswerDetails::kIncluded));
  }
  return JsonObject()
      .AddString("token", message.token())
      .AddJson("current", message.current() ? "true" : "false")
      .AddJson("goneEntities", JsonStrings(message.gone_entities()))
      .AddJson("goneRelations", gone_relations.Text())
      .AddJson("entities", entities.Text())
      .AddJson("relations", relations.Text())
      .Text();
}

std::string AnswerJson(const v1::GetRelationsResponse& answer, AnswerDetails details) {
  JsonArray nodes;
  for (const v1::Entity& node : answer.nodes()) nodes.AddJson(EntityJson(node));
  JsonArray relations;
  const v1::Relation* previous = nullptr;
  for (const v1::Relation& relation : answer.relations()) {
    // Those of one pair stand next to each other.
    const bool same_pair = previous != nullptr && previous->source() == relation.source() &&
                           previous->target() == relation.target();
    previous = &relation;
    if (same_pair && details == AnswerDetails::kOmitted) continue;
    relations.AddJson(RelationJson(relation, details));
  }
  return JsonObject().AddJson("nodes", nodes.Text()).AddJson("relations", relations.Text()).Text();
}

}  // namespace relations
