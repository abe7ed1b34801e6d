#include "storage/import/entity_types.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "storage/base/limits.h"

namespace relations {
namespace {

struct TypeRow {
  absl::string_view name;
  DataType data_type;
};

// By name.
constexpr TypeRow kTypes[] = {
    {"aba-rtn", DataType::kInteger},
    {"accuracy-radius", DataType::kFloat},
    {"adversary", DataType::kAdversary},
    {"airport-name", DataType::kString},
    {"asn", DataType::kAsn},
    {"aso", DataType::kString},
    {"attack-pattern", DataType::kCaseSensitiveString},
    {"authentihash", DataType::kFingerprint},
    {"bank-account-nr", DataType::kInteger},
    {"base64", DataType::kBase64},
    {"bic", DataType::kString},
    {"bin", DataType::kInteger},
    {"breach", DataType::kUuid},
    {"breach-count", DataType::kInteger},
    {"breach-date", DataType::kDate},
    {"breach-description", DataType::kCaseSensitiveString},
    {"btc", DataType::kCaseSensitiveString},
    {"category", DataType::kString},
    {"cc-number", DataType::kInteger},
    {"cdhash", DataType::kFingerprint},
    {"certificate-fingerprint", DataType::kFingerprint},
    {"chrome-extension-id", DataType::kCaseSensitiveString},
    {"cidr", DataType::kCidr},
    {"city", DataType::kPlace},
    {"command", DataType::kCaseSensitiveString},
    {"cookie", DataType::kCaseSensitiveString},
    {"country", DataType::kPlace},
    {"course-of-action", DataType::kCaseSensitiveString},
    {"cpe", DataType::kString},
    {"cve", DataType::kString},
    {"dash", DataType::kCaseSensitiveString},
    {"date", DataType::kDate},
    {"date-of-issue", DataType::kDate},
    {"datetime", DataType::kDatetime},
    {"dkim", DataType::kCaseSensitiveString},
    {"dkim-signature", DataType::kCaseSensitiveString},
    {"domain", DataType::kFqdn},
    {"email", DataType::kCaseSensitiveString},
    {"email-address", DataType::kEmail},
    {"email-body", DataType::kString},
    {"email-display-name", DataType::kString},
    {"email-header", DataType::kCaseSensitiveString},
    {"email-mime-boundary", DataType::kCaseSensitiveString},
    {"email-subject", DataType::kString},
    {"email-thread-index", DataType::kBase64},
    {"email-x-mailer", DataType::kString},
    {"eppn", DataType::kEmail},
    {"expiration-date", DataType::kDate},
    {"facebook-profile", DataType::kUrl},
    {"ffn", DataType::kCaseSensitiveString},
    {"file", DataType::kFileId},
    {"file-data", DataType::kUrl},
    {"filename", DataType::kString},
    {"filename-pattern", DataType::kRegex},
    {"flight", DataType::kCaseSensitiveString},
    {"github-organization", DataType::kUrl},
    {"github-repository", DataType::kUrl},
    {"github-user", DataType::kUrl},
    {"group", DataType::kAdversary},
    {"hex", DataType::kHexadecimal},
    {"hostname", DataType::kFqdn},
    {"iban", DataType::kString},
    {"id-number", DataType::kCaseSensitiveString},
    {"identity", DataType::kString},
    {"incident", DataType::kString},
    {"infrastructure", DataType::kString},
    {"ip", DataType::kIp},
    {"issuer", DataType::kString},
    {"issuing-country", DataType::kPlace},
    {"ja3-fingerprint", DataType::kMd5},
    {"jabber-id", DataType::kEmail},
    {"jarm-fingerprint", DataType::kFingerprint},
    {"last-analysis", DataType::kDatetime},
    {"latitude", DataType::kFloat},
    {"link", DataType::kUrl},
    {"location", DataType::kString},
    {"longitude", DataType::kFloat},
    {"mac-address", DataType::kMac},
    {"malware", DataType::kString},
    {"malware-family", DataType::kString},
    {"malware-sample", DataType::kUrl},
    {"malware-type", DataType::kString},
    {"md5", DataType::kMd5},
    {"mime-type", DataType::kMimeType},
    {"mobile-app-id", DataType::kCaseSensitiveString},
    {"mutex", DataType::kCaseSensitiveString},
    {"os", DataType::kString},
    {"passport", DataType::kCaseSensitiveString},
    {"password", DataType::kCaseSensitiveString},
    {"path", DataType::kPath},
    {"pattern-in-file", DataType::kRegex},
    {"pattern-in-memory", DataType::kRegex},
    {"pattern-in-traffic", DataType::kRegex},
    {"payload", DataType::kDigest256},
    {"pgp-private-key", DataType::kCaseSensitiveString},
    {"pgp-public-key", DataType::kCaseSensitiveString},
    {"phone", DataType::kPhone},
    {"pnr", DataType::kCaseSensitiveString},
    {"port", DataType::kPort},
    {"postal-address", DataType::kString},
    {"process", DataType::kString},
    {"process-state", DataType::kString},
    {"profile-photo", DataType::kUrl},
    {"prtn", DataType::kString},
    {"redress-number", DataType::kCaseSensitiveString},
    {"regkey", DataType::kString},
    {"report", DataType::kUuid},
    {"sha1", DataType::kDigest160},
    {"sha224", DataType::kDigest224},
    {"sha256", DataType::kDigest256},
    {"sha3-224", DataType::kDigest224},
    {"sha3-256", DataType::kDigest256},
    {"sha3-384", DataType::kDigest384},
    {"sha3-512", DataType::kDigest512},
    {"sha384", DataType::kDigest384},
    {"sha512", DataType::kDigest512},
    {"sha512-224", DataType::kDigest224},
    {"sha512-256", DataType::kDigest256},
    {"size-in-bytes", DataType::kFloat},
    {"software", DataType::kString},
    {"ssh-banner", DataType::kCaseSensitiveString},
    {"ssh-fingerprint", DataType::kCaseSensitiveString},
    {"ssr", DataType::kCaseSensitiveString},
    {"text", DataType::kString},
    {"threat", DataType::kString},
    {"tiktok-profile", DataType::kUrl},
    {"tool", DataType::kString},
    {"twitter-profile", DataType::kUrl},
    {"url", DataType::kUrl},
    {"username", DataType::kString},
    {"value", DataType::kCaseSensitiveString},
    {"visa", DataType::kCaseSensitiveString},
    {"vulnerability", DataType::kString},
    {"weakness", DataType::kString},
    {"whois-registrant", DataType::kString},
    {"whois-registrar", DataType::kString},
    {"windows-scheduled-task", DataType::kString},
    {"windows-service-displayname", DataType::kString},
    {"windows-service-name", DataType::kString},
    {"xmr", DataType::kCaseSensitiveString},
    {"zip-code", DataType::kCaseSensitiveString},
};

constexpr bool Sorted() {
  for (size_t i = 1; i < std::size(kTypes); ++i) {
    if (!(kTypes[i - 1].name < kTypes[i].name)) return false;
  }
  return true;
}
static_assert(Sorted(), "the table is searched by halves");

struct AcceptedRow {
  DataType data_type;
  absl::string_view accepted;
};

// By the value of the enumerator.
constexpr AcceptedRow kAccepted[] = {
    {DataType::kCaseSensitiveString, "text that is not blank"},
    {DataType::kString, "text that is not blank"},
    {DataType::kIp, "a public IPv4 or IPv6 address"},
    {DataType::kCidr, "a public network as address/length"},
    {DataType::kEmail, "one address such as name@example.com"},
    {DataType::kFqdn, "a domain name of at least two labels, such as www.example.com"},
    {DataType::kUrl, "an absolute URL such as https://example.com/path"},
    {DataType::kUuid, "a UUID"},
    {DataType::kFileId, "a UUID, or 16, 32 or 64 hexadecimal digits"},
    {DataType::kMd5, "32 or 16 hexadecimal digits"},
    {DataType::kDigest160, "40 hexadecimal digits"},
    {DataType::kDigest224, "56 hexadecimal digits"},
    {DataType::kDigest256, "64 hexadecimal digits"},
    {DataType::kDigest384, "96 hexadecimal digits"},
    {DataType::kDigest512, "128 hexadecimal digits"},
    {DataType::kHexadecimal, "an even number of hexadecimal digits"},
    {DataType::kFingerprint, "hexadecimal digits, colons between them or not"},
    {DataType::kBase64, "base64 with its padding"},
    {DataType::kInteger, "a whole number of 64 bits"},
    {DataType::kAsn, "a whole number, or AS and a number up to 4294967295"},
    {DataType::kFloat, "a decimal number of 64 bits"},
    {DataType::kPlace, "a name that is not blank"},
    {DataType::kDate, "a day as YYYY-MM-DD"},
    {DataType::kDatetime, "an instant of RFC 3339, up to nanoseconds"},
    {DataType::kMac, "six pairs of hexadecimal digits joined by hyphens or by colons"},
    {DataType::kMimeType, "type/subtype"},
    {DataType::kPhone, "a number as +country (area) groups of digits"},
    {DataType::kPort, "1 to 65535 and /tcp or /udp"},
    {DataType::kPath, "a path, not a URL"},
    {DataType::kAdversary, "a name"},
    {DataType::kRegex, "a regular expression of RE2"},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kAccepted); ++i) {
    if (kAccepted[i].data_type != static_cast<DataType>(i)) return false;
  }
  return std::size(kAccepted) == kDataTypeCount;
}
static_assert(InOrder(), "every data type has its row, at its place");

// An id is the type, a hyphen and 64 digits.
constexpr size_t kCustomTypeBytesMax = limits::kEntityIdBytesMax - 65;

bool IsCustomType(absl::string_view type) {
  return type.size() > 2 && type.size() <= kCustomTypeBytesMax && absl::StartsWith(type, "x-") &&
         type.back() != '-' && std::all_of(type.begin(), type.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

}  // namespace

std::optional<DataType> DataTypeOf(absl::string_view type) {
  const auto* row = std::lower_bound(
      std::begin(kTypes), std::end(kTypes), type,
      [](const TypeRow& candidate, absl::string_view name) { return candidate.name < name; });
  if (row != std::end(kTypes) && row->name == type) return row->data_type;
  if (IsCustomType(type)) return DataType::kCaseSensitiveString;
  return std::nullopt;
}

absl::string_view AcceptedBy(DataType data_type) {
  return kAccepted[static_cast<size_t>(data_type)].accepted;
}

}  // namespace relations
