// relations-server: opens the store, serves it over gRPC until SIGTERM or SIGINT, drains, closes.
// SIGHUP reads the settings again.
// Exit codes: 0 after a clean stop, 1 when it cannot serve, 2 for wrong settings.
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "server/access/identity.h"
#include "server/backup_schedule.h"
#include "server/config.h"
#include "server/follower.h"
#include "server/server.h"
#include "server/server_sources.h"
#include "storage/base/log.h"
#include "storage/base/process.h"
#include "storage/base/reload.h"
#include "storage/base/signals.h"
#include "storage/base/status_macros.h"
#include "storage/credential_store.h"
#include "storage/rocks/database.h"
#include "storage/rocks/followed_store.h"
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

// A store as what serves it sees it.
struct ServedStore {
  GraphStore* graph = nullptr;
  CredentialStore* credentials = nullptr;
  // Null where nobody writes here, or where there is no directory for backups.
  ChangeFeed* feed = nullptr;
  BackupDirectory* backups = nullptr;
  // Adds what the store measures of itself.
  std::function<void(Metrics&, RelationsServer&)> measure;
  // Starts what works beside the server, until it is dropped.
  std::function<std::shared_ptr<void>(RelationsServer&)> start;
};

// Serves until a stop signal. What lives inside is gone before the database closes.
absl::Status ServeUntilStopped(const Arguments& arguments, ServerConfig& config,
                               const ServerOptions& options, const ServedStore& store,
                               const sigset_t& signals) {
  ASSIGN_OR_RETURN(RateRules rules, RateRulesOf(config));
  RateLimits rate_limits(std::move(rules));
  Metrics metrics("relations-server");
  RequestMetrics calls(metrics, "relations_server_call", "method");
  ASSIGN_OR_RETURN(const std::unique_ptr<Identity> identity,
                   Identity::Start(config.identity, store.credentials, metrics));
  ASSIGN_OR_RETURN(
      const std::unique_ptr<RelationsServer> server,
      RelationsServer::Start(options, {store.graph, store.credentials, identity.get(), &rate_limits,
                                       &calls, store.feed, store.backups}));
  store.measure(metrics, *server);
  // Started last, so that it is gone before what its sources look at.
  std::unique_ptr<MetricsListener> metrics_listener;
  if (!config.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(metrics_listener, MetricsListener::Start(metrics, config.metrics_listen));
  }
  const std::shared_ptr<void> beside = store.start(*server);
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

// Serves the store as the only process that writes it.
absl::Status ServeForWriting(const Arguments& arguments, ServerConfig& config,
                             const ServerOptions& options, const sigset_t& signals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksDatabase> database, OpenDatabase(config));
  const auto serve = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<RocksGraphStore> graph,
                     RocksGraphStore::Open(
                         database.get(), {(config.cache_mb << 20) / 2,
                                          {config.feed_keep_mb << 20, config.feed_keep_changes}}));
    RocksChangeFeed feed(graph.get());
    std::unique_ptr<BackupDirectory> backups;
    if (!config.backup_dir.empty()) {
      backups =
          std::make_unique<BackupDirectory>(database.get(), config.backup_dir, config.backup_keep);
    }
    CredentialStore credentials(database.get());
    ServedStore store{graph.get(), &credentials, &feed, backups.get(), {}, {}};
    store.measure = [&](Metrics& metrics, RelationsServer& server) {
      AddServerSources(metrics, server, *graph, *database);
    };
    store.start = [&](RelationsServer&) -> std::shared_ptr<void> {
      if (backups == nullptr) return nullptr;
      return std::make_shared<BackupSchedule>(
          backups.get(), BackupSchedule::Options{std::chrono::seconds(config.backup_interval_s)});
    };
    return ServeUntilStopped(arguments, config, options, store, signals);
  };
  const absl::Status served = serve();
  const absl::Status closed = database->Close();
  RETURN_IF_ERROR(served);
  return closed;
}

// Serves reads of a store that another process writes, or of a copy.
absl::Status ServeForReading(const Arguments& arguments, ServerConfig& config,
                             const ServerOptions& options, const sigset_t& signals) {
  FollowedStore::Options followed;
  followed.database.directory = config.data;
  followed.database.cache_bytes = (config.cache_mb << 20) / 2;
  followed.graph.node_cache_bytes = (config.cache_mb << 20) / 2;
  ASSIGN_OR_RETURN(const std::unique_ptr<FollowedStore> graph,
                   OpenFollowedStore(followed, absl::Seconds(config.wait_for_store_s), signals));
  if (graph == nullptr) return absl::OkStatus();
  CredentialStore credentials([&graph] { return graph->moment()->database; });
  ServedStore store{graph.get(), &credentials, nullptr, nullptr, {}, {}};
  store.measure = [&](Metrics& metrics, RelationsServer& server) {
    AddFollowerSources(metrics, server, *graph);
  };
  store.start = [&](RelationsServer& server) -> std::shared_ptr<void> {
    return std::make_shared<Follower>(
        graph.get(), Follower::Options{std::chrono::milliseconds(config.catch_up_interval_ms),
                                       absl::Seconds(config.lag_max_s),
                                       [&server](bool healthy) { server.SetHealthy(healthy); }});
  };
  return ServeUntilStopped(arguments, config, options, store, signals);
}

absl::Status Run(const Arguments& arguments, ServerConfig& config, const sigset_t& signals) {
  RETURN_IF_ERROR(SetUpLog("relations-server", config.log_level));
  gpr_set_log_function(LogFromGrpc);
  ASSIGN_OR_RETURN(const ServerOptions options, ServerOptionsOf(config));
  RETURN_IF_ERROR(config.read_only ? ServeForReading(arguments, config, options, signals)
                                   : ServeForWriting(arguments, config, options, signals));
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
