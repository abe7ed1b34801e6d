#include "gateway/client_stream.h"

#include <arpa/inet.h>

#include <array>

namespace relations::gateway {

std::string PeerAddress(ClientStream::Socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return "";
  std::array<char, INET6_ADDRSTRLEN> text = {};
  if (peer.data()->sa_family == AF_INET) {
    const auto* ip = reinterpret_cast<const sockaddr_in*>(peer.data());
    return inet_ntop(AF_INET, &ip->sin_addr, text.data(), text.size());
  }
  if (peer.data()->sa_family == AF_INET6) {
    const auto* ip = reinterpret_cast<const sockaddr_in6*>(peer.data());
    return inet_ntop(AF_INET6, &ip->sin6_addr, text.data(), text.size());
  }
  return "";
}

}  // namespace relations::gateway
