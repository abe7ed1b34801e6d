// The settings of relations-gateway: flags, environment variables and keys of the config file.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/front.h"
#include "gateway/http_server.h"
#include "gateway/upstream.h"
#include "storage/base/settings.h"
#include "storage/base/tls_files.h"

namespace relations::gateway {

struct Config {
  UpstreamOptions upstream;
  HttpServerOptions server;
  FrontOptions front;
  std::string log_level = "info";
  std::string metrics_listen;
  // Of the front; no certificate: plain text.
  TlsFiles tls;
  std::optional<BucketRate> failed_auth_limit;
  // All settings as the operator sees them.
  std::vector<EffectiveSetting> effective;
  std::chrono::milliseconds drain_timeout{20000};
};

// Reads the settings. An exit code instead when the process must end: 0 after --help or --version,
// 2 after a message on standard error that names what is wrong.
std::variant<Config, int> ReadConfig(int argc, const char* const* argv);

// The settings that a running gateway takes over on SIGHUP.
const std::vector<absl::string_view>& ReloadableSettings();

// Reads the settings again; INVALID_ARGUMENT says what is wrong with them.
absl::StatusOr<Config> RereadConfig(int argc, const char* const* argv);

// INVALID_ARGUMENT unless `origin` is a scheme and a host (with a port, perhaps) and nothing more.
absl::Status CheckOrigin(const std::string& origin);

}  // namespace relations::gateway
