#include "gateway/message_rule.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

// Fields of higher numbers are looked for by bisection: a table of them would be mostly empty.
constexpr uint32_t kNumbersIndexed = 1024;

bool IsAttribute(const FieldDescriptor& value) {
  return value.type() == FieldDescriptor::TYPE_MESSAGE &&
         value.message_type()->full_name() == "google.protobuf.Value";
}

// The field says whether it is there, so that a default would say something else.
bool MayBeAbsent(const FieldDescriptor& field) {
  return field.real_containing_oneof() != nullptr || field.has_optional_keyword() ||
         (field.has_presence() && field.type() != FieldDescriptor::TYPE_MESSAGE);
}

}  // namespace

// Makes the rules of a message type and of all types within it, each once.
class MessageRule::Maker {
 public:
  absl::StatusOr<MessageRule> Make(const Descriptor& type, int fields_max) {
    MessageRule rule;
    RETURN_IF_ERROR(Fill(type, fields_max, rule));
    rule.owned_ = std::move(owned_);
    return rule;
  }

 private:
  absl::Status Fill(const Descriptor& type, int fields_max, MessageRule& rule) {
    const int count = std::min(fields_max, type.field_count());
    if (type.real_oneof_decl_count() > kOneofsMax) {
      return absl::InternalError(
          absl::StrCat("message ", type.full_name(), " has more than ", kOneofsMax, " oneofs"));
    }
    for (int i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(Field field, FieldOf(*type.field(i)));
      rule.has_oneofs_ = rule.has_oneofs_ || field.oneof != kNoOneof;
      rule.fields_.push_back(std::move(field));
    }
    for (int i = 0; i < count; ++i) {
      const uint32_t number = rule.fields_[i].number;
      const auto slot = static_cast<uint32_t>(i);
      if (number >= kNumbersIndexed) {
        rule.high_slots_.emplace_back(number, slot);
        continue;
      }
      if (rule.slot_of_number_.size() <= number) {
        rule.slot_of_number_.resize(number + 1, static_cast<uint32_t>(count));
      }
      rule.slot_of_number_[number] = slot;
    }
    std::sort(rule.high_slots_.begin(), rule.high_slots_.end());
    return absl::OkStatus();
  }

  absl::StatusOr<Field> FieldOf(const FieldDescriptor& field) {
    const RuleOfMessage rule_of = [this](const Descriptor& type) { return RuleOf(type); };
    ASSIGN_OR_RETURN(const Kind kind, KindOf(field));
    Field entry;
    entry.number = static_cast<uint32_t>(field.number());
    entry.kind = kind;
    entry.label = LabelOf(field);
    entry.may_be_absent = MayBeAbsent(field);
    if (const auto* const oneof = field.real_containing_oneof()) entry.oneof = oneof->index();
    if (kind == Kind::kScalar) entry.scalar = ScalarRule::Of(field);
    if (kind == Kind::kInt32) entry.wire_type = WireField::Type::kVarint;
    if (kind == Kind::kScalar) entry.wire_type = entry.scalar->wire_type();
    if (kind == Kind::kMessage || kind == Kind::kList) {
      ASSIGN_OR_RETURN(ValueRule value, ValueRule::Of(field, rule_of));
      entry.value = std::make_unique<const ValueRule>(std::move(value));
      entry.wire_type = entry.value->wire_type();
    }
    if (field.is_map()) {
      ASSIGN_OR_RETURN(MapRule map, MapRule::Of(field, rule_of));
      entry.map = std::make_unique<const MapRule>(std::move(map));
    }
    return entry;
  }

  // What is being made is found too: a message may contain itself.
  absl::StatusOr<const MessageRule*> RuleOf(const Descriptor& type) {
    const auto known = rules_.find(&type);
    if (known != rules_.end()) return known->second;
    MessageRule* const rule = owned_.emplace_back(new MessageRule()).get();
    rules_.emplace(&type, rule);
    RETURN_IF_ERROR(Fill(type, type.field_count(), *rule));
    return rule;
  }

  std::vector<std::unique_ptr<MessageRule>> owned_;
  std::unordered_map<const Descriptor*, const MessageRule*> rules_;
};

absl::StatusOr<MessageRule> MessageRule::Make(const Descriptor& type, int fields_max) {
  return Maker().Make(type, fields_max);
}

absl::StatusOr<MessageRule::Kind> MessageRule::KindOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    const bool plain = field.message_type()->map_key()->type() == FieldDescriptor::TYPE_STRING &&
                       IsAttribute(*field.message_type()->map_value());
    return plain ? Kind::kValueMap : Kind::kMap;
  }
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    return field.is_repeated() ? Kind::kStringList : Kind::kString;
  }
  if (field.is_repeated()) return Kind::kList;
  if (field.type() == FieldDescriptor::TYPE_INT32) return Kind::kInt32;
  if (field.type() != FieldDescriptor::TYPE_MESSAGE) {
    return ScalarRule::Of(field) ? absl::StatusOr<Kind>(Kind::kScalar)
                                 : absl::InternalError(absl::StrCat("no rule to write ",
                                                                    field.full_name(), " as JSON"));
  }
  return field.message_type()->full_name() == "google.protobuf.Timestamp" ? Kind::kTimestamp
                                                                          : Kind::kMessage;
}

MessageRule::Label MessageRule::LabelOf(const FieldDescriptor& field) {
  std::string text(1, ',');
  AppendString(field.json_name(), text);
  text += ':';
  Label label;
  label.head_size = std::min(text.size(), Label::kHeadBytesMax);
  std::copy_n(text.begin(), label.head_size, label.head.begin());
  if (label.head_size < text.size()) {
    label.rest = std::make_unique<const std::string>(text.substr(label.head_size));
  }
  return label;
}

}  // namespace relations::gateway
