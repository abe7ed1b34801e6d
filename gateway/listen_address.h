// Addresses to serve on, and where the backend is, as settings write them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations::gateway {

struct ListenAddress {
  // A unix socket's path, or empty for TCP.
  std::string unix_path;
  // An IPv4 or IPv6 address without brackets.
  std::string ip;
  // 0: the system picks a free one.
  uint16_t port = 0;
};

// Reads `HOST:PORT` or `unix:PATH`. HOST is an IP address (IPv6 in brackets) or `localhost`, which
// means 127.0.0.1. INVALID_ARGUMENT names the text and what is wrong with it.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// True when nothing sent to the address leaves the machine.
bool StaysOnHost(const ListenAddress& address);

// The same for a gRPC target. A name other than localhost counts as remote.
bool BackendStaysOnHost(absl::string_view target);

}  // namespace relations::gateway
