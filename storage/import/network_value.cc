#include "storage/import/network_value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/import/unicode_text.h"

namespace relations {
namespace {

constexpr size_t kDomainCharactersMax = 253;
constexpr size_t kLabelCharactersMax = 63;
constexpr int kMappedPrefixBits = 96;

bool IsMapped(const IpAddress& address) {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return address.bits == 128 && std::memcmp(address.bytes.data(), kPrefix, sizeof(kPrefix)) == 0;
}

// An IPv4-mapped address as IPv4, any other as it is.
IpAddress Unmapped(const IpAddress& address) {
  if (!IsMapped(address)) return address;
  IpAddress plain;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), plain.bytes.begin());
  return plain;
}

std::string Ipv4Text(const uint8_t* bytes) {
  return absl::StrCat(bytes[0], ".", bytes[1], ".", bytes[2], ".", bytes[3]);
}

std::string Ipv6Text(const IpAddress& address) {
  uint16_t groups[8];
  for (int i = 0; i < 8; ++i) {
    groups[i] = static_cast<uint16_t>(address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]);
  }
  // The longest run of two zero groups or more is written "::", the first of equals.
  int run_begin = -1;
  int run_length = 1;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > run_length) {
      run_begin = i;
      run_length = end - i;
    }
    i = end + 1;
  }
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == run_begin) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    absl::StrAppend(&text, absl::Hex(groups[i]));
  }
  return text;
}

absl::string_view RefusalOfIpv4(const std::array<uint8_t, 16>& ip) {
  if (ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] == 0) return "is the unspecified address";
  if (ip[0] == 127) return "is a loopback address";
  if (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xF0) == 16) || (ip[0] == 192 && ip[1] == 168)) {
    return "is a private address";
  }
  if (ip[0] == 169 && ip[1] == 254) return "is a link-local address";
  if ((ip[0] & 0xF0) == 0xE0) return "is a multicast address";
  return {};
}

absl::string_view RefusalOfIpv6(const std::array<uint8_t, 16>& ip) {
  if (std::all_of(ip.begin(), ip.end() - 1, [](uint8_t byte) { return byte == 0; })) {
    if (ip[15] == 0) return "is the unspecified address";
    if (ip[15] == 1) return "is a loopback address";
  }
  if ((ip[0] & 0xFE) == 0xFC) return "is a private address";
  if (ip[0] == 0xFE && (ip[1] & 0xC0) == 0x80) return "is a link-local address";
  if (ip[0] == 0xFF) return "is a multicast address";
  return {};
}

// Why the address is no entity; empty for a public one.
absl::string_view RefusalOf(const IpAddress& address) {
  return address.bits == 32 ? RefusalOfIpv4(address.bytes) : RefusalOfIpv6(address.bytes);
}

// Clears what is behind the first `length` bits.
void ClearHostBits(int length, IpAddress* address) {
  for (int bit = length; bit < address->bits; ++bit) {
    address->bytes[bit / 8] &= static_cast<uint8_t>(~(0x80 >> (bit % 8)));
  }
}

// Every label that is not ASCII as A-labels; the others as they are.
std::optional<std::string> WithALabels(absl::string_view name) {
  std::string result;
  while (true) {
    const absl::string_view label = name.substr(0, name.find('.'));
    if (IsAscii(label)) {
      absl::StrAppend(&result, label);
    } else {
      std::optional<std::string> a_labels = ToALabels(label);
      if (!a_labels) return std::nullopt;
      result += *a_labels;
    }
    if (label.size() == name.size()) return result;
    result += '.';
    name.remove_prefix(label.size() + 1);
  }
}

bool IsLabelCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_';
}

// Why `name`, in lower case, is no domain name; empty when it is one.
absl::string_view RefusalOfDomain(absl::string_view name) {
  if (name.size() > kDomainCharactersMax) return "is longer than 253 characters";
  size_t last_begin = 0;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '.') {
      if (!IsLabelCharacter(name[i])) return "holds a character that no label of a name may have";
      continue;
    }
    const size_t length = i - last_begin;
    if (length == 0) return "has an empty label";
    if (length > kLabelCharactersMax) return "has a label longer than 63 characters";
    if (i < name.size()) last_begin = i + 1;
  }
  if (last_begin == 0) return "has a single label";
  const absl::string_view last = name.substr(last_begin);
  if (last.size() < 2 || !absl::ascii_islower(last.front()) || !absl::ascii_isalnum(last.back()) ||
      last.find('_') != absl::string_view::npos) {
    return "does not end in a top-level domain";
  }
  return {};
}

}  // namespace

std::optional<IpAddress> ParseIp(absl::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(buffer) || text.find('\0') != absl::string_view::npos) {
    return std::nullopt;
  }
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  IpAddress address;
  address.bits = text.find(':') == absl::string_view::npos ? 32 : 128;
  const int family = address.bits == 32 ? AF_INET : AF_INET6;
  if (inet_pton(family, buffer, address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::string IpText(const IpAddress& address) {
  if (address.bits == 32) return Ipv4Text(address.bytes.data());
  if (IsMapped(address)) return "::ffff:" + Ipv4Text(address.bytes.data() + 12);
  return Ipv6Text(address);
}

NormalForm NormalIp(absl::string_view value) {
  const std::optional<IpAddress> parsed = ParseIp(value);
  if (!parsed) return Refused("is no IP address");
  const IpAddress address = Unmapped(*parsed);
  const absl::string_view refusal = RefusalOf(address);
  return refusal.empty() ? Accepted(IpText(address)) : Refused(refusal);
}

NormalForm NormalCidr(absl::string_view value) {
  const size_t slash = value.find('/');
  if (slash == absl::string_view::npos) return Refused("has no /length");
  const std::optional<IpAddress> parsed = ParseIp(value.substr(0, slash));
  if (!parsed) return Refused("does not begin with an IP address");
  const absl::string_view digits = value.substr(slash + 1);
  int length = 0;
  if (digits.empty() || digits.size() > 3 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &length) || length > parsed->bits) {
    return Refused("has a length that its address cannot have");
  }
  IpAddress network = *parsed;
  if (IsMapped(network) && length >= kMappedPrefixBits) {
    network = Unmapped(network);
    length -= kMappedPrefixBits;
  }
  ClearHostBits(length, &network);
  const absl::string_view refusal = RefusalOf(network);
  if (!refusal.empty()) return Refused(refusal);
  return Accepted(absl::StrCat(IpText(network), "/", length));
}

NormalForm NormalDomain(absl::string_view value) {
  std::string name;
  if (IsAscii(value)) {
    name = std::string(value);
  } else {
    std::optional<std::string> converted = WithALabels(value);
    if (!converted) return Refused("holds a label that is no internationalised one (UTS #46)");
    name = *std::move(converted);
  }
  absl::AsciiStrToLower(&name);
  if (!name.empty() && name.back() == '.') name.pop_back();
  const absl::string_view refusal = RefusalOfDomain(name);
  return refusal.empty() ? Accepted(std::move(name)) : Refused(refusal);
}

}  // namespace relations
