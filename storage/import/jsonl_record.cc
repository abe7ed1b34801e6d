#include "storage/import/jsonl_record.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"
#include "storage/import/timestamp_text.h"
#include "storage/import/value_normaliser.h"

namespace relations {
namespace {

// Larger whole numbers do not survive as a double.
constexpr int64_t kExactIntegerMax = int64_t{1} << 53;

absl::Status Fault(absl::string_view key, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(key, ": ", what));
}

absl::Status Fault(absl::string_view key, absl::string_view what, size_t limit,
                   absl::string_view unit) {
  return Fault(key, absl::StrCat(what, " ", limit, unit));
}

absl::StatusOr<std::string> ReadString(absl::string_view key, const JsonElement& value) {
  const auto text = AsString(value);
  if (!text.has_value()) {
    return Fault(key, "not a string");
  }
  if (!IsValidUtf8(*text)) {
    return Fault(key, "not valid Unicode (a lone surrogate)");
  }
  return std::string(*text);
}

absl::StatusOr<std::string> ReadId(absl::string_view key, const JsonElement& value) {
  const auto text = AsString(value);
  // An id is ASCII: there is nothing else to check.
  if (text.has_value() && IsEntityId(*text)) return std::string(*text);
  RETURN_IF_ERROR(ReadString(key, value).status());
  return Fault(key, "not an entity id: 3 to 128 of A-Z a-z 0-9 and -, a - inside");
}

absl::StatusOr<std::string> ReadType(const JsonElement& value) {
  ASSIGN_OR_RETURN(std::string type, ReadString("type", value));
  const bool good = !type.empty() && type.size() <= limits::kTypeBytesMax &&
                    std::all_of(type.begin(), type.end(), [](char c) {
                      return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                             absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
                    });
  if (!good) {
    return Fault("type", "not an entity type: 1 to 64 of a-z 0-9 and -");
  }
  return type;
}

absl::StatusOr<absl::Time> ReadTime(absl::string_view key, const JsonElement& value) {
  ASSIGN_OR_RETURN(const std::string text, ReadString(key, value));
  const std::optional<absl::Time> time = ParseRfc3339(text);
  if (!time.has_value()) {
    return Fault(key,
                 "not an RFC 3339 time of the years 1 to 9999 with at most 9 digits of "
                 "fraction");
  }
  return *time;
}

absl::StatusOr<int32_t> ReadInt32(absl::string_view key, const JsonElement& value) {
  int64_t number;
  if (value.get(number) || number < std::numeric_limits<int32_t>::min() ||
      number > std::numeric_limits<int32_t>::max()) {
    return Fault(key, "not an integer of 32 bits");
  }
  return static_cast<int32_t>(number);
}

absl::StatusOr<std::vector<std::string>> ReadStrings(absl::string_view key,
                                                     const JsonElement& value) {
  const auto array = AsArray(value);
  if (!array.has_value()) {
    return Fault(key, "not an array of strings");
  }
  std::vector<std::string> strings;
  for (const JsonElement element : *array) {
    ASSIGN_OR_RETURN(std::string text, ReadString(key, element));
    strings.push_back(std::move(text));
  }
  return strings;
}

absl::StatusOr<GroupSet> ReadGroups(const JsonElement& value) {
  ASSIGN_OR_RETURN(std::vector<std::string> groups, ReadStrings("visibleBy", value));
  for (const std::string& group : groups) {
    if (!IsGroupName(group)) {
      return Fault("visibleBy",
                   "a group name is 1 to 128 bytes without comma and control "
                   "characters");
    }
  }
  GroupSet set = CanonicalGroups(std::move(groups));
  if (set.empty()) {
    return Fault("visibleBy", "empty: nobody could see it");
  }
  if (set.size() > limits::kVisibleByMax) {
    return Fault("visibleBy", "more groups than", limits::kVisibleByMax, "");
  }
  return set;
}

// Tags in their order, each once.
absl::Status ReadTags(const JsonElement& value, relations::v1::Entity& entity) {
  ASSIGN_OR_RETURN(const std::vector<std::string> tags, ReadStrings("tags", value));
  absl::flat_hash_set<absl::string_view> seen;
  for (const std::string& tag : tags) {
    if (tag.size() > limits::kTagBytesMax) {
      return Fault("tags", "a tag is longer than", limits::kTagBytesMax, " bytes");
    }
    if (seen.insert(tag).second) {
      entity.add_tags(tag);
    }
  }
  if (seen.size() > limits::kTagsMax) {
    return Fault("tags", "more tags than", limits::kTagsMax, "");
  }
  return absl::OkStatus();
}

absl::Status ReadAttribute(absl::string_view name, const JsonElement& value,
                           google::protobuf::Value& attribute) {
  const std::string key = absl::StrCat("attributes.", name);
  switch (value.type()) {
    case simdjson::dom::element_type::STRING: {
      ASSIGN_OR_RETURN(std::string text, ReadString(key, value));
      if (text.size() > limits::kValueBytesMax) {
        return Fault(key, "longer than", limits::kValueBytesMax, " bytes");
      }
      attribute.set_string_value(std::move(text));
      return absl::OkStatus();
    }
    case simdjson::dom::element_type::BOOL:
      attribute.set_bool_value(bool{value});
      return absl::OkStatus();
    case simdjson::dom::element_type::DOUBLE:
      attribute.set_number_value(double{value});
      return absl::OkStatus();
    case simdjson::dom::element_type::INT64: {
      const int64_t number{value};
      if (number < -kExactIntegerMax || number > kExactIntegerMax) {
        return Fault(key, "an integer beyond 2^53 would lose digits; give it as a string");
      }
      attribute.set_number_value(static_cast<double>(number));
      return absl::OkStatus();
    }
    case simdjson::dom::element_type::UINT64:
      return Fault(key, "an integer beyond 2^53 would lose digits; give it as a string");
    default:
      return Fault(key, "neither string, number nor boolean");
  }
}

// Tells a key that comes again in one object.
class KeySet {
 public:
  absl::Status Add(absl::string_view key) {
    if (!Insert(key)) return Fault(key, "the key comes twice");
    return absl::OkStatus();
  }

