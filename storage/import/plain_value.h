// The rules of values of fixed spelling: digests, UUIDs, numbers, dates, hardware addresses and the
// like. Each gives the normal form that data_types.tsv names, or why there is none. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/import/normal_form.h"

namespace relations {

// Exactly `digits` hexadecimal digits, in lower case.
NormalForm NormalDigest(size_t digits, absl::string_view value);
// 32 or 16.
NormalForm NormalMd5(absl::string_view value);
// An even number of them.
NormalForm NormalHexadecimal(absl::string_view value);
// Any number of them, colons left out.
NormalForm NormalFingerprint(absl::string_view value);

// 8-4-4-4-12 digits in lower case, of these, or urn:uuid: and these, or {these}, or 32 digits.
NormalForm NormalUuid(absl::string_view value);
// An MD5, else 64 digits, else a UUID: 32 digits are taken for an MD5.
NormalForm NormalFileId(absl::string_view value);

// The standard alphabet with padding, unchanged.
NormalForm NormalBase64(absl::string_view value);

// A signed integer of 64 bits, decimal. What cannot be read is refused, never 0.
NormalForm NormalInteger(absl::string_view value);
// As above; else a number of 32 bits without sign, with a leading AS and blanks dropped.
NormalForm NormalAsn(absl::string_view value);
// A decimal number of 64 bits, as FloatText writes it. No infinity, no NaN.
NormalForm NormalFloat(absl::string_view value);

// The shortest digits that read back as `number`: plain where the decimal exponent is -4 to 5, else
// d.ddde+NN. 123456, 1.234567e+06, 0.0001, 1e-05.
std::string FloatText(double number);

// Six pairs: joined by hyphens in upper case; joined by colons in lower case.
NormalForm NormalMac(absl::string_view value);
// type/subtype in lower case, the subtype of 3 characters or more.
NormalForm NormalMimeType(absl::string_view value);
// +country, (area) and 1 to 3 groups of 1 to 4 digits, unchanged.
NormalForm NormalPhone(absl::string_view value);
// 1 to 65535, then /tcp or /udp, in lower case.
NormalForm NormalPort(absl::string_view value);

}  // namespace relations
