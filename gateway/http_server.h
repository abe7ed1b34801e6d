// The HTTP front's sockets and threads: accepts connections on the given addresses and runs each on
// one of a fixed number of threads.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/application.h"
#include "gateway/connection.h"
#include "gateway/listen_address.h"
#include "gateway/tls_server.h"

namespace relations::gateway {

struct HttpServerOptions {
  std::vector<ListenAddress> listen;
  int threads = 1;
  // A connection past this is answered 503 and closed; far past it (kRefusedConnectionsMax at once)
  // it is closed without an answer.
  int max_connections = 4096;
  ConnectionOptions connection;
  // Of TCP addresses; null: plain text. Unix sockets stay plain. Not owned.
  TlsServer* tls = nullptr;
};

inline constexpr int kRefusedConnectionsMax = 128;

// Member functions are called by one thread.
class HttpServer {
 public:
  // Binds all addresses and starts to serve. `application` must outlive the server. UNAVAILABLE
  // names the address that cannot be bound; then nothing serves.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           Application& application);

  virtual ~HttpServer() = default;

  // As Listener::name, one for each address, in the order of the options.
  virtual const std::vector<std::string>& addresses() const = 0;

  // Connections that are open. Thread-safe.
  virtual int connections() = 0;

  // Stops accepting, closes idle connections and lets requests under way finish, each the last of
  // its connection. What has not finished after `timeout` is cut: then the result is false.
  virtual bool Drain(std::chrono::milliseconds timeout) = 0;
};

}  // namespace relations::gateway