 private:
  // Most objects have few keys, which are compared one by one faster than a table is made.
  static constexpr size_t kFewKeys = 16;

  bool Insert(absl::string_view key) {
    if (!many_.empty()) return many_.insert(key).second;
    const auto end = few_.begin() + static_cast<ptrdiff_t>(count_);
    if (std::find(few_.begin(), end, key) != end) return false;
    if (count_ < kFewKeys) {
      few_[count_++] = key;
    } else {
      many_.insert(few_.begin(), few_.end());
      many_.insert(key);
    }
    return true;
  }

  std::array<absl::string_view, kFewKeys> few_;
  size_t count_ = 0;
  absl::flat_hash_set<absl::string_view> many_;
};

absl::Status ReadAttributes(const JsonElement& value, relations::v1::Entity& entity) {
  const auto object = AsObject(value);
  if (!object.has_value()) {
    return Fault("attributes", "not an object");
  }
  KeySet keys;
  for (const auto [key, member] : *object) {
    const absl::string_view name = ToView(key);
    RETURN_IF_ERROR(keys.Add(name));
    if (member.is_null()) continue;
    if (!IsValidUtf8(name)) {
      return Fault("attributes", "a key is not valid Unicode (a lone surrogate)");
    }
    RETURN_IF_ERROR(ReadAttribute(name, member, (*entity.mutable_attributes())[std::string(name)]));
  }
  if (static_cast<size_t>(entity.attributes().size()) > limits::kAttributesMax) {
    return Fault("attributes", "more attributes than", limits::kAttributesMax, "");
  }
  return absl::OkStatus();
}

struct EntityTimes {
  std::optional<absl::Time> timestamp;
  std::optional<absl::Time> last_seen;
};

// Reads one member that is not null; false when its key means nothing.
absl::StatusOr<bool> ReadEntityMember(absl::string_view key, const JsonElement& value,
                                      relations::v1::Entity& entity, EntityTimes& times) {
  if (key == "id") {
    ASSIGN_OR_RETURN(*entity.mutable_id(), ReadId(key, value));
  } else if (key == "type") {
    ASSIGN_OR_RETURN(*entity.mutable_type(), ReadType(value));
  } else if (key == "@timestamp") {
    ASSIGN_OR_RETURN(times.timestamp, ReadTime(key, value));
  } else if (key == "lastSeen") {
    ASSIGN_OR_RETURN(times.last_seen, ReadTime(key, value));
  } else if (key == "reputation") {
    ASSIGN_OR_RETURN(const int32_t number, ReadInt32(key, value));
    entity.set_reputation(number);
  } else if (key == "bestReputation") {
    ASSIGN_OR_RETURN(const int32_t number, ReadInt32(key, value));
    entity.set_best_reputation(number);
  } else if (key == "worstReputation") {
    ASSIGN_OR_RETURN(const int32_t number, ReadInt32(key, value));
    entity.set_worst_reputation(number);
  } else if (key == "accuracy") {
    ASSIGN_OR_RETURN(const int32_t number, ReadInt32(key, value));
    entity.set_accuracy(number);
  } else if (key == "tags") {
    RETURN_IF_ERROR(ReadTags(value, entity));
  } else if (key == "visibleBy") {
    ASSIGN_OR_RETURN(const GroupSet groups, ReadGroups(value));
    entity.mutable_visible_by()->Add(groups.begin(), groups.end());
  } else if (key == "attributes") {
    RETURN_IF_ERROR(ReadAttributes(value, entity));
  } else {
    return false;
  }
  return true;
}

absl::StatusOr<bool> ReadRelationMember(absl::string_view key, const JsonElement& value,
                                        ImportedRelation& relation) {
  if (key == "source") {
    ASSIGN_OR_RETURN(relation.source, ReadId(key, value));
  } else if (key == "target") {
    ASSIGN_OR_RETURN(relation.target, ReadId(key, value));
  } else if (key == "type") {
    ASSIGN_OR_RETURN(const std::string text, ReadString(key, value));
    relation.type = SafeRelationType(text);
    if (relation.type.size() > limits::kRelationTypeBytesMax) {
      return Fault(key, "longer than", limits::kRelationTypeBytesMax, " bytes");
    }
  } else if (key == "mode") {
    ASSIGN_OR_RETURN(const std::string name, ReadString(key, value));
    if (!ParseRelationMode(name, &relation.mode)) {
      return Fault(key, "neither association nor aggregation");
    }
  } else if (key == "lastSeen") {
    ASSIGN_OR_RETURN(relation.last_seen, ReadTime(key, value));
  } else if (key == "visibleBy") {
    ASSIGN_OR_RETURN(relation.visible_by, ReadGroups(value));
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool IsRelationRecord(const JsonObject& object) {
  return Member(object, "source").has_value() && Member(object, "target").has_value();
}

absl::StatusOr<relations::v1::Entity> ReadEntityRecord(const JsonObject& object,
                                                       const ImportOptions& options,
                                                       std::vector<std::string>& unknown_keys) {
  relations::v1::Entity entity;
  EntityTimes times;
  KeySet keys;
  for (const auto [key, member] : object) {
    const absl::string_view name = ToView(key);
    RETURN_IF_ERROR(keys.Add(name));
    if (member.is_null()) continue;
    ASSIGN_OR_RETURN(const bool known, ReadEntityMember(name, member, entity, times));
    if (!known) {
      unknown_keys.emplace_back(name);
    }
  }
  for (const auto& [name, text] :
       {std::pair<const char*, const std::string&>("id", entity.id()), {"type", entity.type()}}) {
    if (text.empty()) {
      return Fault(name, "missing");
    }
  }
  if (entity.visible_by().empty()) {
    entity.mutable_visible_by()->Add(options.visible_by.begin(), options.visible_by.end());
  }
  const absl::Time timestamp = times.timestamp.value_or(times.last_seen.value_or(options.now));
  *entity.mutable_timestamp() = ToTimestamp(timestamp);
  *entity.mutable_last_seen() = ToTimestamp(times.last_seen.value_or(timestamp));
  if (entity.ByteSizeLong() > limits::kEntityRecordBytesMax) {
    return Fault("attributes", "the entity's record is larger than", limits::kEntityRecordBytesMax,
                 " bytes");
  }
  return entity;
}

absl::StatusOr<ImportedRelation> ReadRelationRecord(const JsonObject& object,
                                                    std::vector<std::string>& unknown_keys) {
  ImportedRelation relation;
  relation.type = SafeRelationType("");
  KeySet keys;
  for (const auto [key, member] : object) {
    const absl::string_view name = ToView(key);
    RETURN_IF_ERROR(keys.Add(name));
    if (member.is_null()) continue;
    ASSIGN_OR_RETURN(const bool known, ReadRelationMember(name, member, relation));
    if (!known) {
      unknown_keys.emplace_back(name);
    }
  }
  return relation;
}

}  // namespace relations
