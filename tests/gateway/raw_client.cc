#include "tests/gateway/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

namespace relations::gateway {
namespace {

constexpr int kPatienceMs = 10000;

// A connected socket, or -1.
int Connect(const std::string& address, int receive_buffer) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.rfind("unix:", 0) == 0) {
    auto* local = reinterpret_cast<sockaddr_un*>(&storage);
    local->sun_family = AF_UNIX;
    std::strncpy(local->sun_path, address.c_str() + 5, sizeof local->sun_path - 1);
    size = sizeof *local;
  } else {
    auto* ip = reinterpret_cast<sockaddr_in*>(&storage);
    const size_t colon = address.rfind(':');
    ip->sin_family = AF_INET;
    ip->sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &ip->sin_addr);
    size = sizeof *ip;
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

std::string Trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" \t"));
  text.erase(text.find_last_not_of(" \t") + 1);
  return text;
}

}  // namespace

std::string RawAnswer::field(const std::string& name) const {
  const auto entry = fields.find(name);
  return entry == fields.end() ? "(none)" : entry->second;
}

RawClient::RawClient(const std::string& address, int receive_buffer)
    : fd_(Connect(address, receive_buffer)) {
  if (fd_ < 0) {
    std::abort();
  }
}

RawClient::~RawClient() { Close(); }

std::unique_ptr<RawClient> RawClient::TryConnect(const std::string& address) {
  const int fd = Connect(address, 0);
  if (fd < 0) return nullptr;
  return std::unique_ptr<RawClient>(new RawClient(Connected{fd}));
}

bool RawClient::CanConnect(const std::string& address) {
  const int fd = Connect(address, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

void RawClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void RawClient::FinishSending() { shutdown(fd_, SHUT_WR); }

bool RawClient::Send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    pollfd writable{fd_, POLLOUT, 0};
    if (poll(&writable, 1, kPatienceMs) <= 0) return false;
    const ssize_t count =
        send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) return false;
    if (count > 0) sent += static_cast<size_t>(count);
  }
  return true;
}

bool RawClient::Readable(int milliseconds) {
  pollfd readable{fd_, POLLIN, 0};
  return poll(&readable, 1, milliseconds) > 0;
}

bool RawClient::Receive() {
  char buffer[65536];
  if (ended_ || !Readable(kPatienceMs)) {
    return false;
  }
  const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
  if (count <= 0) {
    ended_ = true;
    return false;
  }
  input_.append(buffer, static_cast<size_t>(count));
  return true;
}

bool RawClient::Ends() {
  if (!input_.empty()) {
    return false;
  }
  return !Receive() && ended_;
}

std::optional<RawAnswer> RawClient::Read(BodyRule rule) {
  size_t end;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive()) return std::nullopt;
  }
  RawAnswer answer;
  std::string head = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  size_t line_end = head.find("\r\n");
  answer.status_line = head.substr(0, line_end);
  answer.status = std::atoi(answer.status_line.c_str() + sizeof "HTTP/1.1");
  for (size_t begin = line_end + 2; begin < head.size(); begin = line_end + 2) {
    line_end = head.find("\r\n", begin);
    const std::string line = head.substr(begin, line_end - begin);
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    std::string& value = answer.fields[name];
    if (!value.empty()) value += '\n';
    value += Trimmed(line.substr(colon + 1));
  }
  const size_t length = rule == BodyRule::kNone
                            ? 0
                            : std::strtoul(answer.field("content-length").c_str(), nullptr, 10);
  while (input_.size() < length) {
    if (!Receive()) return std::nullopt;
  }
  answer.body = input_.substr(0, length);
  input_.erase(0, length);
  return answer;
}

std::optional<RawAnswer> RawClient::Ask(const std::string& bytes, BodyRule rule) {
  if (!Send(bytes)) {
    return std::nullopt;
  }
  return Read(rule);
}

}  // namespace relations::gateway
