#include "storage/import/stix_types.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr StixPropertyEntity kPropertyEntities[] = {
    {"intrusion-set", "name", "group"},
    {"threat-actor", "name", "adversary"},
    {"campaign", "name", "threat"},
    {"tool", "name", "tool"},
    {"infrastructure", "name", "infrastructure"},
    {"identity", "name", "identity"},
    {"location", "name", "location"},
    {"incident", "name", "incident"},
    {"ipv4-addr", "value", "ip"},
    {"ipv6-addr", "value", "ip"},
    {"domain-name", "value", "domain"},
    {"url", "value", "url"},
    {"email-addr", "value", "email-address"},
    {"mac-addr", "value", "mac-address"},
    {"autonomous-system", "number", "asn"},
    {"directory", "path", "path"},
    {"windows-registry-key", "key", "regkey"},
    {"mutex", "name", "mutex"},
    {"process", "name", "process", "command_line", "command"},
    {"software", "cpe", "cpe", "name", "software"},
    {"user-account", "account_login", "username", "user_id", "username"},
};

constexpr std::array<const char*, 8> kNoEntities = {
    "marking-definition", "extension-definition", "language-content", "note", "opinion",
    "malware-analysis",   "relationship",         "sighting"};

constexpr StixReferenceList kReferenceLists[] = {
    {"report", "object_refs", "refers-to"},     {"grouping", "object_refs", "refers-to"},
    {"malware", "sample_refs", "has-sample"},   {nullptr, "resolves_to_refs", "resolves-to"},
    {nullptr, "belongs_to_refs", "belongs-to"}, {"file", "contains_refs", "contains"},
};

constexpr std::array<const char*, 7> kTagProperties = {
    "labels",       "indicator_types",    "malware_types",       "tool_types",
    "report_types", "threat_actor_types", "infrastructure_types"};

bool IsEntityType(absl::string_view type) {
  return !type.empty() && type.size() <= limits::kTypeBytesMax &&
         std::all_of(type.begin(), type.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

}  // namespace

const StixPropertyEntity* FindStixPropertyEntity(absl::string_view stix_type) {
  for (const StixPropertyEntity& row : kPropertyEntities) {
    if (stix_type == row.stix_type) return &row;
  }
  return nullptr;
}

bool IsStixTypeWithoutEntities(absl::string_view stix_type) {
  return std::find(kNoEntities.begin(), kNoEntities.end(), stix_type) != kNoEntities.end();
}

absl::Span<const StixReferenceList> StixReferenceLists() { return kReferenceLists; }

absl::Span<const char* const> StixTagProperties() { return kTagProperties; }

absl::StatusOr<TypedValue> CleanStixValue(absl::string_view type, absl::string_view raw) {
  if (IsKnownType(type)) {
    return CleanValue(type, raw);
  }
  if (!IsEntityType(type)) {
    return absl::InvalidArgumentError(
        "the object's type is no entity type: 1 to 64 of a-z 0-9 and -");
  }
  ASSIGN_OR_RETURN(TypedValue value, CleanValue("text", raw));
  value.type = std::string(type);
  return value;
}

}  // namespace relations
