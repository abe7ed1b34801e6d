#include "gateway/value_rule.h"

#include "absl/strings/str_cat.h"
#include "gateway/message_rule.h"
#include "gateway/wire_values.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {

using google::protobuf::FieldDescriptor;

absl::StatusOr<ValueRule> ValueRule::Of(const FieldDescriptor& field,
                                        const RuleOfMessage& rule_of) {
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    return ValueRule(Kind::kString, WireField::Type::kBytes);
  }
  if (std::optional<ScalarRule> scalar = ScalarRule::Of(field)) {
    ValueRule rule(Kind::kScalar, scalar->wire_type());
    rule.scalar_ = std::move(scalar);
    return rule;
  }
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    const std::string& type = field.message_type()->full_name();
    if (type == "google.protobuf.Timestamp") {
      return ValueRule(Kind::kTimestamp, WireField::Type::kBytes);
    }
    if (type == "google.protobuf.Value" && field.containing_type()->map_value() == &field) {
      return ValueRule(Kind::kAttribute, WireField::Type::kBytes);
    }
    if (field.message_type()->file()->package() != "google.protobuf") {
      ValueRule rule(Kind::kMessage, WireField::Type::kBytes);
      ASSIGN_OR_RETURN(rule.message_, rule_of(*field.message_type()));
      return rule;
    }
  }
  return absl::InternalError(absl::StrCat("no rule to write ", field.full_name(), " as JSON"));
}

ValueRule::Fault ValueRule::Write(const WireField& field, int depth, JsonBuffer& json) const {
  switch (kind_) {
    case Kind::kString:
      return wire::WriteText(field.bytes, json);
    case Kind::kScalar:
      scalar_->Write(field, json);
      return nullptr;
    case Kind::kTimestamp: {
      wire::Time time;
      if (const Fault fault = time.Merge(field.bytes)) return fault;
      return time.Write(json);
    }
    case Kind::kAttribute:
      return wire::WriteAttribute(field.bytes, json);
    case Kind::kMessage:
      return message_->WriteWithin(field.bytes, depth + 1, json);
  }
  return "unknown kind of value";
}

ValueRule::Fault ValueRule::WriteElements(const WireField& field, int depth, char& separator,
                                          JsonBuffer& json) const {
  const auto write = [&](const WireField& element) {
    json.Raw(separator);
    separator = ',';
    return Write(element, depth, json);
  };
  if (field.type == wire_type_) return write(field);
  WireReader packed(field.bytes);
  WireField element;
  while (packed.NextElement(wire_type_, element)) {
    if (const Fault fault = write(element)) return fault;
  }
  return packed.ok() ? nullptr : "a packed list is cut short";
}

}  // namespace relations::gateway
