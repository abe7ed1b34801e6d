#include "server/config.h"

#include <algorithm>
#include <thread>

#include "storage/base/settings.h"
#include "storage/base/status_macros.h"

namespace relations {

namespace {

constexpr char kAbout[] = "Serves the relations of a threat graph over gRPC.";
constexpr char kProgram[] = "relations-server";

void DefineServing(Settings& settings, ServerConfig& config) {
  // Two for each core: while one waits, for a lock or a disk, the other has the core, and gRPC
  // sends the answers of several at once.
  config.workers = 2 * std::max(1U, std::thread::hardware_concurrency());
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
  settings.Add("ingest-roles", config.ingest_roles, "a reporter needs one of these roles")
      ->delimiter(',');
  settings.Add("ingest-workers", config.ingest_workers, "reports that wait for the disk at once")
      ->check(CLI::Range(1U, 1024U));
  settings.Add("max-request-ms", config.max_request_ms, "longest time that a call may take")
      ->check(CLI::Range(1U, 3600000U));
  settings
      .Add("drain-timeout-ms", config.drain_timeout_ms,
           "on SIGTERM: time for calls in flight to finish")
      ->check(CLI::Range(0U, 3600000U));
}

void DefineFeed(Settings& settings, ServerConfig& config) {
  settings
      .Add("feed-keep-mb", config.feed_keep_mb,
           "MiB of changes kept for watchers that come back; an eighth more at times")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 20));
  settings
      .Add("feed-keep-changes", config.feed_keep_changes,
           "changes kept for watchers that come back, whatever bytes they take")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
}

void DefineFollowing(Settings& settings, ServerConfig& config) {
  settings.AddSwitch("read-only", config.read_only,
                     "serve reads of a store that another process writes, or of a copy; writes "
                     "nothing into its directory");
  settings
      .Add("catch-up-interval-ms", config.catch_up_interval_ms,
           "read-only: time between two looks at what the other process has written")
      ->check(CLI::Range(10U, 3600000U));
  settings
      .Add("lag-max-s", config.lag_max_s,
           "read-only: health turns NOT_SERVING when no look has succeeded for so long")
      ->check(CLI::Range(1U, 86400U));
  settings
      .Add("wait-for-store-s", config.wait_for_store_s,
           "read-only: how long to wait at the start for a store that is not there yet")
      ->check(CLI::Range(0U, 86400U));
}

void DefineBackups(Settings& settings, ServerConfig& config) {
  settings.Add("backup-dir", config.backup_dir,
               "directory of backups that the server takes while it serves; none: it takes none");
  settings
      .Add("backup-interval-s", config.backup_interval_s,
           "seconds from one backup to the next; the first is taken at the start")
      ->check(CLI::Range(1U, 30U * 86400U));
  settings.Add("backup-keep", config.backup_keep,
               "how many of the newest backups are kept; 0 keeps all");
}

void DefineAccess(Settings& settings, ServerConfig& config) {
  settings.Add("tls-cert", config.tls_cert,
               "certificate (and its chain) for TLS on every TCP address, a PEM file");
  settings.Add("tls-key", config.tls_key, "private key of the certificate, a PEM file");
  settings.Add("tls-client-ca", config.tls_client_ca,
               "authorities that every client's certificate must come from, a PEM file; none: "
               "clients need no certificate");
  settings.Add("tls-refresh-s", config.tls_refresh_s, "seconds between two looks at these files")
      ->check(CLI::Range(1U, 86400U));
  settings
      .Add("trusted-peers", config.trusted_peers,
           "names in client certificates of hops that may assert user-id and groups")
      ->delimiter(',');
  settings
      .Add("trusted-uids", config.trusted_uids,
           "numbers of users whose processes may assert them over a unix socket")
      ->delimiter(',');
  settings.Add("trusted-roles", config.trusted_roles, "roles of users that such a hop asserts")
      ->delimiter(',');
  settings
      .Add("rate-limit", config.rate_limit,
           "calls a second of one user: ROLE=RATE:BURST, such as user=50:100; * for other roles; "
           "none: no limit; reloaded")
      ->delimiter(',');
  settings.Add("failed-auth-limit", config.failed_auth_limit,
               "failed authentications a second of one remote address, RATE:BURST; 0: no limit; "
               "reloaded");
}

void DefineTelemetry(Settings& settings, ServerConfig& config) {
  settings.Add("log-level", config.log_level, "debug, info, warning or error; reloaded")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  settings
      .Add("slow-call-ms", config.slow_call_ms,
           "a call that takes as long is logged as a warning; 0: none is; reloaded")
      ->check(CLI::Range(0U, 3600000U));
  settings.Add("metrics-listen", config.metrics_listen,
               "address for Prometheus, IP:PORT, without TLS or credentials; none: no metrics");
}

void Define(Settings& settings, ServerConfig& config) {
  DefineServing(settings, config);
  DefineFeed(settings, config);
  DefineFollowing(settings, config);
  DefineBackups(settings, config);
  DefineAccess(settings, config);
  DefineIdentity(settings, config.identity);
  DefineTelemetry(settings, config);
}

}  // namespace

const std::vector<absl::string_view>& ReloadableSettings() {
  static const std::vector<absl::string_view> names = {"log-level", "slow-call-ms", "rate-limit",
                                                       "failed-auth-limit"};
  return names;
}

std::optional<int> ReadConfig(int argc, const char* const* argv, ServerConfig& config) {
  CLI::App app(kAbout, kProgram);
  Settings settings(app);
  settings.OfferPrintConfig();
  Define(settings, config);
  const std::optional<int> exit_code = settings.Parse(argc, argv);
  config.effective = settings.Effective(argc, argv);
  return exit_code;
}

absl::StatusOr<ServerConfig> RereadConfig(int argc, const char* const* argv) {
  CLI::App app(kAbout, kProgram);
  Settings settings(app);
  settings.OfferPrintConfig();
  ServerConfig config;
  Define(settings, config);
  RETURN_IF_ERROR(settings.Reparse(argc, argv));
  RETURN_IF_ERROR(RateRulesOf(config).status());
  config.effective = settings.Effective(argc, argv);
  return config;
}

absl::StatusOr<RateRules> RateRulesOf(const ServerConfig& config) {
  return ParseRateRules(config.rate_limit, config.failed_auth_limit);
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
  options.ingest_workers = {config.ingest_workers, config.max_in_flight};
  options.ingest_roles = config.ingest_roles;
  options.max_request = absl::Milliseconds(config.max_request_ms);
  options.slow_call_ms = config.slow_call_ms;
  options.tls = {config.tls_cert, config.tls_key, config.tls_client_ca};
  options.tls_refresh_s = config.tls_refresh_s;
  options.trusted_hops = {config.trusted_peers, config.trusted_uids, config.trusted_roles};
  options.read_only = config.read_only;
  if (config.read_only && (config.create_if_missing || !config.backup_dir.empty())) {
    return absl::InvalidArgumentError(
        "--read-only goes neither with --create-if-missing nor with --backup-dir: those are for "
        "the server that writes the store");
  }
  if (!config.tls_client_ca.empty() && config.tls_cert.empty()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (!config.trusted_peers.empty() && config.tls_client_ca.empty()) {
    return absl::InvalidArgumentError(
        "--trusted-peers needs --tls-client-ca: a name counts only in a verified certificate");
  }
  return options;
}

}  // namespace relations
