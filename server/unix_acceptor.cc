#include "server/unix_acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "storage/base/log.h"

namespace relations {
namespace {

// After a failed accept (no file descriptors left, say) the next try waits this long.
constexpr int kAcceptPauseMs = 50;

}  // namespace

absl::Status UnixAcceptor::Start(const std::string& path, std::vector<uint32_t> trusted_uids,
                                 Door trusted, Door others) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  stop_ = eventfd(0, EFD_CLOEXEC);
  if (listener_ < 0 || stop_ < 0 ||
      bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on unix:", path, ": ", std::strerror(errno)));
  }
  path_ = path;
  if (listen(listener_, SOMAXCONN) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on unix:", path, ": ", std::strerror(errno)));
  }
  trusted_uids_ = std::move(trusted_uids);
  trusted_ = std::move(trusted);
  others_ = std::move(others);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void UnixAcceptor::Run() {
  pollfd waits[2] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
  while (poll(waits, 2, -1) >= 0 || errno == EINTR) {
    if ((waits[1].revents & POLLIN) != 0) return;
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) continue;
      LogWarning("accept failed", {{"address", path_}, {"cause", std::strerror(errno)}});
      poll(&waits[1], 1, kAcceptPauseMs);
      continue;
    }
    ucred credentials = {};
    socklen_t size = sizeof(credentials);
    const bool known = getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
    const bool trusted = known && std::find(trusted_uids_.begin(), trusted_uids_.end(),
                                            credentials.uid) != trusted_uids_.end();
    (trusted ? trusted_ : others_)(peer);
  }
}

void UnixAcceptor::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // An eventfd takes it always.
    if (write(stop_, &one, sizeof(one)) == sizeof(one)) thread_.join();
  }
  for (int* descriptor : {&listener_, &stop_}) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
  }
  if (!path_.empty()) unlink(path_.c_str());
  path_.clear();
}

}  // namespace relations
