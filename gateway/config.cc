#include "gateway/config.h"

#include <algorithm>
#include <iostream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/log.h"
#include "storage/base/settings.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr int kThreadsMax = 256;
constexpr int kChannelsMax = 64;
constexpr int kCountMax = 1000000;
constexpr int kMillisecondsMax = 3600 * 1000;

// The settings as they are given; Config has them checked and typed.
struct RawSettings {
  std::string backend;
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  int threads = 0;
  int backend_channels = 0;
  int request_timeout_ms = 10000;
  int header_timeout_ms = 10000;
  int idle_timeout_ms = 60000;
  int write_timeout_ms = 30000;
  int drain_timeout_ms = 20000;
  int max_connections = 4096;
  int max_in_flight = 1024;
  std::vector<std::string> cors_origins;
  std::string log_level = "info";
  bool allow_plaintext = false;
};

void Define(Settings& settings, RawSettings& raw) {
  const auto milliseconds = CLI::Range(1, kMillisecondsMax);
  settings
      .Add("backend", raw.backend,
           "the relations server: HOST:PORT, unix:PATH or another gRPC target (required)")
      ->required();
  settings
      .Add("listen", raw.listen,
           "address to serve on, HOST:PORT or unix:PATH; may be repeated; port 0 picks a free one")
      ->delimiter(',');
  settings.Add("threads", raw.threads, "threads that serve connections; 0: one for each core")
      ->check(CLI::Range(0, kThreadsMax));
  settings
      .Add("backend-channels", raw.backend_channels,
           "connections to the backend; 0: one for each core")
      ->check(CLI::Range(0, kChannelsMax));
  settings.Add("request-timeout-ms", raw.request_timeout_ms, "deadline of a call to the backend")
      ->check(milliseconds);
  settings
      .Add("header-timeout-ms", raw.header_timeout_ms,
           "time for a request to come whole, from its first byte or the connection's start")
      ->check(milliseconds);
  settings.Add("idle-timeout-ms", raw.idle_timeout_ms, "time between an answer and a next request")
      ->check(milliseconds);
  settings
      .Add("write-timeout-ms", raw.write_timeout_ms,
           "time for a client to take an answer (larger answers get 1 s more for each 256 KiB)")
      ->check(milliseconds);
  settings
      .Add("drain-timeout-ms", raw.drain_timeout_ms,
           "after SIGTERM or SIGINT: time for requests under way to finish")
      ->check(milliseconds);
  settings
      .Add("max-connections", raw.max_connections,
           "connections served at once; one more is answered 503 and closed")
      ->check(CLI::Range(1, kCountMax));
  settings
      .Add("max-in-flight", raw.max_in_flight,
           "calls to the backend at once; a request past them is answered 503")
      ->check(CLI::Range(1, kCountMax));
  settings
      .Add("cors-origins", raw.cors_origins,
           "origins that browser scripts may ask from, with commas between; none: no CORS")
      ->delimiter(',');
  settings.Add("log-level", raw.log_level, "lowest level logged: debug, info, warning, error");
  settings.AddSwitch("allow-plaintext", raw.allow_plaintext,
                     "allow unencrypted traffic that leaves this machine");
}

absl::Status CheckPlaintext(const RawSettings& raw, const std::vector<ListenAddress>& listen) {
  if (raw.allow_plaintext) {
    return absl::OkStatus();
  }
  for (size_t i = 0; i < listen.size(); ++i) {
    if (!StaysOnHost(listen[i])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen ", raw.listen[i], ": credentials would cross the network unencrypted; ",
          "put TLS in front and listen on loopback, or give --allow-plaintext"));
    }
  }
  if (!BackendStaysOnHost(raw.backend)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--backend ", raw.backend, ": credentials would cross the network unencrypted; ",
        "use a unix socket or loopback, or give --allow-plaintext"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Config> Convert(const RawSettings& raw) {
  Config config;
  if (raw.backend.empty()) {
    return absl::InvalidArgumentError("--backend must not be empty");
  }
  for (const std::string& text : raw.listen) {
    ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(text));
    config.server.listen.push_back(std::move(address));
  }
  RETURN_IF_ERROR(CheckPlaintext(raw, config.server.listen));
  for (const std::string& origin : raw.cors_origins) {
    RETURN_IF_ERROR(CheckOrigin(origin));
  }
  RETURN_IF_ERROR(SetUpLog("relations-gateway", raw.log_level));
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  config.server.threads = raw.threads == 0 ? std::min(cores, kThreadsMax) : raw.threads;
  config.server.max_connections = raw.max_connections;
  config.server.connection.header_timeout = std::chrono::milliseconds(raw.header_timeout_ms);
  config.server.connection.idle_timeout = std::chrono::milliseconds(raw.idle_timeout_ms);
  config.server.connection.write_timeout = std::chrono::milliseconds(raw.write_timeout_ms);
  config.upstream.backend = raw.backend;
  config.upstream.channels =
      raw.backend_channels == 0 ? std::min(cores, kChannelsMax) : raw.backend_channels;
  config.upstream.max_in_flight = raw.max_in_flight;
  config.upstream.request_timeout = std::chrono::milliseconds(raw.request_timeout_ms);
  config.front.cors_origins = raw.cors_origins;
  config.log_level = raw.log_level;
  config.drain_timeout = std::chrono::milliseconds(raw.drain_timeout_ms);
  return config;
}

}  // namespace

absl::Status CheckOrigin(const std::string& origin) {
  const size_t scheme_end = origin.find("://");
  const bool whole = scheme_end != std::string::npos && scheme_end > 0 &&
                     scheme_end + 3 < origin.size() &&
                     origin.find_first_of("/ *?#", scheme_end + 3) == std::string::npos;
  if (!whole) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--cors-origins: \"", origin, "\" must be like https://explorer.example (no path, no *)"));
  }
  return absl::OkStatus();
}

std::variant<Config, int> ReadConfig(int argc, const char* const* argv) {
  CLI::App app("relations-gateway: the REST API of the threat graph, in front of relations-server");
  Settings settings(app);
  RawSettings raw;
  Define(settings, raw);
  if (const std::optional<int> exit_code = settings.Parse(argc, argv)) {
    return *exit_code;
  }
  absl::StatusOr<Config> config = Convert(raw);
  if (!config.ok()) {
    std::cerr << "relations-gateway: " << config.status().message() << "\n";
    return 2;
  }
  return *std::move(config);
}

}  // namespace relations::gateway
