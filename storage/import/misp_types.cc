#include "storage/import/misp_types.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/import/thing.h"

namespace relations {
namespace {

// How the value of an attribute splits into entities.
enum class Form {
  kWhole,
  // The part before the first '|', or all without one.
  kBeforeBar,
  // DOMAIN|IP.
  kDomainAndIp,
  // A name, '|', a hash of the kind in `entity_type`; empty when the kind is not mapped.
  kNameAndHash,
  kVulnerability,
};

struct AttributeKind {
  const char* misp_type;
  Form form;
  const char* entity_type;
};

constexpr AttributeKind kAttributeKinds[] = {
    {"ip-src", Form::kWhole, "ip"},
    {"ip-dst", Form::kWhole, "ip"},
    {"ip-src|port", Form::kBeforeBar, "ip"},
    {"ip-dst|port", Form::kBeforeBar, "ip"},
    {"domain", Form::kWhole, "domain"},
    {"hostname", Form::kWhole, "hostname"},
    {"hostname|port", Form::kBeforeBar, "hostname"},
    {"domain|ip", Form::kDomainAndIp, ""},
    {"url", Form::kWhole, "url"},
    {"filename", Form::kWhole, "filename"},
    {"authentihash", Form::kWhole, "authentihash"},
    {"cdhash", Form::kWhole, "cdhash"},
    {"mutex", Form::kWhole, "mutex"},
    {"btc", Form::kWhole, "btc"},
    {"xmr", Form::kWhole, "xmr"},
    {"dash", Form::kWhole, "dash"},
    {"cpe", Form::kWhole, "cpe"},
    {"weakness", Form::kWhole, "weakness"},
    {"malware-type", Form::kWhole, "malware-type"},
    {"whois-registrar", Form::kWhole, "whois-registrar"},
    {"email-subject", Form::kWhole, "email-subject"},
    {"regkey", Form::kWhole, "regkey"},
    {"regkey|value", Form::kBeforeBar, "regkey"},
    {"mac-address", Form::kWhole, "mac-address"},
    {"windows-scheduled-task", Form::kWhole, "windows-scheduled-task"},
    {"windows-service-name", Form::kWhole, "windows-service-name"},
    {"windows-service-displayname", Form::kWhole, "windows-service-displayname"},
    {"jarm-fingerprint", Form::kWhole, "jarm-fingerprint"},
    {"chrome-extension-id", Form::kWhole, "chrome-extension-id"},
    {"email", Form::kWhole, "email-address"},
    {"email-src", Form::kWhole, "email-address"},
    {"email-dst", Form::kWhole, "email-address"},
    {"email-reply-to", Form::kWhole, "email-address"},
    {"target-email", Form::kWhole, "email-address"},
    {"whois-registrant-email", Form::kWhole, "email-address"},
    {"dns-soa-email", Form::kWhole, "email-address"},
    {"email-attachment", Form::kWhole, "filename"},
    {"malware-sample", Form::kNameAndHash, "md5"},
    {"vulnerability", Form::kVulnerability, ""},
    {"AS", Form::kWhole, "asn"},
    {"threat-actor", Form::kWhole, "adversary"},
    {"campaign-name", Form::kWhole, "threat"},
    {"mobile-application-id", Form::kWhole, "mobile-app-id"},
    {"ja3-fingerprint-md5", Form::kWhole, "ja3-fingerprint"},
};

// The entity type of a hash attribute, whose name is exact but for '/' in sha512/224.
absl::string_view ExactHashType(absl::string_view misp_type) {
  if (misp_type == "sha512/224") return "sha512-224";
  if (misp_type == "sha512/256") return "sha512-256";
  const absl::string_view type = HashType(misp_type);
  return type == misp_type ? type : absl::string_view();
}

std::optional<AttributeKind> KindOf(absl::string_view misp_type) {
  for (const AttributeKind& kind : kAttributeKinds) {
    if (misp_type == kind.misp_type) return kind;
  }
  if (const absl::string_view hash = ExactHashType(misp_type); !hash.empty()) {
    return AttributeKind{"", Form::kWhole, hash.data()};
  }
  if (absl::ConsumePrefix(&misp_type, "filename|")) {
    return AttributeKind{"", Form::kNameAndHash, ExactHashType(misp_type).data()};
  }
  if (absl::StartsWith(misp_type, "x509-fingerprint-")) {
    return AttributeKind{"", Form::kWhole, "certificate-fingerprint"};
  }
  return std::nullopt;
}

// Galaxies by the end of their type, in the order in which they are tried.
struct GalaxyEnding {
  const char* ending;
  const char* entity_type;
};
constexpr GalaxyEnding kGalaxyEndings[] = {
    {"threat-actor", "group"},
    {"intrusion-set", "group"},
    {"activity-group", "group"},
    {"attack-pattern", "attack-pattern"},
    {"course-of-action", "course-of-action"},
};
constexpr std::array<const char*, 10> kMalwareGalaxies = {
    "malpedia", "ransomware", "banker",  "rat",         "backdoor",
    "botnet",   "stealer",    "android", "exploit-kit", "cryptominers"};

// The id of "NAME - ID": capitals, digits, maybe a period and digits. Empty when there is none.
absl::string_view TrailingId(absl::string_view value) {
  const size_t dash = value.rfind(" - ");
  if (dash == absl::string_view::npos) return {};
  const absl::string_view id = value.substr(dash + 3);
  absl::string_view rest = id;
  const auto take = [&rest](auto belongs) {
    size_t count = 0;
    while (count < rest.size() && belongs(static_cast<unsigned char>(rest[count]))) ++count;
    rest.remove_prefix(count);
    return count > 0;
  };
  if (!take(absl::ascii_isupper) || !take(absl::ascii_isdigit)) return {};
  if (absl::ConsumePrefix(&rest, ".") && !take(absl::ascii_isdigit)) return {};
  return rest.empty() ? id : absl::string_view();
}

void AddCleaned(absl::string_view type, absl::string_view raw, std::vector<TypedValue>& values,
                std::vector<std::string>& faults) {
  absl::StatusOr<TypedValue> value = CleanValue(type, raw);
  if (value.ok()) {
    values.push_back(*std::move(value));
  } else {
    faults.emplace_back(value.status().message());
  }
}

}  // namespace

bool IsMappedMispType(absl::string_view type) { return KindOf(type).has_value(); }

std::vector<TypedValue> MispEntities(absl::string_view type, absl::string_view value,
                                     std::vector<std::string>& faults) {
  std::vector<TypedValue> entities;
  const std::optional<AttributeKind> kind = KindOf(type);
  if (!kind.has_value()) return entities;
  const bool is_last = kind->form == Form::kNameAndHash;
  const size_t bar = is_last ? value.rfind('|') : value.find('|');
  const bool has_bar = bar != absl::string_view::npos;
  const absl::string_view before = value.substr(0, bar);
  const absl::string_view after = has_bar ? value.substr(bar + 1) : absl::string_view();
  switch (kind->form) {
    case Form::kWhole:
      AddCleaned(kind->entity_type, value, entities, faults);
      break;
    case Form::kBeforeBar:
      AddCleaned(kind->entity_type, before, entities, faults);
      break;
    case Form::kVulnerability:
      AddCleaned(IsCveName(absl::StripAsciiWhitespace(value)) ? "cve" : "vulnerability", value,
                 entities, faults);
      break;
    case Form::kDomainAndIp:
    case Form::kNameAndHash:
      if (!has_bar) {
        faults.push_back(absl::StrCat("a value of type ", type, " without |"));
      } else if (kind->form == Form::kDomainAndIp) {
        AddCleaned("domain", before, entities, faults);
        AddCleaned("ip", after, entities, faults);
      } else {
        AddCleaned("filename", before, entities, faults);
        if (kind->entity_type != nullptr) {
          AddCleaned(kind->entity_type, after, entities, faults);
        }
      }
      break;
  }
  return entities;
}

absl::string_view TypeInMispObject(absl::string_view object_name,
                                   absl::string_view object_relation) {
  if (object_name == "android-app" && object_relation == "appid") return "mobile-app-id";
  if (object_name == "android-app" && object_relation == "certificate") {
    return "certificate-fingerprint";
  }
  if (object_name == "av-signature" && object_relation == "signature") return "malware";
  return {};
}

absl::string_view MispGalaxyType(absl::string_view galaxy_type) {
  for (const GalaxyEnding& row : kGalaxyEndings) {
    if (absl::EndsWith(galaxy_type, row.ending)) return row.entity_type;
  }
  if (absl::StartsWith(galaxy_type, "mitre-") && absl::EndsWith(galaxy_type, "tool")) {
    return "tool";
  }
  const bool is_malware = absl::EndsWith(galaxy_type, "malware") || galaxy_type == "tool" ||
                          std::find(kMalwareGalaxies.begin(), kMalwareGalaxies.end(),
                                    galaxy_type) != kMalwareGalaxies.end();
  return is_malware ? "malware-family" : absl::string_view();
}

absl::string_view MispClusterValue(absl::string_view entity_type, absl::string_view value) {
  const absl::string_view id = TrailingId(value);
  if (id.empty()) return value;
  if (entity_type == "attack-pattern" || entity_type == "course-of-action") return id;
  return value.substr(0, value.size() - id.size() - 3);
}

std::optional<MispGalaxyTag> ParseMispGalaxyTag(absl::string_view tag) {
  if (!absl::ConsumePrefix(&tag, "misp-galaxy:")) return std::nullopt;
  const size_t equals = tag.find("=\"");
  if (equals == absl::string_view::npos || !absl::EndsWith(tag, "\"") || tag.size() < equals + 3) {
    return std::nullopt;
  }
  return MispGalaxyTag{tag.substr(0, equals), tag.substr(equals + 2, tag.size() - equals - 3)};
}

}  // namespace relations
