#include "server/config.h"

#include <algorithm>
#include <thread>

#include "storage/base/settings.h"
#include "storage/base/status_macros.h"

namespace relations {

std::optional<int> ReadConfig(int argc, const char* const* argv, ServerConfig& config) {
  CLI::App app("Serves the relations of a threat graph over gRPC.", "relations-server");
  Settings settings(app);
  config.workers = std::max(1U, std::thread::hardware_concurrency());
  settings.Add("data", config.data, "directory of the store")->required();
  settings
      .Add("listen", config.listen,
           "address to serve on: IP:PORT (port 0 picks a free one) or unix:PATH; may be repeated")
      ->delimiter(',');
  settings.AddSwitch("allow-plaintext", config.allow_plaintext,
                     "serve without TLS on addresses that other machines can reach");
  settings.AddSwitch("create-if-missing", config.create_if_missing,
                     "create the store when the directory is missing or empty");
  settings.Add("workers", config.workers, "threads that answer calls")
      ->check(CLI::Range(1U, 1024U));
  settings
      .Add("max-in-flight", config.max_in_flight,
           "calls that wait and run; more are refused at once")
      ->check(CLI::Range(1U, 1000000U));
  settings
      .Add("cache-mb", config.cache_mb,
           "caches of the store, MiB: half for nodes, half for blocks of files")
      ->check(CLI::Range(uint64_t{8}, uint64_t{1} << 20));
  settings.Add("read-roles", config.read_roles, "a reader needs one of these roles")
      ->delimiter(',');
  settings.Add("max-request-ms", config.max_request_ms, "longest time that a call may take")
      ->check(CLI::Range(1U, 3600000U));
  settings
      .Add("drain-timeout-ms", config.drain_timeout_ms,
           "on SIGTERM: time for calls in flight to finish")
      ->check(CLI::Range(0U, 3600000U));
  settings.Add("log-level", config.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  return settings.Parse(argc, argv);
}

absl::StatusOr<ServerOptions> ServerOptionsOf(const ServerConfig& config) {
  ServerOptions options;
  for (const std::string& text : config.listen) {
    ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(text));
    options.listen.push_back(std::move(address));
  }
  options.allow_plaintext = config.allow_plaintext;
  options.workers = {config.workers, config.max_in_flight};
  options.read_roles = config.read_roles;
  options.max_request = absl::Milliseconds(config.max_request_ms);
  return options;
}

}  // namespace relations
