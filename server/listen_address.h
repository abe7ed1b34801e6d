// Addresses to serve on: `HOST:PORT` with an IP address (or `localhost`, which means 127.0.0.1),
// and `unix:PATH`. Names are not resolved, so that an address means one socket.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

struct ListenAddress {
  enum class Kind { kTcp4, kTcp6, kUnix };

  Kind kind = Kind::kTcp4;
  // The IP address without brackets, or the socket's path.
  std::string host;
  // 0 picks a free one. Without meaning for a unix socket.
  int port = 0;

  // As it is written, and as gRPC takes it: "127.0.0.1:50051", "[::1]:50051", "unix:/run/r.sock".
  std::string ToString() const;
  // True when only this machine can connect.
  bool IsLocal() const;
};

// INVALID_ARGUMENT quotes what is wrong and says what is accepted.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// Makes the place of a unix socket free: removes a socket file that nobody listens on, the remains
// of a crash. FAILED_PRECONDITION when a process listens there, when the file is no socket or when
// its directory cannot be used. Does nothing for TCP.
absl::Status ClearStaleSocket(const ListenAddress& address);

// Why an address that could not be served on cannot be: UNAVAILABLE with the operating system's
// reason.
absl::Status ExplainBindFailure(const ListenAddress& address);

}  // namespace relations
