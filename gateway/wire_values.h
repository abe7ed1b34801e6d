// The values of the API that stand in messages of their own on the wire, and how each is written as
// JSON: texts, attributes, times. Inline, for they are most of the work on an answer. Pure
// functions.
#pragma once

#include <bit>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "gateway/json_writer.h"
#include "gateway/wire_reader.h"

namespace relations::gateway::wire {

// What is wrong with the bytes, a literal; nullptr: nothing.
using Fault = const char*;

inline constexpr uint32_t kMapKey = 1;
inline constexpr uint32_t kMapValue = 2;
// The kinds of google.protobuf.Value that an attribute may have, by field number.
inline constexpr uint32_t kNumberValue = 2;
inline constexpr uint32_t kStringValue = 3;
inline constexpr uint32_t kBoolValue = 4;
inline constexpr uint32_t kValueKindMax = 6;
// Fields of google.protobuf.Timestamp.
inline constexpr uint32_t kSeconds = 1;
inline constexpr uint32_t kNanos = 2;

inline Fault WriteText(absl::string_view text, JsonBuffer& json) {
  return AppendString(text, json) ? nullptr : "text is not UTF-8";
}

// Splits a map entry. Later occurrences beat earlier ones; a missing key is "".
inline Fault ReadEntry(absl::string_view entry, absl::string_view& key, absl::string_view& value) {
  WireReader reader(entry);
  WireField field;
  key = {};
  value = {};
  while (reader.NextField(field)) {
    if (field.type != WireField::Type::kBytes) continue;
    if (field.number == kMapKey) key = field.bytes;
    if (field.number == kMapValue) value = field.bytes;
  }
  return reader.ok() ? nullptr : "a map entry is cut short";
}

// A google.protobuf.Value of the three kinds that attributes have.
inline Fault WriteAttribute(absl::string_view value, JsonBuffer& json) {
  WireReader reader(value);
  WireField field;
  WireField last;
  while (reader.NextField(field)) {
    if (field.number <= kValueKindMax) last = field;
  }
  if (!reader.ok()) {
    return "an attribute is cut short";
  }
  if (last.number == kStringValue && last.type == WireField::Type::kBytes) {
    return WriteText(last.bytes, json);
  }
  if (last.number == kNumberValue && last.type == WireField::Type::kFixed64) {
    return AppendNumber(std::bit_cast<double>(last.scalar), json)
               ? nullptr
               : "an attribute is not a finite number";
  }
  if (last.number == kBoolValue && last.type == WireField::Type::kVarint) {
    json.Raw(last.scalar != 0 ? "true" : "false");
    return nullptr;
  }
  return "an attribute is neither string, number nor boolean";
}

inline Fault WriteEntry(absl::string_view key, absl::string_view value, JsonBuffer& json) {
  if (const Fault fault = WriteText(key, json)) return fault;
  json.Raw(':');
  return WriteAttribute(value, json);
}

// A google.protobuf.Timestamp. Several occurrences of a message merge field by field.
struct Time {
  int64_t seconds = 0;
  int32_t nanos = 0;

  Fault Merge(absl::string_view wire) {
    WireReader reader(wire);
    WireField field;
    while (reader.NextField(field)) {
      if (field.type != WireField::Type::kVarint) continue;
      if (field.number == kSeconds) seconds = static_cast<int64_t>(field.scalar);
      if (field.number == kNanos) nanos = static_cast<int32_t>(field.scalar);
    }
    return reader.ok() ? nullptr : "a time is cut short";
  }
  Fault Write(JsonBuffer& json) const {
    return AppendTimestamp(seconds, nanos, json) ? nullptr
                                                 : "a time is outside the years 1 to 9999";
  }
};

}  // namespace relations::gateway::wire
