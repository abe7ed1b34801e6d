#include "storage/import/request_uri.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/import/unicode_text.h"

namespace relations {
namespace {

using CharacterRule = bool (*)(char c);

bool IsOneOf(char c, absl::string_view characters) {
  return characters.find(c) != absl::string_view::npos;
}

bool IsUnreserved(char c) { return absl::ascii_isalnum(c) || IsOneOf(c, "-_.~"); }

// What each part is written with as it is; all else becomes an escape.
bool IsPlainInPath(char c) { return IsUnreserved(c) || IsOneOf(c, "$&+,/:;=@"); }
bool IsPlainInUser(char c) { return IsUnreserved(c) || IsOneOf(c, "$&+,;="); }
bool IsPlainInHost(char c) { return IsUnreserved(c) || IsOneOf(c, "!$&'()*+,;=:[]<>\""); }

// What a path may hold besides escapes to stay as it was written.
bool IsValidInPath(char c) { return IsPlainInPath(c) || IsOneOf(c, "!'()*[]"); }
// What the part before @ may hold, escapes included.
bool IsValidInUser(char c) { return IsUnreserved(c) || IsOneOf(c, ":!$&'()*+,;=%@"); }

bool IsNotAscii(char c) { return static_cast<uint8_t>(c) >= 0x80; }

bool IsEscape(absl::string_view text) {
  return text.size() >= 3 && text[0] == '%' && absl::ascii_isxdigit(text[1]) &&
         absl::ascii_isxdigit(text[2]);
}

std::string Escaped(absl::string_view text, CharacterRule is_plain) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c)) {
      escaped += c;
    } else {
      escaped += '%';
      escaped += kHex[static_cast<uint8_t>(c) >> 4];
      escaped += kHex[static_cast<uint8_t>(c) & 0xF];
    }
  }
  return escaped;
}

// A path that is valid as written stays; any other is decoded whole and escaped anew.
std::optional<std::string> PathForm(absl::string_view path) {
  bool valid = true;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      valid = valid && IsValidInPath(path[i]);
    } else if (!IsEscape(path.substr(i))) {
      return std::nullopt;
    }
  }
  if (valid) return std::string(path);
  return Escaped(*PercentDecoded(path), IsPlainInPath);
}

std::optional<std::string> UserForm(absl::string_view user) {
  if (!std::all_of(user.begin(), user.end(), IsValidInUser)) return std::nullopt;
  const size_t colon = user.find(':');
  const std::optional<std::string> name = PercentDecoded(user.substr(0, colon));
  if (!name) return std::nullopt;
  std::string form = Escaped(*name, IsPlainInUser);
  if (colon != absl::string_view::npos) {
    const std::optional<std::string> password = PercentDecoded(user.substr(colon + 1));
    if (!password) return std::nullopt;
    absl::StrAppend(&form, ":", Escaped(*password, IsPlainInUser));
  }
  return form;
}

// The zone of an IPv6 address begins with the escape %25 and may hold others.
bool IsZoneEscape(absl::string_view escape) {
  const std::string byte = absl::HexStringToBytes(escape.substr(1, 2));
  return absl::StartsWith(escape, "%25") || byte == " " || IsPlainInHost(byte[0]);
}

// In a host only bytes beyond ASCII, and % itself, are escaped.
bool IsHostEscape(absl::string_view escape) {
  return escape[1] >= '8' || absl::StartsWith(escape, "%25");
}

// True when the host may be written so: `zone_begin` is where a zone begins, or the host's length.
bool IsHost(absl::string_view host, size_t zone_begin, size_t zone_end) {
  for (size_t i = 0; i < host.size(); ++i) {
    const absl::string_view rest = host.substr(i);
    if (host[i] == '%') {
      const bool in_zone = i >= zone_begin && i < zone_end;
      if (!IsEscape(rest) || !(in_zone ? IsZoneEscape(rest) : IsHostEscape(rest))) return false;
      i += 2;
    } else if (!IsPlainInHost(host[i]) && !IsNotAscii(host[i])) {
      return false;
    }
  }
  return true;
}

// The host with its port.
std::optional<std::string> HostForm(absl::string_view host) {
  size_t zone_begin = host.size();
  size_t zone_end = host.size();
  size_t port_begin = host.rfind(':');
  if (absl::StartsWith(host, "[")) {
    zone_end = host.rfind(']');
    if (zone_end == absl::string_view::npos) return std::nullopt;
    zone_begin = std::min(zone_end, host.find("%25"));
    port_begin = zone_end + 1;
  }
  port_begin = std::min(port_begin, host.size());
  if (!IsOptionalPort(host.substr(port_begin)) || !IsHost(host, zone_begin, zone_end)) {
    return std::nullopt;
  }
  std::string form = Escaped(LowerCase(*PercentDecoded(host)), IsPlainInHost);
  return form;
}

std::optional<std::string> AuthorityForm(absl::string_view authority) {
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return HostForm(authority);
  const std::optional<std::string> user = UserForm(authority.substr(0, at));
  const std::optional<std::string> host = HostForm(authority.substr(at + 1));
  if (!user || !host) return std::nullopt;
  return absl::StrCat(*user, "@", *host);
}

// The length of a scheme before the first colon; 0 when the text begins with none; nothing when it
// begins with the colon itself.
std::optional<size_t> LeadingSchemeLength(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':') return i == 0 ? std::nullopt : std::optional<size_t>(i);
    if (absl::ascii_isalpha(text[i])) continue;
    if (i == 0 || !(absl::ascii_isdigit(text[i]) || IsOneOf(text[i], "+-."))) return 0;
  }
  return 0;
}

}  // namespace

bool IsOptionalPort(absl::string_view text) {
  return text.empty() ||
         (text[0] == ':' && std::all_of(text.begin() + 1, text.end(), absl::ascii_isdigit));
}

std::optional<std::string> PercentDecoded(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (!IsEscape(text.substr(i))) return std::nullopt;
    decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return decoded;
}

std::optional<std::string> RequestUriForm(absl::string_view text) {
  if (text.empty() || std::any_of(text.begin(), text.end(), absl::ascii_iscntrl)) {
    return std::nullopt;
  }
  if (text == "*") return std::string(text);
  const std::optional<size_t> scheme_length = LeadingSchemeLength(text);
  if (!scheme_length) return std::nullopt;
  std::string form;
  absl::string_view rest = text;
  if (*scheme_length > 0) {
    form = absl::StrCat(absl::AsciiStrToLower(text.substr(0, *scheme_length)), ":");
    rest.remove_prefix(*scheme_length + 1);
  }
  if (!absl::StartsWith(rest, "/")) {
    // Without a path there is only an opaque rest, such as that of mailto:, or nothing readable.
    if (form.empty()) return std::nullopt;
    return absl::StrCat(form, rest);
  }
  const size_t query_begin = std::min(rest.find('?'), rest.size());
  const absl::string_view query = rest.substr(query_begin);
  absl::string_view path = rest.substr(0, query_begin);
  if (!form.empty() && absl::StartsWith(path, "//")) {
    path.remove_prefix(2);
    const absl::string_view authority = path.substr(0, path.find('/'));
    path.remove_prefix(authority.size());
    const std::optional<std::string> authority_form = AuthorityForm(authority);
    if (!authority_form) return std::nullopt;
    if (!authority.empty() || !path.empty()) absl::StrAppend(&form, "//", *authority_form);
  }
  const std::optional<std::string> path_form = PathForm(path);
  if (!path_form) return std::nullopt;
  return absl::StrCat(form, *path_form, query);
}

}  // namespace relations
