// The types of entities and the data type that rules the values of each.
// Source: import_types.tsv. Immutable data, thread-safe.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

namespace relations {

// One kind of value: what is accepted and what the normal form is (data_types.tsv).
enum class DataType {
  kCaseSensitiveString,
  kString,
  kIp,
  kCidr,
  kEmail,
  kFqdn,
  kUrl,
  kUuid,
  kFileId,  // UUID, MD5 or SHA3-256
  kMd5,
  kDigest160,
  kDigest224,
  kDigest256,
  kDigest384,
  kDigest512,
  kHexadecimal,
  kFingerprint,  // hexadecimal that feeds write with colons
  kBase64,
  kInteger,
  kAsn,  // an integer that feeds write with AS
  kFloat,
  kPlace,  // city, country
  kDate,
  kDatetime,
  kMac,
  kMimeType,
  kPhone,
  kPort,
  kPath,
  kAdversary,
  kRegex,
};
inline constexpr size_t kDataTypeCount = static_cast<size_t>(DataType::kRegex) + 1;

// The data type of an entity type; nothing for a type that is unknown. Types that start with "x-"
// are custom ones of the feeds, all case-sensitive strings.
std::optional<DataType> DataTypeOf(absl::string_view type);

// What the data type accepts, as the end of a sentence: "accepted: a public IPv4 or IPv6 address".
absl::string_view AcceptedBy(DataType data_type);

}  // namespace relations
