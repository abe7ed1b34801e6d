#include "storage/import/thing.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"

namespace relations {
namespace {

constexpr std::array<const char*, 26> kAnchorOrder = {
    "malware",    "malware-family", "sha256",   "sha512",        "sha3-256",
    "sha3-512",   "sha384",         "sha3-384", "sha224",        "sha3-224",
    "sha512-256", "sha512-224",     "sha1",     "md5",           "url",
    "domain",     "hostname",       "ip",       "cidr",          "email-address",
    "cve",        "vulnerability",  "regkey",   "mobile-app-id", "certificate-fingerprint",
    "filename"};

struct HashKind {
  // The name in lower case without punctuation.
  const char* name;
  const char* type;
};

constexpr std::array<HashKind, 12> kHashKinds = {{{"md5", "md5"},
                                                  {"sha1", "sha1"},
                                                  {"sha224", "sha224"},
                                                  {"sha256", "sha256"},
                                                  {"sha384", "sha384"},
                                                  {"sha512", "sha512"},
                                                  {"sha512224", "sha512-224"},
                                                  {"sha512256", "sha512-256"},
                                                  {"sha3224", "sha3-224"},
                                                  {"sha3256", "sha3-256"},
                                                  {"sha3384", "sha3-384"},
                                                  {"sha3512", "sha3-512"}}};

bool IsNetworkName(absl::string_view type) { return type == "domain" || type == "hostname"; }

}  // namespace

size_t AnchorRank(absl::string_view type) {
  return static_cast<size_t>(std::find(kAnchorOrder.begin(), kAnchorOrder.end(), type) -
                             kAnchorOrder.begin());
}

absl::string_view PartRelationType(absl::string_view anchor_type, absl::string_view part_type) {
  if (IsHashType(anchor_type)) {
    if (IsHashType(part_type) && part_type != anchor_type) return "same-file";
    if (part_type == "filename") return "has-name";
    if (part_type == "certificate-fingerprint") return "signed-by";
  } else if (IsNetworkName(anchor_type)) {
    if (part_type == "ip" || part_type == "cidr") return "resolves-to";
  } else if (anchor_type == "url") {
    if (IsNetworkName(part_type) || part_type == "ip") return "hosted-on";
  }
  return "related-to";
}

absl::string_view HashType(absl::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      plain += absl::ascii_tolower(static_cast<unsigned char>(c));
    }
  }
  for (const HashKind& kind : kHashKinds) {
    if (plain == kind.name) return kind.type;
  }
  return {};
}

bool IsHashType(absl::string_view type) {
  return std::any_of(kHashKinds.begin(), kHashKinds.end(),
                     [type](const HashKind& kind) { return type == kind.type; });
}

}  // namespace relations
