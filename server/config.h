// The settings of relations-server: one definition each, read from flags, environment and config
// file (storage/base/settings.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/server.h"

namespace relations {

struct ServerConfig {
  std::string data;
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  bool allow_plaintext = false;
  bool create_if_missing = false;
  // Reader threads; the default is one for each core.
  uint32_t workers = 0;
  uint32_t max_in_flight = 1024;
  uint64_t cache_mb = 512;
  std::vector<std::string> read_roles = {"user", "admin"};
  uint32_t max_request_ms = 10000;
  uint32_t drain_timeout_ms = 10000;
  std::string log_level = "info";
};

// Reads the settings into `config`. Returns the exit code when the process must end (--help, a
// mistake that was told on standard error).
std::optional<int> ReadConfig(int argc, const char* const* argv, ServerConfig& config);

// The part of the settings that concerns the gRPC server. INVALID_ARGUMENT quotes a bad address.
absl::StatusOr<ServerOptions> ServerOptionsOf(const ServerConfig& config);

}  // namespace relations
