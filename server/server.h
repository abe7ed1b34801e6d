// The gRPC server as one object: services, workers, health, reflection, listening sockets.
//
//   ASSIGN_OR_RETURN(auto server, RelationsServer::Start(options, backends));
//   ... server->addresses() ...
//   server->Drain(absl::Seconds(10));
//
// grpc.health.v1 answers SERVING for "" and for each service from Start to Drain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "server/admin_service.h"
#include "server/authenticator.h"
#include "server/call_gate.h"
#include "server/listen_address.h"
#include "server/relations_service.h"
#include "server/unary_call.h"
#include "server/worker_pool.h"
#include "storage/credential_store.h"
#include "storage/graph_store.h"

namespace relations {

struct ServerOptions {
  // At least one.
  std::vector<ListenAddress> listen;
  // Plain text on an address that other machines can reach is refused without this.
  bool allow_plaintext = false;
  WorkerPool::Options workers;
  std::vector<std::string> read_roles;
  absl::Duration max_request = absl::Seconds(10);
};

// What the services stand on. Nothing is owned; all must outlive the server.
struct ServerBackends {
  GraphStore* graph = nullptr;
  CredentialStore* credentials = nullptr;
  Authenticator* authenticator = nullptr;
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

 private:
  RelationsServer(const ServerOptions& options, const ServerBackends& backends);
  absl::Status Listen(const ServerOptions& options);

  // In order of construction: the server goes first, then the workers, then what they use.
  CallGate gate_;
  WorkerPool workers_;
  const CallEnvironment environment_;
  RelationsService relations_service_;
  AdminService admin_service_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::string> addresses_;
};

}  // namespace relations
