// relations-server: opens the store, serves it over gRPC until SIGTERM or SIGINT, drains, closes.
// Exit codes: 0 after a clean stop, 1 when it cannot serve, 2 for wrong settings.
#include <csignal>
#include <cstdint>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "server/authenticator.h"
#include "server/config.h"
#include "server/server.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/credential_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {
namespace {

// gRPC's own log, as lines of ours.
void LogFromGrpc(gpr_log_func_args* line) {
  const LogLevel level = line->severity == GPR_LOG_SEVERITY_ERROR  ? LogLevel::kError
                         : line->severity == GPR_LOG_SEVERITY_INFO ? LogLevel::kInfo
                                                                   : LogLevel::kDebug;
  Log(level, line->message, {{"source", "grpc"}});
}

// The signals that end the server. Blocked in the calling thread and in every thread started later,
// so that only WaitForStop takes them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A reader of standard output or of a socket that goes away is no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

int WaitForStop(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabase(const ServerConfig& config) {
  DatabaseOptions options;
  options.directory = config.data;
  options.mode = config.create_if_missing ? OpenMode::kCreateIfMissing : OpenMode::kExisting;
  options.cache_bytes = (config.cache_mb << 20) / 2;
  auto database = RocksDatabase::Open(options);
  if (database.status().code() == absl::StatusCode::kNotFound) {
    return absl::NotFoundError(
        absl::StrCat(database.status().message(), "; --create-if-missing makes an empty one"));
  }
  return database;
}

// Serves until a stop signal. What lives inside is gone before the database closes.
absl::Status ServeUntilStopped(const ServerConfig& config, const ServerOptions& options,
                               RocksDatabase& database, const sigset_t& stop_signals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksGraphStore> graph,
                   RocksGraphStore::Open(&database, {(config.cache_mb << 20) / 2}));
  CredentialStore credentials(&database);
  StoreAuthenticator authenticator(&credentials);
  ASSIGN_OR_RETURN(const std::unique_ptr<RelationsServer> server,
                   RelationsServer::Start(options, {graph.get(), &credentials, &authenticator}));
  for (const std::string& address : server->addresses()) {
    std::cout << "listening on " << address << std::endl;
    LogInfo("listening", {{"address", address}});
  }
  const int signal = WaitForStop(stop_signals);
  LogInfo("draining", {{"signal", signal}});
  if (!server->Drain(absl::Milliseconds(config.drain_timeout_ms))) {
    LogWarning("calls were cancelled at the end of the drain timeout");
  }
  return absl::OkStatus();
}

absl::Status Run(const ServerConfig& config, const sigset_t& stop_signals) {
  RETURN_IF_ERROR(SetUpLog("relations-server", config.log_level));
  gpr_set_log_function(LogFromGrpc);
  ASSIGN_OR_RETURN(const ServerOptions options, ServerOptionsOf(config));
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksDatabase> database, OpenDatabase(config));
  const absl::Status served = ServeUntilStopped(config, options, *database, stop_signals);
  const absl::Status closed = database->Close();
  RETURN_IF_ERROR(served);
  RETURN_IF_ERROR(closed);
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations

int main(int argc, char** argv) {
  relations::ServerConfig config;
  if (const std::optional<int> exit_code = relations::ReadConfig(argc, argv, config)) {
    return *exit_code;
  }
  const sigset_t stop_signals = relations::BlockStopSignals();
  const absl::Status status = relations::Run(config, stop_signals);
  if (!status.ok()) {
    std::cerr << "relations-server: " << status.message() << std::endl;
    return 1;
  }
  return 0;
}
