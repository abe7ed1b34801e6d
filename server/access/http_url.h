// Where an HTTP service is, from a setting.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

struct HttpUrl {
  bool is_tls = false;
  // A name or an IP address, the latter without the brackets of IPv6.
  std::string host;
  std::string port;
  // Empty, or begins with '/' and does not end with it.
  std::string path;

  // "host:port", or "host" where the port is the scheme's own.
  std::string Authority() const;
  // "https://host:port", without the path.
  std::string Origin() const;
  // True when what is sent to it does not leave this machine.
  bool IsLoopback() const;
};

// "http://HOST[:PORT][/PATH]" or https. INVALID_ARGUMENT says what is wrong; user information, a
// query and a fragment are, for they would end up in logs.
absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view text);

}  // namespace relations
