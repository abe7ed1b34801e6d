// Addresses, networks and names of the Internet: the rules of ip, cidr, domain and hostname.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/import/normal_form.h"

namespace relations {

struct IpAddress {
  // Network order; an IPv4 address stands in the first four.
  std::array<uint8_t, 16> bytes{};
  // 32 or 128.
  int bits = 32;
};

// Decimals without leading zeros, or IPv6 as in RFC 4291 without a zone. An IPv4-mapped IPv6
// address is given as it stands, of 128 bits.
std::optional<IpAddress> ParseIp(absl::string_view text);

// RFC 5952 text.
std::string IpText(const IpAddress& address);

// A public address as canonical text, an IPv4-mapped one as IPv4.
NormalForm NormalIp(absl::string_view value);

// The network of address/length, host bits cleared. The network's address is judged as NormalIp
// does, not the address written, so that a normal form is its own normal form.
NormalForm NormalCidr(absl::string_view value);

// A name of 2 labels or more: one final dot dropped, A-labels, lower case, at most 253 characters.
NormalForm NormalDomain(absl::string_view value);

}  // namespace relations
