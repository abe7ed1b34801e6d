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

constexpr char kAbout[] =
    "relations-gateway: the REST API of the threat graph, in front of relations-server";
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
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  bool backend_tls = false;
  std::string backend_ca;
  std::string backend_cert;
  std::string backend_key;
  std::string backend_name;
  std::string metrics_listen;
  std::string failed_auth_limit = "20:200";
};

void DefineTls(Settings& settings, RawSettings& raw) {
  settings.Add("tls-cert", raw.tls_cert,
               "certificate (and its chain) for HTTPS on every TCP address, a PEM file; read again "
               "when it changes");
  settings.Add("tls-key", raw.tls_key, "private key of the certificate, a PEM file");
  settings.Add("tls-client-ca", raw.tls_client_ca,
               "authorities that every client's certificate must come from, a PEM file; none: "
               "clients need no certificate");
  settings.AddSwitch("backend-tls", raw.backend_tls, "TLS towards the backend");
  settings.Add("backend-ca", raw.backend_ca,
               "authorities of the backend's certificate, a PEM file; none: those of the system");
  settings.Add("backend-cert", raw.backend_cert, "certificate to show to the backend, a PEM file");
  settings.Add("backend-key", raw.backend_key, "private key of that certificate, a PEM file");
  settings.Add("backend-name", raw.backend_name,
               "name in the backend's certificate, where it is not the host of --backend");
}

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
           "connections to the backend; 0: one for each two cores")
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
  settings.Add("log-level", raw.log_level,
               "lowest level logged: debug, info, warning, error; reloaded");
  settings.Add("metrics-listen", raw.metrics_listen,
               "address for Prometheus, IP:PORT, without TLS or credentials; none: no metrics");
  settings.Add("failed-auth-limit", raw.failed_auth_limit,
               "failed authentications a second of one client address, RATE:BURST; 0: no limit; "
               "reloaded");
  DefineTls(settings, raw);
  settings.AddSwitch("allow-plaintext", raw.allow_plaintext,
                     "allow unencrypted traffic that leaves this machine");
}

absl::Status CheckPlaintext(const RawSettings& raw, const std::vector<ListenAddress>& listen) {
  if (raw.allow_plaintext) {
    return absl::OkStatus();
  }
  for (size_t i = 0; i < listen.size(); ++i) {
    if (raw.tls_cert.empty() && !StaysOnHost(listen[i])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen ", raw.listen[i], ": credentials would cross the network unencrypted; ",
          "give --tls-cert and --tls-key, listen on loopback, or give --allow-plaintext"));
    }
  }
  if (!raw.backend_tls && !BackendStaysOnHost(raw.backend)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--backend ", raw.backend, ": credentials would cross the network unencrypted; ",
        "use --backend-tls, a unix socket or loopback, or give --allow-plaintext"));
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
  ASSIGN_OR_RETURN(config.failed_auth_limit, ParseFailureLimit(raw.failed_auth_limit));
  config.metrics_listen = raw.metrics_listen;
  config.tls = {raw.tls_cert, raw.tls_key, raw.tls_client_ca};
  config.upstream.tls = raw.backend_tls;
  config.upstream.tls_files = {raw.backend_cert, raw.backend_key, raw.backend_ca};
  config.upstream.tls_name = raw.backend_name;
  RETURN_IF_ERROR(CheckTlsFiles(config.tls));
  if (config.tls.certificate.empty() && !config.tls.authorities.empty()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (!raw.backend_tls && !(raw.backend_ca + raw.backend_cert + raw.backend_key).empty()) {
    return absl::InvalidArgumentError(
        "--backend-ca, --backend-cert and --backend-key need --backend-tls");
  }
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  config.server.threads = raw.threads == 0 ? std::min(cores, kThreadsMax) : raw.threads;
  config.server.max_connections = raw.max_connections;
  config.server.connection.header_timeout = std::chrono::milliseconds(raw.header_timeout_ms);
  config.server.connection.idle_timeout = std::chrono::milliseconds(raw.idle_timeout_ms);
  config.server.connection.write_timeout = std::chrono::milliseconds(raw.write_timeout_ms);
  config.upstream.backend = raw.backend;
  // gRPC sends and reads at once what several calls have for one connection.
  const int channels = std::clamp(cores / 2, 1, kChannelsMax);
  config.upstream.channels = raw.backend_channels == 0 ? channels : raw.backend_channels;
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

const std::vector<absl::string_view>& ReloadableSettings() {
  static const std::vector<absl::string_view> names = {"log-level", "failed-auth-limit"};
  return names;
}

std::variant<Config, int> ReadConfig(int argc, const char* const* argv) {
  CLI::App app(kAbout);
  Settings settings(app);
  settings.OfferPrintConfig();
  RawSettings raw;
  Define(settings, raw);
  if (const std::optional<int> exit_code = settings.Parse(argc, argv)) {
    return *exit_code;
  }
  absl::StatusOr<Config> config = Convert(raw);
  absl::Status status = config.status();
  if (status.ok()) status = SetUpLog("relations-gateway", config->log_level);
  if (!status.ok()) {
    std::cerr << "relations-gateway: " << status.message() << "\n";
    return 2;
  }
  config->effective = settings.Effective(argc, argv);
  return *std::move(config);
}

absl::StatusOr<Config> RereadConfig(int argc, const char* const* argv) {
  CLI::App app(kAbout);
  Settings settings(app);
  settings.OfferPrintConfig();
  RawSettings raw;
  Define(settings, raw);
  RETURN_IF_ERROR(settings.Reparse(argc, argv));
  ASSIGN_OR_RETURN(Config config, Convert(raw));
  config.effective = settings.Effective(argc, argv);
  return config;
}

}  // namespace relations::gateway
