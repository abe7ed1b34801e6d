#include "server/ctl/answer_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/base/json_text.h"

namespace relations {
namespace {

// Beyond it not every integer is a double, and digits would claim what is not known.
constexpr double kIntegersMax = 9007199254740992.0;

std::string NumberText(double number) {
  if (number == std::trunc(number) && std::fabs(number) <= kIntegersMax) {
    return absl::StrCat(static_cast<int64_t>(number));
  }
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  return std::string(digits, end.ptr);
}

void AppendKey(absl::string_view key, std::string& json) {
  if (json.back() != '{') json += ',';
  AppendJsonString(key, json);
  json += ':';
}

void AppendString(absl::string_view key, absl::string_view value, std::string& json) {
  AppendKey(key, json);
  AppendJsonString(value, json);
}

void AppendNumber(absl::string_view key, int64_t value, std::string& json) {
  AppendKey(key, json);
  absl::StrAppend(&json, value);
}

template <typename Strings>
void AppendStrings(absl::string_view key, const Strings& values, std::string& json) {
  AppendKey(key, json);
  json += '[';
  for (const std::string& value : values) {
    if (json.back() != '[') json += ',';
    AppendJsonString(value, json);
  }
  json += ']';
}

void AppendAttributes(const relations::v1::Entity& entity, std::string& json) {
  // A map of Protobuf has no order of its own.
  std::vector<const std::string*> keys;
  for (const auto& [key, value] : entity.attributes()) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
  AppendKey("attributes", json);
  json += '{';
  for (const std::string* key : keys) {
    const google::protobuf::Value& value = entity.attributes().at(*key);
    if (value.kind_case() == google::protobuf::Value::kStringValue) {
      AppendString(*key, value.string_value(), json);
    } else if (std::string text = ValueText(value); !text.empty()) {
      AppendKey(*key, json);
      json += text;
    }
  }
  json += '}';
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

std::string EntityJson(const relations::v1::Entity& entity) {
  std::string json = "{";
  AppendString("id", entity.id(), json);
  AppendString("type", entity.type(), json);
  AppendString("@timestamp", TimestampText(entity.timestamp()), json);
  AppendNumber("reputation", entity.reputation(), json);
  AppendNumber("bestReputation", entity.best_reputation(), json);
  AppendNumber("worstReputation", entity.worst_reputation(), json);
  AppendNumber("accuracy", entity.accuracy(), json);
  AppendString("lastSeen", TimestampText(entity.last_seen()), json);
  AppendStrings("tags", entity.tags(), json);
  AppendStrings("visibleBy", entity.visible_by(), json);
  AppendAttributes(entity, json);
  return json + "}";
}

std::string AnswerJson(const relations::v1::GetRelationsResponse& answer, RelationDetails details) {
  std::string json = "{\"nodes\":[";
  for (const relations::v1::Entity& node : answer.nodes()) {
    if (json.back() != '[') json += ',';
    json += EntityJson(node);
  }
  json += "],\"relations\":[";
  const relations::v1::Relation* previous = nullptr;
  for (const relations::v1::Relation& relation : answer.relations()) {
    // Those of one pair stand next to each other.
    const bool same_pair = previous != nullptr && previous->source() == relation.source() &&
                           previous->target() == relation.target();
    previous = &relation;
    if (same_pair && details == RelationDetails::kOmitted) continue;
    if (json.back() != '[') json += ',';
    json += '{';
    AppendString("source", relation.source(), json);
    AppendString("target", relation.target(), json);
    if (details == RelationDetails::kIncluded) {
      AppendString("type", relation.type(), json);
      AppendString("mode", relation.mode(), json);
      AppendString("lastSeen", TimestampText(relation.last_seen()), json);
    }
    json += '}';
  }
  return json + "]}";
}

}  // namespace relations
