// relations-gateway: serves the REST API until SIGTERM or SIGINT, then finishes what is under way.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>

#include "gateway/config.h"
#include "gateway/front.h"
#include "gateway/http_server.h"
#include "gateway/upstream.h"
#include "storage/base/log.h"

namespace relations::gateway {
namespace {

// File descriptors besides those of client connections.
constexpr rlim_t kSpareDescriptors = 256;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Raises the soft limit of open files to what the connections need, as far as the hard one lets it.
void RaiseFileLimit(int connections) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  const rlim_t needed = static_cast<rlim_t>(connections) + kSpareDescriptors;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur < needed) {
    LogWarning("fewer files may be open than max-connections needs",
               {{"allowed", limit.rlim_cur}, {"needed", needed}});
  }
}

int Fail(const absl::Status& status) {
  std::cerr << "relations-gateway: " << status.message() << "\n";
  return 1;
}

int Run(const Config& config) {
  // Blocked before any thread starts, so that only the wait below sees them.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  RaiseFileLimit(config.server.max_connections);

  const std::unique_ptr<Upstream> upstream = ConnectUpstream(config.upstream);
  auto front = MakeFront(config.front, *upstream);
  if (!front.ok()) {
    return Fail(front.status());
  }
  auto server = HttpServer::Start(config.server, **front);
  if (!server.ok()) {
    return Fail(server.status());
  }
  for (const std::string& address : (*server)->addresses()) {
    std::cout << "listening on " << address << std::endl;
  }
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  LogInfo("stopping", {{"signal", signal_number}});
  if (!(*server)->Drain(config.drain_timeout)) {
    LogWarning("requests were cut: the drain took too long");
  }
  server->reset();
  LogInfo("stopped");
  return 0;
}

}  // namespace
}  // namespace relations::gateway

int main(int argc, char** argv) {
  const auto config = relations::gateway::ReadConfig(argc, argv);
  if (const int* exit_code = std::get_if<int>(&config)) {
    return *exit_code;
  }
  return relations::gateway::Run(std::get<relations::gateway::Config>(config));
}
