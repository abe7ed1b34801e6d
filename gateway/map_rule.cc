#include "gateway/map_rule.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/json_writer.h"
#include "gateway/wire_values.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

// The longest number that is a key.
constexpr size_t kKeyBytes = 24;

}  // namespace

absl::StatusOr<MapRule> MapRule::Of(const google::protobuf::FieldDescriptor& field,
                                    const RuleOfMessage& rule_of) {
  ASSIGN_OR_RETURN(ValueRule value, ValueRule::Of(*field.message_type()->map_value(), rule_of));
  // Nothing for a string, which is the only other kind of key.
  return MapRule(ScalarRule::Of(*field.message_type()->map_key()), std::move(value));
}

MapRule::Fault MapRule::Read(absl::string_view wire, Entry& entry) const {
  entry.key.type = key_ ? key_->wire_type() : WireField::Type::kBytes;
  entry.value.type = value_.wire_type();
  bool several = false;
  WireReader reader(wire);
  WireField field;
  while (reader.NextField(field)) {
    if (field.number == wire::kMapKey && field.type == entry.key.type) entry.key = field;
    if (field.number != wire::kMapValue || field.type != entry.value.type) continue;
    if (several && value_.merges()) {
      absl::StrAppend(&entry.parts, entry.parts.empty() ? entry.value.bytes : "", field.bytes);
      entry.value.bytes = entry.parts;
    } else {
      entry.value = field;
    }
    several = true;
  }
  return reader.ok() ? nullptr : "a map entry is cut short";
}

MapRule::Fault MapRule::WriteKey(const WireField& key, std::string& json) const {
  if (!key_) return AppendString(key.bytes, json) ? nullptr : "text is not UTF-8";
  JsonBuffer number(kKeyBytes);
  key_->Write(key, number);
  // A number of 64 bits is a JSON string already.
  const bool quoted = absl::StartsWith(number.view(), "\"");
  json = quoted ? std::string(number.view()) : absl::StrCat("\"", number.view(), "\"");
  return nullptr;
}

MapRule::Fault MapRule::Write(absl::Span<const absl::string_view> entries, int depth,
                              JsonBuffer& json) const {
  std::vector<std::pair<std::string, Entry>> read(entries.size());
  absl::flat_hash_map<absl::string_view, size_t> last_place;
  for (size_t i = 0; i < entries.size(); ++i) {
    auto& [key, entry] = read[i];
    if (const Fault fault = Read(entries[i], entry)) return fault;
    if (const Fault fault = WriteKey(entry.key, key)) return fault;
    last_place[key] = i;
  }
  char separator = '{';
  for (size_t i = 0; i < read.size(); ++i) {
    const auto& [key, entry] = read[i];
    if (last_place[key] != i) continue;
    json.Raw(separator);
    separator = ',';
    json.Raw(key);
    json.Raw(':');
    if (const Fault fault = value_.Write(entry.value, depth, json)) return fault;
  }
  if (separator == '{') json.Raw('{');
  json.Raw('}');
  return nullptr;
}

}  // namespace relations::gateway
