// A client's connection, plain or over TLS, with the operations that a Connection needs. Not
// thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace relations::gateway {

using TlsContext = boost::asio::ssl::context;

class ClientStream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;

  // Over TLS where `tls` is not null.
  ClientStream(Socket socket, std::shared_ptr<TlsContext> tls) : tls_(std::move(tls)) {
    if (tls_ == nullptr) {
      plain_.emplace(std::move(socket));
    } else {
      encrypted_.emplace(std::move(socket), *tls_);
    }
  }

  bool is_tls() const { return tls_ != nullptr; }
  Socket& socket() { return is_tls() ? encrypted_->next_layer() : *plain_; }
  executor_type get_executor() { return socket().get_executor(); }
  // True when bytes have come that no read has given yet.
  bool HasInput() {
    boost::system::error_code ignored;
    return socket().available(ignored) > 0 ||
           (is_tls() && SSL_pending(encrypted_->native_handle()) > 0);
  }

  // REQUIRES: is_tls(). Before anything is read or written.
  template <typename Done>
  void async_handshake(Done&& done) {
    encrypted_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Done>(done));
  }
  // Says goodbye and waits for the client's. REQUIRES: is_tls().
  template <typename Done>
  void async_shutdown(Done&& done) {
    encrypted_->async_shutdown(std::forward<Done>(done));
  }
  template <typename Buffers, typename Done>
  void async_read_some(const Buffers& buffers, Done&& done) {
    if (is_tls()) {
      encrypted_->async_read_some(buffers, std::forward<Done>(done));
    } else {
      plain_->async_read_some(buffers, std::forward<Done>(done));
    }
  }
  template <typename Buffers, typename Done>
  void async_write_some(const Buffers& buffers, Done&& done) {
    if (is_tls()) {
      encrypted_->async_write_some(buffers, std::forward<Done>(done));
    } else {
      plain_->async_write_some(buffers, std::forward<Done>(done));
    }
  }

 private:
  // A connection keeps the certificate that it began with.
  std::shared_ptr<TlsContext> tls_;
  std::optional<Socket> plain_;
  std::optional<boost::asio::ssl::stream<Socket>> encrypted_;
};

// The IP address of the peer; empty for a unix socket.
std::string PeerAddress(ClientStream::Socket& socket);

}  // namespace relations::gateway
