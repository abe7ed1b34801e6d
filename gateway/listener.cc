#include "gateway/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "absl/strings/str_cat.h"

namespace relations::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Endpoint = asio::generic::stream_protocol::endpoint;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::string NameOf(const ListenAddress& address, uint16_t port) {
  if (!address.unix_path.empty()) {
    return absl::StrCat("unix:", address.unix_path);
  }
  const bool v6 = asio::ip::make_address(address.ip).is_v6();
  return absl::StrCat(v6 ? "[" : "", address.ip, v6 ? "]" : "", ":", port);
}

// Removes the file of a unix socket that refuses connections: its owner has gone.
void RemoveStaleSocket(asio::io_context& context, const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return;
  }
  asio::local::stream_protocol::socket probe(context);
  error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (error == asio::error::connection_refused) {
    unlink(path.c_str());
  }
}

uint16_t PortOf(const Listener::Acceptor& acceptor) {
  error_code error;
  const Endpoint bound = acceptor.local_endpoint(error);
  asio::ip::tcp::endpoint endpoint;
  if (error || bound.size() > endpoint.capacity()) {
    return 0;
  }
  std::memcpy(endpoint.data(), bound.data(), bound.size());
  return endpoint.port();
}

}  // namespace

absl::StatusOr<Listener> Listener::Open(asio::io_context& context, const ListenAddress& address) {
  const bool tcp = address.unix_path.empty();
  const Endpoint endpoint =
      tcp ? Endpoint(asio::ip::tcp::endpoint(asio::ip::make_address(address.ip), address.port))
          : Endpoint(asio::local::stream_protocol::endpoint(address.unix_path));
  if (!tcp) {
    RemoveStaleSocket(context, address.unix_path);
  }
  Acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && tcp) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  // Bound alone, so that an address in use is refused; from here on open to OpenBeside.
  if (!error && tcp) acceptor.set_option(ReusePort(true), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", NameOf(address, address.port), ": ", error.message()));
  }
  const uint16_t port = tcp ? PortOf(acceptor) : uint16_t{0};
  return Listener(std::move(acceptor), NameOf(address, port), address.unix_path);
}

absl::StatusOr<Listener> Listener::OpenBeside(asio::io_context& context, const Listener& first) {
  Acceptor acceptor(context);
  error_code error;
  const Endpoint endpoint = first.acceptor_.local_endpoint(error);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.set_option(ReusePort(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", first.name_, " once more: ", error.message()));
  }
  return Listener(std::move(acceptor), first.name_, "");
}

void Listener::Close() {
  if (!acceptor_.is_open()) {
    return;
  }
  error_code ignored;
  acceptor_.close(ignored);
  if (!unix_path_.empty()) {
    unlink(unix_path_.c_str());
  }
}

}  // namespace relations::gateway
