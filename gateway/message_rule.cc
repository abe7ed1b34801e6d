#include "gateway/message_rule.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr uint32_t kNoSlot = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kMapKey = 1;
constexpr uint32_t kMapValue = 2;
// The kinds of google.protobuf.Value that an attribute may have, by field number.
constexpr uint32_t kNumberValue = 2;
constexpr uint32_t kStringValue = 3;
constexpr uint32_t kBoolValue = 4;
constexpr uint32_t kValueKindMax = 6;
// Fields of google.protobuf.Timestamp.
constexpr uint32_t kSeconds = 1;
constexpr uint32_t kNanos = 2;

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("answer of the backend: ", what));
}

absl::Status WriteText(absl::string_view text, std::string& json) {
  return AppendString(text, json) ? absl::OkStatus() : Damaged("text is not UTF-8");
}

// Splits a map entry. Later occurrences beat earlier ones; a missing key is "".
absl::Status ReadEntry(absl::string_view entry, absl::string_view& key, absl::string_view& value) {
  WireReader reader(entry);
  WireField field;
  key = {};
  value = {};
  while (reader.NextField(field)) {
    if (field.type != WireField::Type::kBytes) continue;
    if (field.number == kMapKey) key = field.bytes;
    if (field.number == kMapValue) value = field.bytes;
  }
  return reader.ok() ? absl::OkStatus() : Damaged("a map entry is cut short");
}

// A google.protobuf.Value of the three kinds that attributes have.
absl::Status WriteAttribute(absl::string_view value, std::string& json) {
  WireReader reader(value);
  WireField field;
  WireField last;
  while (reader.NextField(field)) {
    if (field.number <= kValueKindMax) last = field;
  }
  if (!reader.ok()) {
    return Damaged("an attribute is cut short");
  }
  if (last.number == kStringValue && last.type == WireField::Type::kBytes) {
    return WriteText(last.bytes, json);
  }
  if (last.number == kNumberValue && last.type == WireField::Type::kFixed64) {
    return AppendNumber(std::bit_cast<double>(last.scalar), json)
               ? absl::OkStatus()
               : Damaged("an attribute is not a finite number");
  }
  if (last.number == kBoolValue && last.type == WireField::Type::kVarint) {
    json += last.scalar != 0 ? "true" : "false";
    return absl::OkStatus();
  }
  return Damaged("an attribute is neither string, number nor boolean");
}

}  // namespace

absl::StatusOr<MessageRule::Kind> MessageRule::KindOf(const FieldDescriptor& field) {
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    return field.is_repeated() ? Kind::kStringList : Kind::kString;
  }
  if (field.type() == FieldDescriptor::TYPE_INT32 && !field.is_repeated()) {
    return Kind::kInt32;
  }
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    if (!field.is_repeated() && field.message_type()->full_name() == "google.protobuf.Timestamp") {
      return Kind::kTimestamp;
    }
    if (field.is_map() && field.message_type()->map_key()->type() == FieldDescriptor::TYPE_STRING &&
        field.message_type()->map_value()->type() == FieldDescriptor::TYPE_MESSAGE &&
        field.message_type()->map_value()->message_type()->full_name() == "google.protobuf.Value") {
      return Kind::kValueMap;
    }
  }
  return absl::InternalError(absl::StrCat("no rule to write ", field.full_name(), " as JSON"));
}

absl::StatusOr<MessageRule> MessageRule::Make(const Descriptor& type, int fields_max) {
  MessageRule rule;
  const int count = std::min(fields_max, type.field_count());
  for (int i = 0; i < count; ++i) {
    const FieldDescriptor& field = *type.field(i);
    ASSIGN_OR_RETURN(const Kind kind, KindOf(field));
    const auto number = static_cast<uint32_t>(field.number());
    std::string label(1, i == 0 ? '{' : ',');
    AppendString(field.json_name(), label);
    label += ':';
    rule.fields_.push_back({number, kind, std::move(label)});
    if (rule.slot_of_number_.size() <= number) {
      rule.slot_of_number_.resize(number + 1, kNoSlot);
    }
    rule.slot_of_number_[number] = static_cast<uint32_t>(i);
  }
  if (rule.fields_.empty()) {
    return absl::InternalError(absl::StrCat("message ", type.full_name(), " has no fields"));
  }
  return rule;
}

