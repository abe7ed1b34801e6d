#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace relations {
namespace {

// A path must fit sockaddr_un with its terminating zero.
constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

class Socket {
 public:
  explicit Socket(int family) : descriptor_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// An address as the socket calls take it.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

SocketAddress ToSocketAddress(const ListenAddress& address) {
  SocketAddress result;
  switch (address.kind) {
    case ListenAddress::Kind::kTcp4: {
      sockaddr_in ip = {};
      ip.sin_family = AF_INET;
      ip.sin_port = htons(static_cast<uint16_t>(address.port));
      inet_pton(AF_INET, address.host.c_str(), &ip.sin_addr);
      std::memcpy(&result.storage, &ip, sizeof(ip));
      result.size = sizeof(ip);
      break;
    }
    case ListenAddress::Kind::kTcp6: {
      sockaddr_in6 ip = {};
      ip.sin6_family = AF_INET6;
      ip.sin6_port = htons(static_cast<uint16_t>(address.port));
      inet_pton(AF_INET6, address.host.c_str(), &ip.sin6_addr);
      std::memcpy(&result.storage, &ip, sizeof(ip));
      result.size = sizeof(ip);
      break;
    }
    case ListenAddress::Kind::kUnix: {
      sockaddr_un path = {};
      path.sun_family = AF_UNIX;
      std::memcpy(path.sun_path, address.host.data(),
                  std::min(address.host.size(), kUnixPathBytesMax));
      std::memcpy(&result.storage, &path, sizeof(path));
      result.size = sizeof(path);
      break;
    }
  }
  return result;
}

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot listen on \"", text, "\": ", why,
                   "; an address is IP:PORT, localhost:PORT or unix:PATH"));
}

absl::StatusOr<ListenAddress> ParseUnix(absl::string_view text, absl::string_view path) {
  // unix:///run/r.sock is the same as unix:/run/r.sock.
  if (absl::StartsWith(path, "///")) {
    path.remove_prefix(2);
  }
  if (path.empty()) {
    return Invalid(text, "the path is missing");
  }
  if (path.size() > kUnixPathBytesMax) {
    return Invalid(text, absl::StrCat("the path is longer than ", kUnixPathBytesMax, " bytes"));
  }
  return ListenAddress{ListenAddress::Kind::kUnix, std::string(path), 0};
}

}  // namespace

std::string ListenAddress::ToString() const {
  switch (kind) {
    case Kind::kUnix:
      return absl::StrCat("unix:", host);
    case Kind::kTcp6:
      return absl::StrCat("[", host, "]:", port);
    case Kind::kTcp4:
      return absl::StrCat(host, ":", port);
  }
  return host;
}

bool ListenAddress::IsLocal() const {
  return kind == Kind::kUnix || (kind == Kind::kTcp4 && absl::StartsWith(host, "127.")) ||
         (kind == Kind::kTcp6 && host == "::1");
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  if (absl::StartsWith(text, "unix:")) {
    return ParseUnix(text, text.substr(5));
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return Invalid(text, "the port is missing");
  }
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() || digits.size() > 5 ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return Invalid(text, "the port is not a number from 0 to 65535");
  }
  absl::string_view host = text.substr(0, colon);
  ListenAddress address;
  address.port = static_cast<int>(port);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    address.kind = ListenAddress::Kind::kTcp6;
    host = host.substr(1, host.size() - 2);
  } else if (host == "localhost") {
    host = "127.0.0.1";
  }
  address.host = std::string(host);
  in6_addr parsed;
  if (inet_pton(address.kind == ListenAddress::Kind::kTcp6 ? AF_INET6 : AF_INET,
                address.host.c_str(), &parsed) != 1) {
    return Invalid(text, "the host is not an IP address");
  }
  if (address.kind == ListenAddress::Kind::kTcp6) {
    // One spelling, so that ::1 is known in every form.
    char canonical[INET6_ADDRSTRLEN];
    address.host = inet_ntop(AF_INET6, &parsed, canonical, sizeof(canonical));
  }
  return address;
}

absl::Status ClearStaleSocket(const ListenAddress& address) {
  if (address.kind != ListenAddress::Kind::kUnix) {
    return absl::OkStatus();
  }
  const auto refuse = [&](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", address.ToString(), ": ", why));
  };
  struct stat file = {};
  if (lstat(address.host.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::OkStatus() : refuse(std::strerror(errno));
  }
  if (!S_ISSOCK(file.st_mode)) {
    return refuse("a file that is no socket is in the way");
  }
  const Socket probe(AF_UNIX);
  const SocketAddress target = ToSocketAddress(address);
  if (connect(probe.descriptor(), target.get(), target.size) == 0) {
    return refuse("another process listens there");
  }
  // Anything but a refused connection leaves open whether somebody listens.
  if (errno != ECONNREFUSED) {
    return refuse(std::strerror(errno));
  }
  if (unlink(address.host.c_str()) != 0) {
    return refuse(absl::StrCat("the stale socket cannot be removed: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status ExplainBindFailure(const ListenAddress& address) {
  const SocketAddress target = ToSocketAddress(address);
  const Socket probe(target.family());
  const int on = 1;
  setsockopt(probe.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  std::string why = "the address cannot be used";
  if (bind(probe.descriptor(), target.get(), target.size) != 0 ||
      listen(probe.descriptor(), 1) != 0) {
    why = std::strerror(errno);
  } else if (address.kind == ListenAddress::Kind::kUnix) {
    unlink(address.host.c_str());
  }
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address.ToString(), ": ", why));
}

}  // namespace relations
