#include "server/access/http_url.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace relations {
namespace {

constexpr int kPortMax = 65535;

absl::Status Refuse(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, "; accepted is http://HOST[:PORT][/PATH] or https://"));
}

bool IsVisible(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  });
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

std::string HttpUrl::Authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const bool is_default = port == (is_tls ? "443" : "80");
  return absl::StrCat(is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", is_default ? "" : ":",
                      is_default ? "" : port);
}

std::string HttpUrl::Origin() const {
  return absl::StrCat(is_tls ? "https://" : "http://", Authority());
}

bool HttpUrl::IsLoopback() const {
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return (ntohl(address.s_addr) >> 24) == 127;
  }
  return host == "localhost" || host == "::1";
}

absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text) {
  HttpUrl url;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "https://")) {
    url.is_tls = true;
  } else if (!absl::ConsumePrefix(&rest, "http://")) {
    return Refuse("not an HTTP URL");
  }
  if (!IsVisible(rest)) return Refuse("the URL has blanks or other invisible characters");
  if (rest.find_first_of("?#") != absl::string_view::npos) {
    return Refuse("the URL has a query or a fragment");
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  absl::string_view authority = rest.substr(0, slash);
  url.path = std::string(absl::StripSuffix(rest.substr(slash), "/"));
  if (authority.find('@') != absl::string_view::npos) return Refuse("the URL names a user");
  if (absl::ConsumePrefix(&authority, "[")) {
    const size_t end = authority.find(']');
    if (end == absl::string_view::npos) return Refuse("the URL's host has no closing bracket");
    url.host = std::string(authority.substr(0, end));
    authority.remove_prefix(end + 1);
    if (!IsIpv6(url.host)) return Refuse("the URL's host in brackets is no IPv6 address");
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = absl::AsciiStrToLower(authority.substr(0, colon));
    authority.remove_prefix(colon);
    if (!IsHostName(url.host)) return Refuse("the URL has no host");
  }
  int port = url.is_tls ? 443 : 80;
  if (!authority.empty() &&
      (!absl::ConsumePrefix(&authority, ":") ||
       !std::all_of(authority.begin(), authority.end(), absl::ascii_isdigit) ||
       !absl::SimpleAtoi(authority, &port) || port < 1 || port > kPortMax)) {
    return Refuse("the URL's port is none");
  }
  url.port = absl::StrCat(port);
  return url;
}

}  // namespace relations