absl::Status MessageRule::Collect(absl::string_view wire, Scratch& scratch) const {
  scratch.occurrences.clear();
  WireReader reader(wire);
  WireField field;
  bool in_order = true;
  uint32_t last_slot = 0;
  while (reader.NextField(field)) {
    const uint32_t slot =
        field.number < slot_of_number_.size() ? slot_of_number_[field.number] : kNoSlot;
    if (slot == kNoSlot) continue;
    const auto expected =
        fields_[slot].kind == Kind::kInt32 ? WireField::Type::kVarint : WireField::Type::kBytes;
    if (field.type != expected) continue;
    in_order = in_order && slot >= last_slot;
    last_slot = slot;
    scratch.occurrences.push_back({slot, field});
  }
  if (!reader.ok()) {
    return Damaged("a message is cut short");
  }
  if (!in_order) {
    std::stable_sort(scratch.occurrences.begin(), scratch.occurrences.end(),
                     [](const auto& a, const auto& b) { return a.slot < b.slot; });
  }
  return absl::OkStatus();
}

absl::Status MessageRule::Write(absl::string_view wire, Scratch& scratch, std::string& json) const {
  RETURN_IF_ERROR(Collect(wire, scratch));
  const auto& occurrences = scratch.occurrences;
  size_t begin = 0;
  for (size_t slot = 0; slot < fields_.size(); ++slot) {
    size_t end = begin;
    while (end < occurrences.size() && occurrences[end].slot == slot) ++end;
    json += fields_[slot].label;
    RETURN_IF_ERROR(WriteValue(fields_[slot], occurrences, begin, end, json));
    begin = end;
  }
  json += '}';
  return absl::OkStatus();
}

absl::Status MessageRule::WriteValue(const Field& field, Occurrences occurrences, size_t begin,
                                     size_t end, std::string& json) {
  switch (field.kind) {
    case Kind::kString:
      return WriteText(begin == end ? absl::string_view() : occurrences[end - 1].field.bytes, json);
    case Kind::kInt32:
      AppendInteger(begin == end ? 0 : static_cast<int32_t>(occurrences[end - 1].field.scalar),
                    json);
      return absl::OkStatus();
    case Kind::kTimestamp:
      return WriteTimestamp(occurrences, begin, end, json);
    case Kind::kValueMap:
      return WriteMap(occurrences, begin, end, json);
    case Kind::kStringList:
      json += '[';
      for (size_t i = begin; i < end; ++i) {
        if (i != begin) json += ',';
        RETURN_IF_ERROR(WriteText(occurrences[i].field.bytes, json));
      }
      json += ']';
      return absl::OkStatus();
  }
  return absl::InternalError("unknown kind of field");
}

absl::Status MessageRule::WriteTimestamp(Occurrences occurrences, size_t begin, size_t end,
                                         std::string& json) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  // Several occurrences of a message merge field by field.
  for (size_t i = begin; i < end; ++i) {
    WireReader reader(occurrences[i].field.bytes);
    WireField field;
    while (reader.NextField(field)) {
      if (field.type != WireField::Type::kVarint) continue;
      if (field.number == kSeconds) seconds = static_cast<int64_t>(field.scalar);
      if (field.number == kNanos) nanos = static_cast<int32_t>(field.scalar);
    }
    if (!reader.ok()) {
      return Damaged("a time is cut short");
    }
  }
  return AppendTimestamp(seconds, nanos, json) ? absl::OkStatus()
                                               : Damaged("a time is outside the years 1 to 9999");
}

absl::Status MessageRule::WriteMap(Occurrences occurrences, size_t begin, size_t end,
                                   std::string& json) {
  // A key that stands twice counts once, with its last value. The server sends keys in ascending
  // order, which shows at no cost that none does.
  std::vector<std::pair<absl::string_view, absl::string_view>> entries;
  entries.reserve(end - begin);
  bool ascending = true;
  for (size_t i = begin; i < end; ++i) {
    absl::string_view key;
    absl::string_view value;
    RETURN_IF_ERROR(ReadEntry(occurrences[i].field.bytes, key, value));
    ascending = ascending && (entries.empty() || entries.back().first < key);
    entries.emplace_back(key, value);
  }
  absl::flat_hash_map<absl::string_view, size_t> last_place;
  if (!ascending) {
    for (size_t i = 0; i < entries.size(); ++i) last_place[entries[i].first] = i;
  }
  char separator = '{';
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!ascending && last_place[entries[i].first] != i) continue;
    json += separator;
    separator = ',';
    RETURN_IF_ERROR(WriteText(entries[i].first, json));
    json += ':';
    RETURN_IF_ERROR(WriteAttribute(entries[i].second, json));
  }
  json += separator == '{' ? "{}" : "}";
  return absl::OkStatus();
}

}  // namespace relations::gateway
