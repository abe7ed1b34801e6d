// Accepts the connections of one unix socket and sorts them by who runs the peer: those of trusted
// users go to one door of the gRPC server, all others to another one. The kernel says who it is
// (SO_PEERCRED), at the time of connecting; nothing that is sent can change it.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace relations {

class UnixAcceptor {
 public:
  // Takes an accepted socket, which it owns from now on.
  using Door = std::function<void(int descriptor)>;

  UnixAcceptor() = default;
  ~UnixAcceptor() { Stop(); }
  UnixAcceptor(const UnixAcceptor&) = delete;
  UnixAcceptor& operator=(const UnixAcceptor&) = delete;

  // Binds `path`, whose place must be free, and starts a thread that accepts. UNAVAILABLE with the
  // operating system's reason.
  absl::Status Start(const std::string& path, std::vector<uint32_t> trusted_uids, Door trusted,
                     Door others);

  // Accepts no more and removes the socket's file. Doors are not called any more.
  void Stop();

 private:
  void Run();

  std::string path_;
  std::vector<uint32_t> trusted_uids_;
  Door trusted_;
  Door others_;
  int listener_ = -1;
  // Readable when the thread is to end.
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace relations
