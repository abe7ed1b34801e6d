// The loops over the tables of message_rule.cc.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "gateway/message_rule.h"
#include "gateway/wire_values.h"
#include "storage/base/json_text.h"

namespace relations::gateway {

using wire::ReadEntry;
using wire::Time;
using wire::WriteEntry;
using wire::WriteText;

namespace {

// 1970-01-01, which a missing time is.
constexpr char kEpoch[] = "\"1970-01-01T00:00:00Z\"";
constexpr char kCutShort[] = "a message is cut short";
constexpr char kNotUtf8[] = "text is not UTF-8";

}  // namespace

size_t MessageRule::HighSlotOf(uint32_t number) const {
  if (high_slots_.empty()) return fields_.size();
  const auto found = std::lower_bound(high_slots_.begin(), high_slots_.end(),
                                      std::pair<uint32_t, uint32_t>(number, 0));
  const bool known = found != high_slots_.end() && found->first == number;
  return known ? found->second : fields_.size();
}

inline size_t MessageRule::SlotOf(const WireField& field) const {
  const size_t slot = field.number < slot_of_number_.size() ? slot_of_number_[field.number]
                                                            : HighSlotOf(field.number);
  if (slot == fields_.size() || fields_[slot].wire_type == field.type) {
    return slot;
  }
  // A list of numbers may be packed. Any other field of another type on the wire is another field,
  // to any protobuf reader.
  const bool packed = fields_[slot].kind == Kind::kList && field.type == WireField::Type::kBytes;
  return packed ? slot : fields_.size();
}

inline void MessageRule::WriteLabel(const Label& label, JsonBuffer& json) {
  char* const place = json.Reserve(Label::kHeadBytesMax);
  std::memcpy(place, label.head.data(), Label::kHeadBytesMax);
  json.Advance(place + label.head_size);
  if (label.rest != nullptr) json.Raw(*label.rest);
}

void MessageRule::WriteDefault(const Field& field, JsonBuffer& json) {
  if (field.may_be_absent) return;
  WriteLabel(field.label, json);
  switch (field.kind) {
    case Kind::kString:
      return json.Raw("\"\"");
    case Kind::kInt32:
      return json.Raw('0');
    case Kind::kTimestamp:
      return json.Raw(kEpoch);
    case Kind::kScalar:
      return field.scalar->WriteDefault(json);
    case Kind::kStringList:
    case Kind::kList:
      return json.Raw("[]");
    case Kind::kValueMap:
    case Kind::kMap:
      return json.Raw("{}");
    case Kind::kMessage:
      return json.Raw("null");
  }
}

void MessageRule::EndObject(size_t start, JsonBuffer& json) {
  if (json.size() == start) {
    json.Raw('{');
  } else {
    json.Replace(start, '{');
  }
  json.Raw('}');
}

absl::Status MessageRule::Write(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const {
  const Fault fault = WriteWhole(wire, 0, scratch, json);
  return fault == nullptr ? absl::OkStatus()
                          : absl::DataLossError(absl::StrCat("answer of the backend: ", fault));
}

MessageRule::Fault MessageRule::WriteWithin(absl::string_view wire, int depth,
                                            JsonBuffer& json) const {
  if (depth > kDepthMax) return "messages are nested too deeply";
  // The scratch of the message around it is in use.
  Scratch scratch;
  return WriteWhole(wire, depth, scratch, json);
}

MessageRule::Fault MessageRule::WriteWhole(absl::string_view wire, int depth, Scratch& scratch,
                                           JsonBuffer& json) const {
  Order order = Order::kAsDeclared;
  const Fault fault = WriteInOrder(wire, depth, json, order);
  return fault == nullptr && order == Order::kOther ? WriteCollected(wire, depth, scratch, json)
                                                    : fault;
}

// --- Fields in the order of declaration ---

inline MessageRule::Fault MessageRule::WriteTexts(size_t slot, WireReader& reader, WireField& field,
                                                  bool& more, JsonBuffer& json) const {
  char separator = '[';
  do {
    json.Raw(separator);
    separator = ',';
    if (const Fault fault = WriteText(field.bytes, json)) return fault;
    more = reader.NextField(field);
  } while (more && SlotOf(field) == slot);
  json.Raw(']');
  return nullptr;
}

inline MessageRule::Fault MessageRule::WriteAttributes(size_t slot, WireReader& reader,
                                                       WireField& field, bool& more,
                                                       JsonBuffer& json, Order& order) const {
  absl::string_view last_key;
  char separator = '{';
  do {
    absl::string_view key;
    absl::string_view value;
    if (const Fault fault = ReadEntry(field.bytes, key, value)) return fault;
    // The server sends keys in ascending order, which shows at no cost that none comes twice.
    if (separator == ',' && key <= last_key) {
      order = Order::kOther;
      return nullptr;
    }
    last_key = key;
    json.Raw(separator);
    separator = ',';
    if (const Fault fault = WriteEntry(key, value, json)) return fault;
    more = reader.NextField(field);
  } while (more && SlotOf(field) == slot);
  json.Raw('}');
  return nullptr;
}

MessageRule::Fault MessageRule::WriteElements(size_t slot, int depth, WireReader& reader,
                                              WireField& field, bool& more,
                                              JsonBuffer& json) const {
  char separator = '[';
  do {
    const ValueRule& value = *fields_[slot].value;
    if (const Fault fault = value.WriteElements(field, depth, separator, json)) return fault;
    more = reader.NextField(field);
  } while (more && SlotOf(field) == slot);
  json.Raw(separator == '[' ? absl::string_view("[]") : absl::string_view("]"));
  return nullptr;
}

MessageRule::Fault MessageRule::WriteEntries(size_t slot, int depth, WireReader& reader,
                                             WireField& field, bool& more, JsonBuffer& json) const {
  std::vector<absl::string_view> entries;
  do {
    entries.push_back(field.bytes);
    more = reader.NextField(field);
  } while (more && SlotOf(field) == slot);
  return fields_[slot].map->Write(entries, depth, json);
}

inline MessageRule::Fault MessageRule::WriteSingle(const Field& rule, const WireField& field,
                                                   int depth, JsonBuffer& json) {
  switch (rule.kind) {
    case Kind::kString:
      return WriteText(field.bytes, json);
    case Kind::kInt32:
      AppendInteger(static_cast<int32_t>(field.scalar), json);
      return nullptr;
    case Kind::kScalar:
      rule.scalar->Write(field, json);
      return nullptr;
    case Kind::kTimestamp: {
      Time time;
      if (const Fault fault = time.Merge(field.bytes)) return fault;
      return time.Write(json);
    }
    default:
      return rule.value->Write(field, depth, json);
  }
}

inline MessageRule::Fault MessageRule::WriteRun(size_t slot, int depth, WireReader& reader,
                                                WireField& field, bool& more, JsonBuffer& json,
                                                Order& order) const {
  const Field& rule = fields_[slot];
  switch (rule.kind) {
    case Kind::kStringList:
      return WriteTexts(slot, reader, field, more, json);
    case Kind::kValueMap:
      return WriteAttributes(slot, reader, field, more, json, order);
    case Kind::kList:
      return WriteElements(slot, depth, reader, field, more, json);
    case Kind::kMap:
      return WriteEntries(slot, depth, reader, field, more, json);
    default:
      break;
  }
  const Fault fault = WriteSingle(rule, field, depth, json);
  more = reader.NextField(field);
  return fault;
}

MessageRule::Fault MessageRule::WriteInOrder(absl::string_view wire, int depth, JsonBuffer& json,
                                             Order& order) const {
  const size_t start = json.size();
  uint64_t oneofs = 0;
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
    const Field& rule = fields_[slot];
    // A second member of a oneof drives the first one out again.
    const uint64_t oneof = rule.oneof == kNoOneof ? 0 : uint64_t{1} << rule.oneof;
    if (slot < next || (oneofs & oneof) != 0) {
      order = Order::kOther;
    } else {
      oneofs |= oneof;
      for (; next < slot; ++next) WriteDefault(fields_[next], json);
      next = slot + 1;
      WriteLabel(rule.label, json);
      const Fault fault = WriteRun(slot, depth, reader, field, more, json, order);
      if (fault != nullptr) return fault;
    }
    if (order == Order::kOther) {
      json.Truncate(start);
      return nullptr;
    }
  }
  if (!reader.ok()) return kCutShort;
  for (; next < fields_.size(); ++next) WriteDefault(fields_[next], json);
  EndObject(start, json);
  return nullptr;
}

// --- Fields in any order ---

MessageRule::Fault MessageRule::Collect(absl::string_view wire, Scratch& scratch) const {
  auto& occurrences = scratch.occurrences;
  occurrences.clear();
  WireReader reader(wire);
  WireField field;
  while (reader.NextField(field)) {
    const size_t slot = SlotOf(field);
    if (slot == fields_.size()) continue;
    // Also where a later one will count: whether bytes are refused must not depend on their order.
    if (fields_[slot].kind == Kind::kString && !IsValidUtf8(field.bytes)) return kNotUtf8;
    occurrences.push_back({static_cast<uint32_t>(slot), field});
  }
  if (!reader.ok()) return kCutShort;
  if (has_oneofs_) DropBeaten(occurrences);
  std::stable_sort(occurrences.begin(), occurrences.end(),
                   [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return nullptr;
}

void MessageRule::DropBeaten(std::vector<Scratch::Occurrence>& occurrences) const {
  struct Oneof {
    std::optional<uint32_t> last_member;
    bool beaten = false;
  };
  std::array<Oneof, kOneofsMax> oneofs;
  // From the last to the first; what stays moves to the end.
  auto kept = occurrences.end();
  for (auto occurrence = occurrences.end(); occurrence != occurrences.begin();) {
    --occurrence;
    const int index = fields_[occurrence->slot].oneof;
    if (index != kNoOneof) {
      Oneof& oneof = oneofs[static_cast<size_t>(index)];
      if (!oneof.last_member) oneof.last_member = occurrence->slot;
      oneof.beaten = oneof.beaten || *oneof.last_member != occurrence->slot;
      if (oneof.beaten) continue;
    }
    *--kept = *occurrence;
  }
  occurrences.erase(occurrences.begin(), kept);
}

MessageRule::Fault MessageRule::WriteCollected(absl::string_view wire, int depth, Scratch& scratch,
                                               JsonBuffer& json) const {
  if (const Fault fault = Collect(wire, scratch)) return fault;
  const size_t start = json.size();
  const auto& occurrences = scratch.occurrences;
  size_t begin = 0;
  for (size_t slot = 0; slot < fields_.size(); ++slot) {
    size_t end = begin;
    while (end < occurrences.size() && occurrences[end].slot == slot) ++end;
    if (begin == end) {
      WriteDefault(fields_[slot], json);
      continue;
    }
    WriteLabel(fields_[slot].label, json);
    if (const Fault fault = WriteValue(fields_[slot], occurrences, begin, end, depth, json)) {
      return fault;
    }
    begin = end;
  }
  EndObject(start, json);
  return nullptr;
}

MessageRule::Fault MessageRule::WriteValue(const Field& field, Occurrences occurrences,
                                           size_t begin, size_t end, int depth, JsonBuffer& json) {
  switch (field.kind) {
    case Kind::kString:
    case Kind::kInt32:
    case Kind::kScalar:
      return WriteSingle(field, occurrences[end - 1].field, depth, json);
    case Kind::kTimestamp:
      return WriteTimestamp(occurrences, begin, end, json);
    case Kind::kMessage:
      return WriteMerged(field, occurrences, begin, end, depth, json);
    case Kind::kValueMap:
    case Kind::kMap:
      return WriteMap(field, occurrences, begin, end, depth, json);
    case Kind::kStringList:
      for (size_t i = begin; i < end; ++i) {
        json.Raw(i == begin ? '[' : ',');
        if (const Fault fault = WriteText(occurrences[i].field.bytes, json)) return fault;
      }
      json.Raw(']');
      return nullptr;
    case Kind::kList: {
      char separator = '[';
      for (size_t i = begin; i < end; ++i) {
        const WireField& part = occurrences[i].field;
        if (const Fault fault = field.value->WriteElements(part, depth, separator, json)) {
          return fault;
        }
      }
      json.Raw(separator == '[' ? absl::string_view("[]") : absl::string_view("]"));
      return nullptr;
    }
  }
  return "unknown kind of field";
}

MessageRule::Fault MessageRule::WriteMerged(const Field& field, Occurrences occurrences,
                                            size_t begin, size_t end, int depth, JsonBuffer& json) {
  // Messages that stand one behind the other read as one, which is how parts merge.
  std::string parts;
  for (size_t i = begin; i < end; ++i) {
    parts.append(occurrences[i].field.bytes.data(), occurrences[i].field.bytes.size());
  }
  WireField merged = occurrences[end - 1].field;
  merged.bytes = parts;
  return field.value->Write(merged, depth, json);
}

MessageRule::Fault MessageRule::WriteTimestamp(Occurrences occurrences, size_t begin, size_t end,
                                               JsonBuffer& json) {
  Time time;
  for (size_t i = begin; i < end; ++i) {
    if (const Fault fault = time.Merge(occurrences[i].field.bytes)) return fault;
  }
  return time.Write(json);
}

MessageRule::Fault MessageRule::WriteMap(const Field& field, Occurrences occurrences, size_t begin,
                                         size_t end, int depth, JsonBuffer& json) {
  std::vector<absl::string_view> entries;
  entries.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) entries.push_back(occurrences[i].field.bytes);
  return field.map->Write(entries, depth, json);
}

}  // namespace relations::gateway
