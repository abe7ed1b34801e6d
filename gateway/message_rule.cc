#include "gateway/message_rule.h"

#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "gateway/wire_values.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using wire::ReadEntry;
using wire::Time;
using wire::WriteEntry;
using wire::WriteText;

// 1970-01-01, which a missing time is.
constexpr char kEpoch[] = "\"1970-01-01T00:00:00Z\"";
// Messages within messages; the API has two levels.
constexpr int kDepthMax = 16;

}  // namespace

absl::StatusOr<MessageRule::Kind> MessageRule::KindOf(const FieldDescriptor& field) {
  const bool is_message = field.type() == FieldDescriptor::TYPE_MESSAGE;
  // A default would say that a field is there which is not.
  const bool may_be_absent =
      field.real_containing_oneof() != nullptr || (field.has_presence() && !is_message);
  if (may_be_absent) {
    return absl::InternalError(absl::StrCat("no rule to write ", field.full_name(),
                                            " as JSON: it is optional or in a oneof"));
  }
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    return field.is_repeated() ? Kind::kStringList : Kind::kString;
  }
  if (field.type() == FieldDescriptor::TYPE_INT32 && !field.is_repeated()) {
    return Kind::kInt32;
  }
  if (ScalarRule::Of(field)) {
    return field.is_repeated() ? Kind::kScalarList : Kind::kScalar;
  }
  if (is_message) {
    if (!field.is_repeated() && field.message_type()->full_name() == "google.protobuf.Timestamp") {
      return Kind::kTimestamp;
    }
    if (field.is_map() && field.message_type()->map_key()->type() == FieldDescriptor::TYPE_STRING &&
        field.message_type()->map_value()->type() == FieldDescriptor::TYPE_MESSAGE &&
        field.message_type()->map_value()->message_type()->full_name() == "google.protobuf.Value") {
      return Kind::kValueMap;
    }
    if (!field.is_map() && field.message_type()->file()->package() != "google.protobuf") {
      return field.is_repeated() ? Kind::kMessageList : Kind::kMessage;
    }
  }
  return absl::InternalError(absl::StrCat("no rule to write ", field.full_name(), " as JSON"));
}

absl::StatusOr<MessageRule::Label> MessageRule::LabelOf(const FieldDescriptor& field) {
  std::string text(1, field.index() == 0 ? '{' : ',');
  AppendString(field.json_name(), text);
  text += ':';
  Label label;
  if (text.size() > Label::kBytesMax) {
    return absl::InternalError(
        absl::StrCat("the JSON name of ", field.full_name(), " is too long for its table"));
  }
  std::copy(text.begin(), text.end(), label.text.begin());
  label.size = text.size();
  return label;
}

absl::StatusOr<MessageRule> MessageRule::Make(const Descriptor& type, int fields_max) {
  return MakeAt(type, fields_max, 0);
}

absl::StatusOr<MessageRule> MessageRule::MakeAt(const Descriptor& type, int fields_max, int depth) {
  if (depth > kDepthMax) {
    return absl::InternalError(
        absl::StrCat("messages within ", type.full_name(), " are nested too deeply"));
  }
  MessageRule rule;
  const int count = std::min(fields_max, type.field_count());
  if (count == 0) {
    return absl::InternalError(absl::StrCat("message ", type.full_name(), " has no fields"));
  }
  for (int i = 0; i < count; ++i) {
    const FieldDescriptor& field = *type.field(i);
    ASSIGN_OR_RETURN(const Kind kind, KindOf(field));
    ASSIGN_OR_RETURN(const Label label, LabelOf(field));
    const auto number = static_cast<uint32_t>(field.number());
    Field entry{number, kind, WireField::Type::kBytes, label, ScalarRule::Of(field), nullptr};
    if (entry.scalar) entry.wire_type = entry.scalar->wire_type();
    if (kind == Kind::kMessage || kind == Kind::kMessageList) {
      ASSIGN_OR_RETURN(MessageRule inner, MakeAt(*field.message_type(),
                                                 field.message_type()->field_count(), depth + 1));
      entry.message = std::make_shared<const MessageRule>(std::move(inner));
    }
    rule.fields_.push_back(std::move(entry));
    if (rule.slot_of_number_.size() <= number) {
      rule.slot_of_number_.resize(number + 1, static_cast<uint32_t>(count));
    }
    rule.slot_of_number_[number] = static_cast<uint32_t>(i);
  }
  return rule;
}

