#include "storage/import/url_value.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/import/network_value.h"
#include "storage/import/request_uri.h"
#include "storage/import/unicode_text.h"

namespace relations {
namespace {

// The parts of user@host:port; views of the authority.
struct Authority {
  // With its @; may be empty.
  absl::string_view user;
  // With its brackets.
  absl::string_view host;
  // With its colon; may be empty.
  absl::string_view port;
};

// Nothing when a bracket has no end or what stands behind the host is no port.
std::optional<Authority> SplitAuthority(absl::string_view text) {
  Authority authority;
  const size_t at = text.rfind('@');
  if (at != absl::string_view::npos) {
    authority.user = text.substr(0, at + 1);
    text.remove_prefix(at + 1);
  }
  size_t host_end = text.rfind(':');
  if (absl::StartsWith(text, "[")) {
    const size_t bracket = text.rfind(']');
    if (bracket == absl::string_view::npos) return std::nullopt;
    host_end = bracket + 1;
  }
  authority.host = text.substr(0, host_end);
  authority.port = text.substr(authority.host.size());
  if (!IsOptionalPort(authority.port)) return std::nullopt;
  return authority;
}

// The host of the feed reading: an IPv6 address in brackets, a domain, or else lower case.
std::optional<std::string> FeedHost(absl::string_view host) {
  if (absl::StartsWith(host, "[")) {
    const std::optional<IpAddress> address = ParseIp(host.substr(1, host.size() - 2));
    if (!address || address->bits != 128) return std::nullopt;
    return absl::StrCat("[", IpText(*address), "]");
  }
  NormalForm domain = NormalDomain(host);
  return domain.accepted() ? std::move(domain.value) : absl::AsciiStrToLower(host);
}

// What stands behind scheme:// up to the path, the query or the fragment.
absl::string_view AuthorityText(absl::string_view url, size_t scheme_length) {
  const absl::string_view rest = url.substr(scheme_length + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

NormalForm FeedForm(absl::string_view value) {
  const size_t scheme_length = SchemeLength(value);
  if (scheme_length == 0) return Refused("does not begin with scheme://");
  if (HasControlOrSpace(value)) return Refused("has a control character or a space inside");
  const absl::string_view authority_text = AuthorityText(value, scheme_length);
  const std::optional<Authority> authority = SplitAuthority(authority_text);
  if (!authority) return Refused("has a malformed host or port");
  if (authority->host.empty()) return Refused("has an empty host");
  const std::optional<std::string> host = FeedHost(authority->host);
  if (!host) return Refused("has no IPv6 address in its brackets");
  return Accepted(absl::StrCat(absl::AsciiStrToLower(value.substr(0, scheme_length)), "://",
                               authority->user, *host, authority->port,
                               value.substr(scheme_length + 3 + authority_text.size())));
}

}  // namespace

size_t SchemeLength(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() &&
         (absl::ascii_isalnum(text[length]) ||
          absl::string_view("+-.").find(text[length]) != absl::string_view::npos)) {
    ++length;
  }
  const bool is_scheme =
      length > 0 && absl::ascii_isalpha(text[0]) && absl::StartsWith(text.substr(length), "://");
  return is_scheme ? length : 0;
}

std::optional<std::string> HostText(absl::string_view url) {
  const size_t scheme_length = SchemeLength(url);
  if (scheme_length == 0) return std::nullopt;
  const std::optional<Authority> authority = SplitAuthority(AuthorityText(url, scheme_length));
  if (!authority || authority->host.empty()) return std::nullopt;
  absl::string_view host = authority->host;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  // An escape that is not whole leaves no name that is one.
  return PercentDecoded(host).value_or(std::string(host));
}

NormalForm NormalUrl(absl::string_view value) {
  std::optional<std::string> form = RequestUriForm(value);
  return form ? Accepted(*std::move(form)) : FeedForm(value);
}

NormalForm NormalFeedUrl(absl::string_view value) {
  const size_t hash = std::min(value.find_first_of("?#"), value.size());
  const absl::string_view fragment = value.substr(hash);
  if (!absl::StartsWith(fragment, "#") || HasControlOrSpace(fragment)) return NormalUrl(value);
  NormalForm form = NormalUrl(value.substr(0, hash));
  if (form.accepted()) absl::StrAppend(&form.value, fragment);
  return form;
}

}  // namespace relations
