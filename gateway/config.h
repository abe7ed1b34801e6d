// The settings of relations-gateway: flags, environment variables and keys of the config file.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gateway/front.h"
#include "gateway/http_server.h"
#include "gateway/upstream.h"

namespace relations::gateway {

struct Config {
  UpstreamOptions upstream;
  HttpServerOptions server;
  FrontOptions front;
  std::string log_level = "info";
  std::chrono::milliseconds drain_timeout{20000};
};

// Reads the settings. An exit code instead when the process must end: 0 after --help or --version,
// 2 after a message on standard error that names what is wrong.
std::variant<Config, int> ReadConfig(int argc, const char* const* argv);

// INVALID_ARGUMENT unless `origin` is a scheme and a host (with a port, perhaps) and nothing more.
absl::Status CheckOrigin(const std::string& origin);

}  // namespace relations::gateway
