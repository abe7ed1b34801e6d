// relations-gateway: serves the REST API until SIGTERM or SIGINT, then finishes what is under way.
// SIGHUP reads the settings again.
#include <sys/resource.h>

#include <algorithm>
#include <iostream>

#include "gateway/config.h"
#include "gateway/front.h"
#include "gateway/http_server.h"
#include "gateway/upstream.h"
#include "storage/base/log.h"
#include "storage/base/metrics.h"
#include "storage/base/process.h"
#include "storage/base/reload.h"
#include "storage/base/signals.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

struct Arguments {
  int count;
  const char* const* values;
};

// File descriptors besides those of client connections.
constexpr rlim_t kSpareDescriptors = 256;

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

void AddSources(Metrics& metrics, HttpServer& server, Upstream& upstream) {
  metrics.AddSource([&server, &upstream](std::vector<MetricSample>& samples) {
    samples.push_back({"relations_gateway_connections",
                       "Connections of clients that are open.",
                       MetricSample::Kind::kGauge,
                       static_cast<double>(server.connections()),
                       {}});
    samples.push_back({"relations_gateway_calls_in_flight",
                       "Calls to the backend under way.",
                       MetricSample::Kind::kGauge,
                       static_cast<double>(upstream.calls_in_flight()),
                       {}});
  });
}

// Takes over what can be changed while the gateway runs; the log says what cannot.
void Reload(const Arguments& arguments, Config& config, FailureLimit& failures) {
  absl::StatusOr<Config> next = RereadConfig(arguments.count, arguments.values);
  absl::Status status = next.status();
  if (status.ok()) status = SetLogLevel(next->log_level);
  if (!status.ok()) {
    LogError("settings not read again: the old ones count",
             {{"cause", std::string(status.message())}});
    return;
  }
  failures.SetRate(next->failed_auth_limit);
  LogReload(config.effective, next->effective, ReloadableSettings());
  config.effective = std::move(next->effective);
}

absl::Status Serve(const Arguments& arguments, Config& config, const sigset_t& signals) {
  Metrics metrics("relations-gateway");
  RequestMetrics requests(metrics, "relations_gateway_request", "route");
  config.server.connection.metrics = &requests;
  FailureLimit failures(config.failed_auth_limit);
  config.front.failures = &failures;
  std::unique_ptr<TlsServer> tls;
  if (!config.tls.certificate.empty()) {
    ASSIGN_OR_RETURN(tls, TlsServer::Open(config.tls));
    config.server.tls = tls.get();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Upstream> upstream, ConnectUpstream(config.upstream));
  ASSIGN_OR_RETURN(const std::unique_ptr<Application> front, MakeFront(config.front, *upstream));
  ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server,
                   HttpServer::Start(config.server, *front));
  AddSources(metrics, *server, *upstream);
  // Started last, so that it is gone before what its sources look at.
  std::unique_ptr<MetricsListener> metrics_listener;
  if (!config.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(metrics_listener, MetricsListener::Start(metrics, config.metrics_listen));
  }
  for (const std::string& address : server->addresses()) {
    std::cout << "listening on " << address << std::endl;
  }
  if (metrics_listener != nullptr) {
    std::cout << "metrics on " << metrics_listener->address() << std::endl;
  }
  const int signal = WaitForStop(signals, [&] { Reload(arguments, config, failures); });
  LogInfo("stopping", {{"signal", signal}});
  if (!server->Drain(config.drain_timeout)) {
    LogWarning("requests were cut: the drain took too long");
  }
  return absl::OkStatus();
}

int Run(const Arguments& arguments, Config config) {
  const sigset_t signals = BlockSignals();
  RaiseFileLimit(config.server.max_connections);
  if (const absl::Status status = Serve(arguments, config, signals); !status.ok()) {
    std::cerr << "relations-gateway: " << status.message() << "\n";
    return 1;
  }
  LogInfo("stopped");
  return 0;
}

}  // namespace
}  // namespace relations::gateway

int main(int argc, char** argv) {
  relations::PrepareProcess();
  auto config = relations::gateway::ReadConfig(argc, argv);
  if (const int* exit_code = std::get_if<int>(&config)) {
    return *exit_code;
  }
  return relations::gateway::Run({argc, argv},
                                 std::get<relations::gateway::Config>(std::move(config)));
}
