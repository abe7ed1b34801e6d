#include "gateway/scalar_rule.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <string>

#include "absl/strings/escaping.h"
#include "gateway/json_writer.h"

namespace relations::gateway {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

WireField::Type WireTypeOf(FieldDescriptor::Type type) {
  switch (type) {
    case FieldDescriptor::TYPE_BYTES:
      return WireField::Type::kBytes;
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return WireField::Type::kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return WireField::Type::kFixed32;
    default:
      return WireField::Type::kVarint;
  }
}

int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

template <typename T>
void AppendDigits(T number, JsonBuffer& json) {
  char* const place = json.Reserve(32);
  json.Advance(std::to_chars(place, place + 32, number).ptr);
}

// A 64-bit integer.
template <typename T>
void AppendLong(T number, JsonBuffer& json) {
  json.Raw('"');
  AppendDigits(number, json);
  json.Raw('"');
}

// The shortest form that reads back to the same value.
template <typename T>
void AppendReal(T number, JsonBuffer& json) {
  if (std::isnan(number)) {
    json.Raw("\"NaN\"");
  } else if (std::isinf(number)) {
    json.Raw(number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else {
    AppendDigits(number, json);
  }
}

void AppendName(const google::protobuf::EnumDescriptor& names, int32_t number, JsonBuffer& json) {
  const EnumValueDescriptor* const value = names.FindValueByNumber(number);
  if (value == nullptr) {
    AppendInteger(number, json);
  } else {
    AppendString(value->name(), json);
  }
}

void AppendBase64(absl::string_view bytes, JsonBuffer& json) {
  json.Raw('"');
  json.Raw(absl::Base64Escape(bytes));
  json.Raw('"');
}

}  // namespace

ScalarRule::ScalarRule(const FieldDescriptor& field)
    : type_(field.type()),
      wire_type_(WireTypeOf(field.type())),
      names_(field.type() == FieldDescriptor::TYPE_ENUM ? field.enum_type() : nullptr) {}

std::optional<ScalarRule> ScalarRule::Of(const FieldDescriptor& field) {
  const bool scalar = field.type() != FieldDescriptor::TYPE_STRING &&
                      field.type() != FieldDescriptor::TYPE_MESSAGE &&
                      field.type() != FieldDescriptor::TYPE_GROUP;
  // Its only value is written as null, which no reader of this API expects.
  const bool is_null = field.type() == FieldDescriptor::TYPE_ENUM &&
                       field.enum_type()->full_name() == "google.protobuf.NullValue";
  return scalar && !is_null ? std::optional(ScalarRule(field)) : std::nullopt;
}

void ScalarRule::Write(const WireField& field, JsonBuffer& json) const {
  const uint64_t bits = field.scalar;
  switch (type_) {
    case FieldDescriptor::TYPE_BOOL:
      json.Raw(bits != 0 ? "true" : "false");
      return;
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_SFIXED32:
      AppendInteger(static_cast<int32_t>(bits), json);
      return;
    case FieldDescriptor::TYPE_SINT32:
      AppendInteger(static_cast<int32_t>(UnZigZag(bits & 0xFFFFFFFF)), json);
      return;
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_FIXED32:
      AppendInteger(static_cast<uint32_t>(bits), json);
      return;
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SFIXED64:
      AppendLong(static_cast<int64_t>(bits), json);
      return;
    case FieldDescriptor::TYPE_SINT64:
      AppendLong(UnZigZag(bits), json);
      return;
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_FIXED64:
      AppendLong(bits, json);
      return;
    case FieldDescriptor::TYPE_DOUBLE:
      AppendReal(std::bit_cast<double>(bits), json);
      return;
    case FieldDescriptor::TYPE_FLOAT:
      AppendReal(std::bit_cast<float>(static_cast<uint32_t>(bits)), json);
      return;
    case FieldDescriptor::TYPE_ENUM:
      AppendName(*names_, static_cast<int32_t>(bits), json);
      return;
    case FieldDescriptor::TYPE_BYTES:
      AppendBase64(field.bytes, json);
      return;
    default:
      return;
  }
}

void ScalarRule::WriteDefault(JsonBuffer& json) const {
  // Zero on the wire is every type's default; proto3 has no other.
  Write(WireField{0, wire_type_, 0, {}}, json);
}

}  // namespace relations::gateway
