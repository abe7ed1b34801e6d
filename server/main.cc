// relations-server: opens the store, serves it over gRPC until SIGTERM or SIGINT, drains, closes.
// SIGHUP reads the settings again.
// Exit codes: 0 after a clean stop, 1 when it cannot serve, 2 for wrong settings.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "server/access/identity.h"
#include "server/backup_schedule.h"
#include "server/config.h"
#include "server/server.h"
#include "server/server_sources.h"
#include "storage/base/log.h"
#include "storage/base/process.h"
#include "storage/base/reload.h"
#include "storage/base/signals.h"
#include "storage/base/status_macros.h"
#include "storage/credential_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_change_feed.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {
namespace {

struct Arguments {
  int count;
  const char* const* values;
};

// gRPC's own log, as lines of ours.
void LogFromGrpc(gpr_log_func_args* line) {
  const LogLevel level = line->severity == GPR_LOG_SEVERITY_ERROR  ? LogLevel::kError
                         : line->severity == GPR_LOG_SEVERITY_INFO ? LogLevel::kInfo
                                                                   : LogLevel::kDebug;
  Log(level, line->message, {{"source", "grpc"}});
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

// Takes over what can be changed while the server runs; the log says what cannot.
void Reload(const Arguments& arguments, ServerConfig& config, RateLimits& rate_limits,
            Identity& identity, RelationsServer& server) {
  absl::StatusOr<ServerConfig> next = RereadConfig(arguments.count, arguments.values);
  if (!next.ok()) {
    LogError("settings not read again: the old ones count",
             {{"cause", std::string(next.status().message())}});
    return;
  }
  LogReload(config.effective, next->effective, ReloadableSettings());
  if (const absl::StatusOr<RateRules> rules = RateRulesOf(*next); rules.ok()) {
    rate_limits.SetRules(*rules);
  }
  server.set_slow_call_ms(next->slow_call_ms);
  identity.Reload();
  SetLogLevel(next->log_level).IgnoreError();
  config = *std::move(next);
}

// Serves until a stop signal. What lives inside is gone before the database closes.
absl::Status ServeUntilStopped(const Arguments& arguments, ServerConfig& config,
                               const ServerOptions& options, RocksDatabase& database,
                               const sigset_t& signals) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<RocksGraphStore> graph,
      RocksGraphStore::Open(&database, {(config.cache_mb << 20) / 2,
                                        {config.feed_keep_mb << 20, config.feed_keep_changes}}));
  RocksChangeFeed feed(graph.get());
  std::unique_ptr<BackupDirectory> backups;
  if (!config.backup_dir.empty()) {
    backups = std::make_unique<BackupDirectory>(&database, config.backup_dir, config.backup_keep);
  }
  CredentialStore credentials(&database);
  ASSIGN_OR_RETURN(RateRules rules, RateRulesOf(config));
  RateLimits rate_limits(std::move(rules));
  Metrics metrics("relations-server");
  RequestMetrics calls(metrics, "relations_server_call", "method");
  ASSIGN_OR_RETURN(const std::unique_ptr<Identity> identity,
                   Identity::Start(config.identity, &credentials, metrics));
  ASSIGN_OR_RETURN(const std::unique_ptr<RelationsServer> server,
                   RelationsServer::Start(options, {graph.get(), &credentials, identity.get(),
                                                    &rate_limits, &calls, &feed, backups.get()}));
  AddServerSources(metrics, *server, *graph, database);
  // Started last, so that it is gone before what its sources look at.
  std::unique_ptr<MetricsListener> metrics_listener;
  if (!config.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(metrics_listener, MetricsListener::Start(metrics, config.metrics_listen));
  }
  std::unique_ptr<BackupSchedule> schedule;
  if (backups != nullptr) {
    schedule = std::make_unique<BackupSchedule>(
        backups.get(), BackupSchedule::Options{std::chrono::seconds(config.backup_interval_s)});
  }
  for (const std::string& address : server->addresses()) {
    std::cout << "listening on " << address << std::endl;
    LogInfo("listening", {{"address", address}});
  }
  if (metrics_listener != nullptr) {
    std::cout << "metrics on " << metrics_listener->address() << std::endl;
  }
  const int signal =
      WaitForStop(signals, [&] { Reload(arguments, config, rate_limits, *identity, *server); });
  LogInfo("draining", {{"signal", signal}});
  if (!server->Drain(absl::Milliseconds(config.drain_timeout_ms))) {
    LogWarning("calls were cancelled at the end of the drain timeout");
  }
  return absl::OkStatus();
}

absl::Status Run(const Arguments& arguments, ServerConfig& config, const sigset_t& signals) {
  RETURN_IF_ERROR(SetUpLog("relations-server", config.log_level));
  gpr_set_log_function(LogFromGrpc);
  ASSIGN_OR_RETURN(const ServerOptions options, ServerOptionsOf(config));
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksDatabase> database, OpenDatabase(config));
  const absl::Status served = ServeUntilStopped(arguments, config, options, *database, signals);
  const absl::Status closed = database->Close();
  RETURN_IF_ERROR(served);
  RETURN_IF_ERROR(closed);
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations

int main(int argc, char** argv) {
  relations::PrepareProcess();
  relations::ServerConfig config;
  if (const std::optional<int> exit_code = relations::ReadConfig(argc, argv, config)) {
    return *exit_code;
  }
  const sigset_t signals = relations::BlockSignals();
  const absl::Status status = relations::Run({argc, argv}, config, signals);
  if (!status.ok()) {
    std::cerr << "relations-server: " << status.message() << std::endl;
    return 1;
  }
  return 0;
}
