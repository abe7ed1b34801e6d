// A socket that accepts connections on one address.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/listen_address.h"

namespace relations::gateway {

// Not thread-safe. A unix socket's file is removed by Close.
class Listener {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  // Binds and listens. A unix socket that nobody listens on any more is replaced. UNAVAILABLE names
  // the address and the cause, such as that it is in use.
  static absl::StatusOr<Listener> Open(boost::asio::io_context& context,
                                       const ListenAddress& address);

  // A further socket on the TCP address of `first`: the kernel spreads new connections over all of
  // them (SO_REUSEPORT). Only sockets of this kind share an address, Open never does.
  static absl::StatusOr<Listener> OpenBeside(boost::asio::io_context& context,
                                             const Listener& first);

  Listener(Listener&&) = default;

  Acceptor& acceptor() { return acceptor_; }

  // The address as bound, with the port that the system picked: "127.0.0.1:43211", "unix:/run/x".
  const std::string& name() const { return name_; }

  bool is_tcp() const { return unix_path_.empty(); }

  // Stops accepting.
  void Close();

 private:
  Listener(Acceptor acceptor, std::string name, std::string unix_path)
      : acceptor_(std::move(acceptor)), name_(std::move(name)), unix_path_(std::move(unix_path)) {}

  Acceptor acceptor_;
  std::string name_;
  std::string unix_path_;
};

}  // namespace relations::gateway
