// The settings of relations-server: one definition each, read from flags, environment and config
// file (storage/base/settings.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/identity_config.h"
#include "server/rate_limits.h"
#include "server/server.h"
#include "storage/base/settings.h"

namespace relations {

struct ServerConfig {
  std::string data;
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  bool allow_plaintext = false;
  bool create_if_missing = false;
  // Reads a store that another process writes, or a copy of one.
  bool read_only = false;
  uint32_t catch_up_interval_ms = 1000;
  uint32_t lag_max_s = 60;
  uint32_t wait_for_store_s = 60;
  // Reader threads; the default is one for each core.
  uint32_t workers = 0;
  uint32_t max_in_flight = 1024;
  uint64_t cache_mb = 512;
  std::vector<std::string> read_roles = {"user", "admin"};
  std::vector<std::string> ingest_roles = {"reporter", "admin"};
  // Reports that wait for the disk at once, beside streams.
  uint32_t ingest_workers = 16;
  uint32_t max_request_ms = 10000;
  uint32_t drain_timeout_ms = 10000;
  std::string log_level = "info";
  uint32_t slow_call_ms = 1000;
  std::string metrics_listen;
  // Of the changes that a watcher can go back.
  uint64_t feed_keep_mb = 256;
  uint64_t feed_keep_changes = 10'000'000;
  // None: no backups.
  std::string backup_dir;
  uint32_t backup_interval_s = 86400;
  uint32_t backup_keep = 0;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  uint32_t tls_refresh_s = 10;
  std::vector<std::string> trusted_peers;
  std::vector<uint32_t> trusted_uids;
  std::vector<std::string> trusted_roles = {"user"};
  IdentityConfig identity;
  std::vector<std::string> rate_limit;
  std::string failed_auth_limit = "20:200";
  // All of the above as the operator sees it.
  std::vector<EffectiveSetting> effective;
};

// The settings that a running server takes over on SIGHUP.
const std::vector<absl::string_view>& ReloadableSettings();

// Reads the settings into `config`. Returns the exit code when the process must end (--help, a
// mistake that was told on standard error).
std::optional<int> ReadConfig(int argc, const char* const* argv, ServerConfig& config);

// Reads the settings again. INVALID_ARGUMENT says what is wrong with them; limits of rates are
// judged too.
absl::StatusOr<ServerConfig> RereadConfig(int argc, const char* const* argv);

absl::StatusOr<RateRules> RateRulesOf(const ServerConfig& config);

// The part of the settings that concerns the gRPC server. INVALID_ARGUMENT quotes a bad address.
absl::StatusOr<ServerOptions> ServerOptionsOf(const ServerConfig& config);

}  // namespace relations