size_t MessageRule::SlotOf(const WireField& field) const {
  if (field.number >= slot_of_number_.size()) {
    return fields_.size();
  }
  const size_t slot = slot_of_number_[field.number];
  if (slot == fields_.size() || fields_[slot].wire_type == field.type) {
    return slot;
  }
  // A list of numbers may be packed. Any other field of another type on the wire is another field,
  // to any protobuf reader.
  const bool packed =
      fields_[slot].kind == Kind::kScalarList && field.type == WireField::Type::kBytes;
  return packed ? slot : fields_.size();
}

void MessageRule::WriteLabel(const Label& label, JsonBuffer& json) {
  char* const place = json.Reserve(Label::kBytesMax);
  std::memcpy(place, label.text.data(), Label::kBytesMax);
  json.Advance(place + label.size);
}

void MessageRule::WriteDefault(const Field& field, JsonBuffer& json) {
  switch (field.kind) {
    case Kind::kString:
      json.Raw("\"\"");
      return;
    case Kind::kStringList:
      json.Raw("[]");
      return;
    case Kind::kInt32:
      json.Raw('0');
      return;
    case Kind::kTimestamp:
      json.Raw(kEpoch);
      return;
    case Kind::kValueMap:
      json.Raw("{}");
      return;
    case Kind::kScalar:
      field.scalar->WriteDefault(json);
      return;
    case Kind::kScalarList:
    case Kind::kMessageList:
      json.Raw("[]");
      return;
    case Kind::kMessage:
      json.Raw("null");
      return;
  }
}

