// How a scalar field that is no string is written as JSON: numbers, booleans, enumerations and
// bytes, as Protobuf's own JSON writes them.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/json_buffer.h"
#include "gateway/wire_reader.h"
#include "google/protobuf/descriptor.h"

namespace relations::gateway {

// Immutable, thread-safe. Points into the descriptor, which must outlive it.
class ScalarRule {
 public:
  // Nothing for a field that is a string, a message or a group, or google.protobuf.NullValue.
  static std::optional<ScalarRule> Of(const google::protobuf::FieldDescriptor& field);

  // How one value stands on the wire.
  WireField::Type wire_type() const { return wire_type_; }

  // Appends the value of `field`, whose type is wire_type(). 64-bit integers are strings, for no
  // script could hold them; enumerations are names, or numbers where the API knows no name; bytes
  // are base64; "NaN", "Infinity" and "-Infinity" are strings.
  void Write(const WireField& field, JsonBuffer& json) const;

  // Appends the value of a field that is not there.
  void WriteDefault(JsonBuffer& json) const;

 private:
  explicit ScalarRule(const google::protobuf::FieldDescriptor& field);

  google::protobuf::FieldDescriptor::Type type_;
  WireField::Type wire_type_;
  // Of an enumeration, else null.
  const google::protobuf::EnumDescriptor* names_;
};

}  // namespace relations::gateway
