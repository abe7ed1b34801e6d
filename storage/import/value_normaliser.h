// Values of entities: which are accepted, and the one form in which each is stored. An entity is
// its type and this form, its id is their hash, so import and ingest share these functions and two
// producers that name one thing get one entity.
//
// Stateless and thread-safe. Values are of 1 to limits::kValueBytesMax bytes, normal forms too.
// Errors are INVALID_ARGUMENT with a sentence that names the type, what is wrong and what is
// accepted; the value is shown escaped and cut. The rules: import.md section M, whose names (M1, M3
// ...) are used here, over data_types.tsv.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/struct.pb.h"

namespace relations {

// A value with the type it turned out to have.
struct TypedValue {
  std::string type;
  std::string value;

  friend bool operator==(const TypedValue&, const TypedValue&) = default;
};

// The normal form of `value` as an entity of `type`, which must be known. Trims and refangs
// nothing.
absl::StatusOr<std::string> NormaliseValue(absl::string_view type, absl::string_view value);

// What a feed means by `raw`: trimmed (M1), refanged (M2), taken for what it is (M3, so the type
// may be another than asked), then normalised. A cidr of one address is an ip; a url may have a
// fragment, which NormaliseValue takes for a part of the path.
absl::StatusOr<TypedValue> CleanValue(absl::string_view type, absl::string_view raw);

// The ip or domain that a normalised url is served from (M5); nothing when its host is no
// acceptable one.
std::optional<TypedValue> HostOfUrl(absl::string_view url);

// `text` as the type of a relation: lower-case letters, digits and single inner hyphens, never
// empty.
std::string SafeRelationType(absl::string_view text);

// The normal form `value` as the attribute of its entity that is named like the type: a number
// where the type's values are numbers and a double holds this one exactly, else a string.
google::protobuf::Value AttributeOf(absl::string_view type, absl::string_view value);

// True for the listed types and for every `x-...` of letters, digits and hyphens.
bool IsKnownType(absl::string_view type);

// True for CVE-year-number, letters of either case, with 4 digits of year and 4 or more of number.
bool IsCveName(absl::string_view value);

// A JSON number as the text that NormaliseValue takes: whole numbers that a double holds exactly as
// plain digits, others in the shortest form that reads back as the same double.
std::string NumberText(double number);

}  // namespace relations
