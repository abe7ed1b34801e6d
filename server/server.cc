#include "server/server.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "server/tls_credentials.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// All headers of one call together. The credentials of the largest form take 2 KiB.
constexpr int kMetadataBytesMax = 16 << 10;
// Calls that a connection may have open beyond those that may be in flight: room to refuse them.
// Without it a client would wait for a free stream, unrefused, until its deadline.
constexpr int kRefusedStreamsMax = 64;

absl::Status JudgeAddresses(const ServerOptions& options) {
  for (const ListenAddress& address : options.listen) {
    if (!address.IsLocal() && options.tls.certificate.empty() && !options.allow_plaintext) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", address.ToString(),
                       ": credentials would cross the network in plain "
                       "text; give --tls-cert and --tls-key, listen on loopback or a unix "
                       "socket, or say --allow-plaintext"));
    }
    RETURN_IF_ERROR(ClearStaleSocket(address));
  }
  return absl::OkStatus();
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(limits::kRequestBytesMax);
  builder.SetMaxSendMessageSize(limits::kAnswerBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(options.workers.max_in_flight) + kRefusedStreamsMax);
  // Two servers on one port would share its connections without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

RelationsServer::RelationsServer(const ServerOptions& options, const ServerBackends& backends)
    : workers_(options.workers),
      ingest_workers_(options.ingest_workers),
      write_queue_(backends.graph),
      trusted_hops_(options.trusted_hops),
      slow_call_ms_(options.slow_call_ms),
      environment_{backends.authenticator, &workers_,      &gate_,
                   options.max_request,    &trusted_hops_, backends.rate_limits,
                   backends.metrics,       &slow_call_ms_, options.read_only},
      ingest_environment_{backends.authenticator, &ingest_workers_, &gate_,
                          options.max_request,    &trusted_hops_,   backends.rate_limits,
                          backends.metrics,       &slow_call_ms_,   options.read_only},
      relations_service_(environment_, backends.graph, options.read_roles),
      admin_service_(environment_, ingest_environment_,
                     {backends.graph, backends.credentials, backends.backups}),
      ingest_service_(ingest_environment_, {backends.graph, &write_queue_, backends.feed},
                      {options.ingest_roles, options.read_roles, options.watch_heartbeat,
                       options.watch_patience}) {}

absl::StatusOr<std::unique_ptr<RelationsServer>> RelationsServer::Start(
    const ServerOptions& options, const ServerBackends& backends) {
  RETURN_IF_ERROR(JudgeAddresses(options));
  // The constructor is private, which make_unique cannot call.
  std::unique_ptr<RelationsServer> server(new RelationsServer(options, backends));
  RETURN_IF_ERROR(server->Listen(options));
  return server;
}

absl::Status RelationsServer::Listen(const ServerOptions& options) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  builder.RegisterService(&relations_service_);
  builder.RegisterService(&admin_service_);
  builder.RegisterService(&ingest_service_);
  builder.RegisterCallbackGenericService(&unknown_methods_);
  std::vector<int> ports(options.listen.size(), 0);
  std::shared_ptr<grpc::ServerCredentials> tcp = grpc::InsecureServerCredentials();
  if (!options.tls.certificate.empty() || !options.tls.key.empty()) {
    ASSIGN_OR_RETURN(tcp, TlsServer(options.tls, options.tls_refresh_s));
  }
  const bool by_user = !options.trusted_hops.uids.empty();
  if (by_user) {
    using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    trusted_door_ = builder.experimental().AddExternalConnectionAcceptor(
        Type::FROM_FD, grpc::experimental::LocalServerCredentials(UDS));
    other_door_ = builder.experimental().AddExternalConnectionAcceptor(
        Type::FROM_FD, grpc::InsecureServerCredentials());
  }
  for (size_t i = 0; i < options.listen.size(); ++i) {
    const bool is_unix = options.listen[i].kind == ListenAddress::Kind::kUnix;
    if (is_unix && by_user) continue;
    builder.AddListeningPort(options.listen[i].ToString(),
                             is_unix ? grpc::InsecureServerCredentials() : tcp, &ports[i]);
  }
  server_ = builder.BuildAndStart();
  if (server_ != nullptr) RETURN_IF_ERROR(AcceptByUser(options));
  for (size_t i = 0; i < options.listen.size(); ++i) {
    ListenAddress address = options.listen[i];
    if (by_user && address.kind == ListenAddress::Kind::kUnix) {
      addresses_.push_back(address.ToString());
      continue;
    }
    if (ports[i] <= 0) {
      return ExplainBindFailure(address);
    }
    address.port = ports[i];
    addresses_.push_back(address.ToString());
  }
  if (server_ == nullptr) {
    return absl::InternalError("the gRPC server does not start");
  }
  SetHealthy(true);
  return absl::OkStatus();
}

void RelationsServer::SetHealthy(bool healthy) {
  const std::lock_guard<std::mutex> lock(health_mutex_);
  if (!draining_) TellHealth(healthy);
}

void RelationsServer::TellHealth(bool healthy) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  health->SetServingStatus("", healthy);
  health->SetServingStatus(v1::RelationsService::service_full_name(), healthy);
  health->SetServingStatus(v1::AdminService::service_full_name(), healthy);
  health->SetServingStatus(v1::IngestService::service_full_name(), healthy);
}

absl::Status RelationsServer::AcceptByUser(const ServerOptions& options) {
  if (options.trusted_hops.uids.empty()) return absl::OkStatus();
  using Connection = grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters;
  const auto into = [](grpc::experimental::ExternalConnectionAcceptor& door) {
    return [&door](int descriptor) {
      Connection connection;
      connection.fd = descriptor;
      door.HandleNewConnection(&connection);
    };
  };
  for (const ListenAddress& address : options.listen) {
    if (address.kind != ListenAddress::Kind::kUnix) continue;
    unix_acceptors_.push_back(std::make_unique<UnixAcceptor>());
    RETURN_IF_ERROR(unix_acceptors_.back()->Start(address.host, options.trusted_hops.uids,
                                                  into(*trusted_door_), into(*other_door_)));
  }
  return absl::OkStatus();
}

bool RelationsServer::Drain(absl::Duration timeout) {
  // In this order: who sees NOT_SERVING can rely on it.
  gate_.Close();
  {
    const std::lock_guard<std::mutex> lock(health_mutex_);
    draining_ = true;
    TellHealth(false);
  }
  for (const auto& acceptor : unix_acceptors_) acceptor->Stop();
  ingest_service_.BeginDrain();
  const bool finished = gate_.WaitUntilEmpty(timeout);
  // Now only streams without an end are open (health watchers, reflection) and calls that took too
  // long. Those are cancelled; a walk notices at its next step.
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  return finished;
}

RelationsServer::~RelationsServer() {
  unix_acceptors_.clear();
  if (server_ != nullptr) {
    gate_.Close();
    server_->Shutdown(std::chrono::system_clock::now());
  }
}

}  // namespace relations
