#include "gateway/listen_address.h"

#include <sys/un.h>

#include <boost/asio/ip/address.hpp>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace relations::gateway {
namespace {

constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

absl::Status Invalid(absl::string_view text, absl::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat("address \"", text, "\": ", fault));
}

// Splits `HOST:PORT` or `[HOST]:PORT`; false when it has neither form.
bool SplitHostPort(absl::string_view text, absl::string_view& host, absl::string_view& port) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return false;
  }
  host = text.substr(0, colon);
  port = text.substr(colon + 1);
  if (absl::StartsWith(host, "[")) {
    return absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  }
  return !absl::StrContains(host, ":");
}

bool IsLoopback(absl::string_view host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty() || rest.size() > kUnixPathBytesMax) {
      return Invalid(text, absl::StrCat("the path must be 1 to ", kUnixPathBytesMax, " bytes"));
    }
    address.unix_path = std::string(rest);
    return address;
  }
  absl::string_view host;
  absl::string_view port;
  if (!SplitHostPort(text, host, port)) {
    return Invalid(text, "must be HOST:PORT (an IPv6 address in brackets) or unix:PATH");
  }
  address.ip = host == "localhost" ? "127.0.0.1" : std::string(host);
  boost::system::error_code error;
  boost::asio::ip::make_address(address.ip, error);
  if (error) {
    return Invalid(text, "the host must be an IP address or localhost");
  }
  uint32_t number = 0;
  if (port.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(port[0])) ||
      !absl::SimpleAtoi(port, &number) || number > std::numeric_limits<uint16_t>::max()) {
    return Invalid(text, "the port must be a number from 0 to 65535");
  }
  address.port = static_cast<uint16_t>(number);
  return address;
}

bool StaysOnHost(const ListenAddress& address) {
  return !address.unix_path.empty() || IsLoopback(address.ip);
}

bool BackendStaysOnHost(absl::string_view target) {
  if (absl::StartsWith(target, "unix:") || absl::StartsWith(target, "unix-abstract:")) {
    return true;
  }
  for (const absl::string_view scheme : {"dns:", "ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&target, scheme)) break;
  }
  absl::ConsumePrefix(&target, "///");
  absl::string_view host;
  absl::string_view port;
  // A list of addresses is judged remote: it has no single host.
  return SplitHostPort(target, host, port) && (host == "localhost" || IsLoopback(host));
}

}  // namespace relations::gateway
