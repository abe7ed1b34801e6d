// The gRPC server as one object: services, workers, health, reflection, listening sockets.
//
//   ASSIGN_OR_RETURN(auto server, RelationsServer::Start(options, backends));
//   ... server->addresses() ...
//   server->Drain(absl::Seconds(10));
//
// grpc.health.v1 answers SERVING for "" and for each service from Start to Drain.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "server/access/authenticator.h"
#include "server/admin_service.h"
#include "server/call_gate.h"
#include "server/ingest_service.h"
#include "server/listen_address.h"
#include "server/relations_service.h"
#include "server/unary_call.h"
#include "server/unix_acceptor.h"
#include "server/unknown_methods.h"
#include "server/worker_pool.h"
#include "storage/base/metrics.h"
#include "storage/base/tls_files.h"
#include "storage/credential_store.h"
#include "storage/graph_store.h"
#include "storage/write_queue.h"

namespace relations {

struct ServerOptions {
  // At least one.
  std::vector<ListenAddress> listen;
  // TLS on every TCP address, where a certificate is given; with `authorities` every client must
  // show a certificate of theirs. Unix sockets stay plain.
  TlsFiles tls;
  unsigned tls_refresh_s = 10;
  TrustedHops trusted_hops;
  // A call that takes longer is logged as slow; 0: none is.
  int64_t slow_call_ms = 0;
  // Plain text on an address that other machines can reach is refused without this.
  bool allow_plaintext = false;
  WorkerPool::Options workers;
  std::vector<std::string> read_roles;
  // Their threads wait for the disk: they are many and cost little.
  WorkerPool::Options ingest_workers{16, 1024};
  std::vector<std::string> ingest_roles{"reporter", "admin"};
  absl::Duration max_request = absl::Seconds(10);
  // As WatchBackends.
  absl::Duration watch_heartbeat = absl::Seconds(15);
  absl::Duration watch_patience = absl::Seconds(60);
  // Methods that write are refused.
  bool read_only = false;
};

// What the services stand on. Nothing is owned; all must outlive the server.
struct ServerBackends {
  GraphStore* graph = nullptr;
  CredentialStore* credentials = nullptr;
  Authenticator* authenticator = nullptr;
  // Null: no limits, nothing measured.
  RateLimits* rate_limits = nullptr;
  RequestMetrics* metrics = nullptr;
  // Null: nothing can be watched.
  ChangeFeed* feed = nullptr;
  // Null: no backups by request.
  BackupDirectory* backups = nullptr;
};

class RelationsServer {
 public:
  // Serves on every address, or on none and says why.
  static absl::StatusOr<std::unique_ptr<RelationsServer>> Start(const ServerOptions& options,
                                                                const ServerBackends& backends);

  // Cuts off what is still in flight, if Drain was not called.
  ~RelationsServer();
  RelationsServer(const RelationsServer&) = delete;
  RelationsServer& operator=(const RelationsServer&) = delete;

  // The addresses served on, with the port that was picked where 0 was asked for.
  const std::vector<std::string>& addresses() const { return addresses_; }

  // New calls are refused with UNAVAILABLE, health turns NOT_SERVING, calls in flight run to their
  // end within `timeout`, then everything closes. Returns false when calls had to be cancelled.
  // Call it once.
  bool Drain(absl::Duration timeout);

  // What health answers until Drain; calls are answered either way.
  void SetHealthy(bool healthy);

  // As ServerOptions::slow_call_ms, from the next call on.
  void set_slow_call_ms(int64_t milliseconds) { slow_call_ms_ = milliseconds; }

  // Calls between arrival and last byte, and those of them that wait for a worker.
  size_t calls_in_flight() { return gate_.inside(); }
  size_t calls_waiting() { return workers_.waiting(); }
  StreamCounts stream_counts() { return ingest_service_.stream_counts(); }

 private:
  RelationsServer(const ServerOptions& options, const ServerBackends& backends);
  absl::Status Listen(const ServerOptions& options);
  absl::Status AcceptByUser(const ServerOptions& options);
  // REQUIRES: health_mutex_ is held.
  void TellHealth(bool healthy);

  // In order of construction: the server goes first, then the workers, then what they use.
  CallGate gate_;
  WorkerPool workers_;
  WorkerPool ingest_workers_;
  WriteQueue write_queue_;
  const TrustedHops trusted_hops_;
  std::atomic<int64_t> slow_call_ms_;
  const CallEnvironment environment_;
  const CallEnvironment ingest_environment_;
  RelationsService relations_service_;
  AdminService admin_service_;
  IngestService ingest_service_;
  UnknownMethods unknown_methods_;
  // The doors for connections that we accept ourselves, used while server_ runs.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> trusted_door_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> other_door_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<UnixAcceptor>> unix_acceptors_;
  std::vector<std::string> addresses_;
  std::mutex health_mutex_;
  // Guarded by health_mutex_: health stays NOT_SERVING.
  bool draining_ = false;
};

}  // namespace relations