absl::Status MessageRule::Write(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const {
  const Fault fault = WriteWhole(wire, scratch, json);
  return fault == nullptr ? absl::OkStatus()
                          : absl::DataLossError(absl::StrCat("answer of the backend: ", fault));
}

MessageRule::Fault MessageRule::WriteWhole(absl::string_view wire, Scratch& scratch,
                                           JsonBuffer& json) const {
  Order order = Order::kAsDeclared;
  const Fault fault = WriteInOrder(wire, json, order);
  return fault == nullptr && order == Order::kOther ? WriteCollected(wire, scratch, json) : fault;
}

MessageRule::Fault MessageRule::WriteMessage(const Field& rule, absl::string_view wire,
                                             JsonBuffer& json) {
  // The scratch of the message around it is in use.
  Scratch scratch;
  return rule.message->WriteWhole(wire, scratch, json);
}

MessageRule::Fault MessageRule::WriteElements(const Field& rule, const WireField& field,
                                              char& separator, JsonBuffer& json) {
  const auto begin_element = [&] {
    json.Raw(separator);
    separator = ',';
  };
  if (rule.kind == Kind::kMessageList) {
    begin_element();
    return WriteMessage(rule, field.bytes, json);
  }
  if (field.type == rule.wire_type) {
    begin_element();
    rule.scalar->Write(field, json);
    return nullptr;
  }
  WireReader packed(field.bytes);
  WireField element;
  while (packed.NextElement(rule.wire_type, element)) {
    begin_element();
    rule.scalar->Write(element, json);
  }
  return packed.ok() ? nullptr : "a packed list is cut short";
}

// --- Fields in the order of declaration ---

MessageRule::Fault MessageRule::WriteInOrder(absl::string_view wire, JsonBuffer& json,
                                             Order& order) const {
  const size_t start = json.size();
  WireReader reader(wire);
  WireField field;
  size_t next = 0;
  bool more = reader.NextField(field);
  while (more) {
    const size_t slot = SlotOf(field);
    if (slot == fields_.size()) {
      more = reader.NextField(field);
      continue;
    }
    if (slot < next) {
      order = Order::kOther;
    } else {
      for (; next < slot; ++next) {
        WriteLabel(fields_[next].label, json);
        WriteDefault(fields_[next], json);
      }
      next = slot + 1;
      WriteLabel(fields_[slot].label, json);
      const Fault fault = WriteRun(fields_[slot], slot, reader, field, more, json, order);
      if (fault != nullptr) return fault;
    }
    if (order == Order::kOther) {
      json.Truncate(start);
      return nullptr;
    }
  }
  if (!reader.ok()) {
    return "a message is cut short";
  }
  for (; next < fields_.size(); ++next) {
    WriteLabel(fields_[next].label, json);
    WriteDefault(fields_[next], json);
  }
  json.Raw('}');
  return nullptr;
}

MessageRule::Fault MessageRule::WriteRun(const Field& rule, size_t slot, WireReader& reader,
                                         WireField& field, bool& more, JsonBuffer& json,
                                         Order& order) const {
  const bool is_list = rule.kind == Kind::kStringList;
  if (is_list || rule.kind == Kind::kValueMap) {
    absl::string_view last_key;
    char separator = is_list ? '[' : '{';
    bool first = true;
    do {
      json.Raw(separator);
      separator = ',';
      Fault fault = nullptr;
      if (is_list) {
        fault = WriteText(field.bytes, json);
      } else {
        absl::string_view key;
        absl::string_view value;
        fault = ReadEntry(field.bytes, key, value);
        // The server sends keys in ascending order, which shows at no cost that none comes twice.
        if (!first && key <= last_key) order = Order::kOther;
        first = false;
        last_key = key;
        if (fault == nullptr) fault = WriteEntry(key, value, json);
      }
      if (fault != nullptr || order == Order::kOther) return fault;
      more = reader.NextField(field);
    } while (more && SlotOf(field) == slot);
    json.Raw(is_list ? ']' : '}');
    return nullptr;
  }
  if (rule.kind == Kind::kScalarList || rule.kind == Kind::kMessageList) {
    char separator = '[';
    do {
      if (const Fault fault = WriteElements(rule, field, separator, json)) return fault;
      more = reader.NextField(field);
    } while (more && SlotOf(field) == slot);
    json.Raw(separator == '[' ? absl::string_view("[]") : absl::string_view("]"));
    return nullptr;
  }
  Fault fault = nullptr;
  if (rule.kind == Kind::kString) {
    fault = WriteText(field.bytes, json);
  } else if (rule.kind == Kind::kScalar) {
    rule.scalar->Write(field, json);
  } else if (rule.kind == Kind::kMessage) {
    fault = WriteMessage(rule, field.bytes, json);
  } else if (rule.kind == Kind::kInt32) {
    AppendInteger(static_cast<int32_t>(field.scalar), json);
  } else {
    Time time;
    fault = time.Merge(field.bytes);
    if (fault == nullptr) fault = time.Write(json);
  }
  more = reader.NextField(field);
  return fault;
}

// --- Fields in any order ---

MessageRule::Fault MessageRule::Collect(absl::string_view wire, Scratch& scratch) const {
  scratch.occurrences.clear();
  WireReader reader(wire);
  WireField field;
  while (reader.NextField(field)) {
    const size_t slot = SlotOf(field);
    if (slot == fields_.size()) continue;
    scratch.occurrences.push_back({static_cast<uint32_t>(slot), field});
  }
  if (!reader.ok()) {
    return "a message is cut short";
  }
  std::stable_sort(scratch.occurrences.begin(), scratch.occurrences.end(),
                   [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return nullptr;
}

MessageRule::Fault MessageRule::WriteCollected(absl::string_view wire, Scratch& scratch,
                                               JsonBuffer& json) const {
  if (const Fault fault = Collect(wire, scratch)) return fault;
  const auto& occurrences = scratch.occurrences;
  size_t begin = 0;
  for (size_t slot = 0; slot < fields_.size(); ++slot) {
    size_t end = begin;
    while (end < occurrences.size() && occurrences[end].slot == slot) ++end;
    WriteLabel(fields_[slot].label, json);
    if (begin == end) {
      WriteDefault(fields_[slot], json);
    } else if (const Fault fault = WriteValue(fields_[slot], occurrences, begin, end, json)) {
      return fault;
    }
    begin = end;
  }
  json.Raw('}');
  return nullptr;
}

MessageRule::Fault MessageRule::WriteValue(const Field& field, Occurrences occurrences,
                                           size_t begin, size_t end, JsonBuffer& json) {
  switch (field.kind) {
    case Kind::kString:
      return WriteText(occurrences[end - 1].field.bytes, json);
    case Kind::kInt32:
      AppendInteger(static_cast<int32_t>(occurrences[end - 1].field.scalar), json);
      return nullptr;
    case Kind::kTimestamp:
      return WriteTimestamp(occurrences, begin, end, json);
    case Kind::kValueMap:
      return WriteMap(occurrences, begin, end, json);
    case Kind::kStringList:
      for (size_t i = begin; i < end; ++i) {
        json.Raw(i == begin ? '[' : ',');
        if (const Fault fault = WriteText(occurrences[i].field.bytes, json)) return fault;
      }
      json.Raw(']');
      return nullptr;
    case Kind::kScalar:
      field.scalar->Write(occurrences[end - 1].field, json);
      return nullptr;
    case Kind::kScalarList:
    case Kind::kMessageList: {
      char separator = '[';
      for (size_t i = begin; i < end; ++i) {
        if (const Fault fault = WriteElements(field, occurrences[i].field, separator, json)) {
          return fault;
        }
      }
      json.Raw(separator == '[' ? absl::string_view("[]") : absl::string_view("]"));
      return nullptr;
    }
    case Kind::kMessage:
      return WriteMerged(field, occurrences, begin, end, json);
  }
  return "unknown kind of field";
}

MessageRule::Fault MessageRule::WriteMerged(const Field& field, Occurrences occurrences,
                                            size_t begin, size_t end, JsonBuffer& json) {
  // Messages that stand one behind the other read as one, which is how parts merge.
  std::string parts;
  for (size_t i = begin; i < end; ++i) {
    parts.append(occurrences[i].field.bytes.data(), occurrences[i].field.bytes.size());
  }
  return WriteMessage(field, parts, json);
}

MessageRule::Fault MessageRule::WriteTimestamp(Occurrences occurrences, size_t begin, size_t end,
                                               JsonBuffer& json) {
  Time time;
  for (size_t i = begin; i < end; ++i) {
    if (const Fault fault = time.Merge(occurrences[i].field.bytes)) return fault;
  }
  return time.Write(json);
}

MessageRule::Fault MessageRule::WriteMap(Occurrences occurrences, size_t begin, size_t end,
                                         JsonBuffer& json) {
  // A key that stands twice counts once, with its last value.
  std::vector<std::pair<absl::string_view, absl::string_view>> entries;
  entries.reserve(end - begin);
  absl::flat_hash_map<absl::string_view, size_t> last_place;
  for (size_t i = begin; i < end; ++i) {
    absl::string_view key;
    absl::string_view value;
    if (const Fault fault = ReadEntry(occurrences[i].field.bytes, key, value)) return fault;
    last_place[key] = entries.size();
    entries.emplace_back(key, value);
  }
  char separator = '{';
  for (size_t i = 0; i < entries.size(); ++i) {
    if (last_place[entries[i].first] != i) continue;
    json.Raw(separator);
    separator = ',';
    if (const Fault fault = WriteEntry(entries[i].first, entries[i].second, json)) return fault;
  }
  json.Raw('}');
  return nullptr;
}

}  // namespace relations::gateway
