// How one value is written as JSON: an element of a list, the value of a map, a member of a message
// that is a message itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/json_buffer.h"
#include "gateway/scalar_rule.h"
#include "gateway/wire_reader.h"
#include "google/protobuf/descriptor.h"

namespace relations::gateway {

class MessageRule;

// Gives the rule of a message type, which outlives the caller's, and may be made only later.
using RuleOfMessage =
    std::function<absl::StatusOr<const MessageRule*>(const google::protobuf::Descriptor& type)>;

// Immutable, thread-safe.
class ValueRule {
 public:
  // What is wrong with the bytes, a literal; nullptr: nothing.
  using Fault = const char*;

  // Scalars of every type, strings, messages and Timestamp; where the field is the value of a map,
  // google.protobuf.Value too, as strings, numbers and booleans. INTERNAL names any other field.
  static absl::StatusOr<ValueRule> Of(const google::protobuf::FieldDescriptor& field,
                                      const RuleOfMessage& rule_of);

  // How one value stands on the wire.
  WireField::Type wire_type() const { return wire_type_; }
  // Parts of one value merge, where it comes in several: such parts may stand one behind the other.
  bool merges() const { return kind_ != Kind::kString && kind_ != Kind::kScalar; }
  // The message's own rule, where it has one, else null.
  const MessageRule* message() const { return message_; }

  // Appends the value of `field`, whose type is wire_type(). `depth`: messages around it.
  Fault Write(const WireField& field, int depth, JsonBuffer& json) const;
  // Appends the elements of one occurrence of a list, packed or not, each behind `separator`, which
  // is ',' from the first one on.
  Fault WriteElements(const WireField& field, int depth, char& separator, JsonBuffer& json) const;

 private:
  enum class Kind : uint8_t { kString, kScalar, kTimestamp, kAttribute, kMessage };

  ValueRule(Kind kind, WireField::Type wire_type) : kind_(kind), wire_type_(wire_type) {}

  Kind kind_;
  WireField::Type wire_type_;
  // Of kScalar.
  std::optional<ScalarRule> scalar_;
  // Of kMessage.
  const MessageRule* message_ = nullptr;
};

}  // namespace relations::gateway
