#include "storage/import/feed_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/import/network_value.h"
#include "storage/import/normal_form.h"
#include "storage/import/url_value.h"

namespace relations {
namespace {

struct Replacement {
  absl::string_view written;
  absl::string_view meant;
};

constexpr Replacement kBrackets[] = {
    {"[.]", "."},   {"(.)", "."},     {"{.}", "."},  {"[dot]", "."}, {"(dot)", "."},
    {"{dot}", "."}, {"[://]", "://"}, {"[:]", ":"},  {"[/]", "/"},   {"[@]", "@"},
    {"(@)", "@"},   {"[at]", "@"},    {"(at)", "@"},
};
constexpr Replacement kSchemes[] = {{"hxxp:", "http:"}, {"hxxps:", "https:"}, {"fxp:", "ftp:"}};

constexpr absl::string_view kTypes[] = {"ip", "cidr", "domain", "hostname", "url", "email-address"};

const Replacement* ReplacementAt(absl::string_view text) {
  const auto* found =
      std::find_if(std::begin(kBrackets), std::end(kBrackets), [&](const Replacement& candidate) {
        return absl::StartsWithIgnoreCase(text, candidate.written);
      });
  return found == std::end(kBrackets) ? nullptr : found;
}

// A colon and 1 to 65535.
bool IsPort(absl::string_view text) {
  int number = 0;
  return text.size() >= 2 && text.size() <= 6 && text[0] == ':' &&
         std::all_of(text.begin() + 1, text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text.substr(1), &number) && number > 0 && number <= 65535;
}

// `host` or `host:port` without its port; an IPv6 address may stand alone or in brackets. Nothing
// when what is behind the host is no port.
std::optional<absl::string_view> WithoutPort(absl::string_view text) {
  if (absl::StartsWith(text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    const absl::string_view port = text.substr(end + 1);
    if (!port.empty() && !IsPort(port)) return std::nullopt;
    return text.substr(1, end - 1);
  }
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos || ParseIp(text)) return text;
  if (!IsPort(text.substr(colon))) return std::nullopt;
  return text.substr(0, colon);
}

FeedValue ReadIp(std::string text) {
  if (absl::StrContains(text, '/')) return {"cidr", std::move(text), {}};
  const size_t colon = text.find(':');
  if (colon != std::string::npos && IsPort(absl::string_view(text).substr(colon)) &&
      ParseIp(absl::string_view(text).substr(0, colon))) {
    text.resize(colon);
  }
  return {"ip", std::move(text), {}};
}

// A url without scheme: host[:port][/path, ?query or #fragment].
FeedValue ReadBareUrl(std::string text) {
  const absl::string_view whole = text;
  const size_t host_end = std::min(whole.find_first_of("/?#"), whole.size());
  const std::optional<absl::string_view> host = WithoutPort(whole.substr(0, host_end));
  const bool is_ip = host && ParseIp(*host).has_value();
  if (!host || !(is_ip || NormalDomain(*host).accepted())) {
    return {"url", {}, "has neither scheme:// nor a host at its start"};
  }
  if (host_end < whole.size()) return {"url", absl::StrCat("http://", text), {}};
  return {is_ip ? "ip" : "domain", std::string(*host), {}};
}

}  // namespace

std::string Refanged(absl::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const size_t bracket = std::min(text.find_first_of("[({"), text.size());
    absl::StrAppend(&plain, text.substr(0, bracket));
    text.remove_prefix(bracket);
    if (text.empty()) break;
    if (const Replacement* replacement = ReplacementAt(text)) {
      absl::StrAppend(&plain, replacement->meant);
      text.remove_prefix(replacement->written.size());
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  for (const Replacement& scheme : kSchemes) {
    if (absl::StartsWithIgnoreCase(plain, scheme.written)) {
      plain.replace(0, scheme.written.size(), scheme.meant.data(), scheme.meant.size());
      break;
    }
  }
  return plain;
}

std::optional<FeedValue> ReadNetworkValue(absl::string_view type, absl::string_view trimmed) {
  const auto* known = std::find(std::begin(kTypes), std::end(kTypes), type);
  if (known == std::end(kTypes)) return std::nullopt;
  std::string text = Refanged(trimmed);
  if (type == "ip") return ReadIp(std::move(text));
  if (type == "url" && SchemeLength(text) == 0) return ReadBareUrl(std::move(text));
  if (type == "url" && !HostText(text)) return FeedValue{*known, {}, "has an empty host"};
  if ((type == "domain" || type == "hostname") && ParseIp(text)) {
    return FeedValue{"ip", std::move(text), {}};
  }
  return FeedValue{*known, std::move(text), {}};
}

}  // namespace relations
