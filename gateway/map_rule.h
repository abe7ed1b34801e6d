// How a map is written as a JSON object: keys of every type that a map can have, as strings; values
// as ValueRule.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/json_buffer.h"
#include "gateway/scalar_rule.h"
#include "gateway/value_rule.h"
#include "google/protobuf/descriptor.h"

namespace relations::gateway {

// Immutable, thread-safe.
class MapRule {
 public:
  using Fault = ValueRule::Fault;

  // REQUIRES: field.is_map(). INTERNAL as ValueRule::Of.
  static absl::StatusOr<MapRule> Of(const google::protobuf::FieldDescriptor& field,
                                    const RuleOfMessage& rule_of);

  // Appends the object that `entries`, as they stand on the wire, make. A key that stands twice
  // counts once, with its last value.
  Fault Write(absl::Span<const absl::string_view> entries, int depth, JsonBuffer& json) const;

 private:
  // The bytes of an entry taken apart. What is not there is zero or empty.
  struct Entry {
    WireField key;
    WireField value;
    // Of a value that came in several parts; `value` looks into it.
    std::string parts;
  };

  MapRule(std::optional<ScalarRule> key, ValueRule value)
      : key_(std::move(key)), value_(std::move(value)) {}

  Fault Read(absl::string_view wire, Entry& entry) const;
  // Makes `json` the key, as a JSON string.
  Fault WriteKey(const WireField& key, std::string& json) const;

  // Nothing for strings.
  std::optional<ScalarRule> key_;
  ValueRule value_;
};

}  // namespace relations::gateway
