#include "server/ctl/rpc_client.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "relations/v1/admin.grpc.pb.h"
#include "relations/v1/ingest.grpc.pb.h"
#include "relations/v1/relations.grpc.pb.h"
#include "server/ctl/exit_code.h"
#include "server/tls_credentials.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// The server's account of an error, or an empty one when this error is not the server's.
google::rpc::ErrorInfo ErrorInfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info)) return info;
    }
  }
  return {};
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& address) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const google::rpc::ErrorInfo info = ErrorInfoOf(status);
  if (info.reason().empty()) {
    const absl::string_view what =
        code == absl::StatusCode::kUnavailable        ? "cannot reach the server at "
        : code == absl::StatusCode::kDeadlineExceeded ? "no answer in time from the server at "
                                                      : "error from the server at ";
    return absl::Status(code, absl::StrCat(what, address, ": ", status.error_message()));
  }
  const auto param = info.metadata().find("param");
  absl::Status error =
      PublicError(code, info.reason(), status.error_message(),
                  param == info.metadata().end() ? absl::string_view() : param->second);
  if (const auto id = info.metadata().find("error_id"); id != info.metadata().end()) {
    SetErrorId(error, id->second);
  }
  return error;
}

}  // namespace

struct RpcClient::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : read(v1::RelationsService::NewStub(channel)),
        admin(v1::AdminService::NewStub(channel)),
        ingest(v1::IngestService::NewStub(channel)),
        generic(channel) {}

  // Calls `method` of `stub` once.
  template <typename Stub, typename Request, typename Response>
  static absl::StatusOr<Response> Call(Stub& stub,
                                       grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                                       const Request& request, const Options& options) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + options.timeout));
    for (const auto& [name, value] : options.credentials) context.AddMetadata(name, value);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status, options.address);
    return response;
  }

  std::unique_ptr<v1::RelationsService::Stub> read;
  std::unique_ptr<v1::AdminService::Stub> admin;
  std::unique_ptr<v1::IngestService::Stub> ingest;
  grpc::GenericStub generic;
};

RpcClient::RpcClient(Options options) : options_(std::move(options)) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(limits::kAnswerBytesMax);
  // A proxy of the environment is for the web, not for this server.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!options_.tls.authorities.empty() || !options_.tls.certificate.empty()) {
    auto tls = TlsClient(options_.tls, kTlsRefreshSeconds);
    if (tls.ok()) {
      credentials = *std::move(tls);
    } else {
      broken_ = tls.status();
    }
    if (!options_.tls_name.empty()) arguments.SetSslTargetNameOverride(options_.tls_name);
  }
  stubs_ =
      std::make_unique<Stubs>(grpc::CreateCustomChannel(options_.address, credentials, arguments));
}

RpcClient::~RpcClient() = default;

absl::StatusOr<v1::GetRelationsResponse> RpcClient::GetRelations(
    const v1::GetRelationsRequest& request) {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->read, &v1::RelationsService::Stub::GetRelations, request, options_);
}

absl::StatusOr<v1::CreateKeyPairResponse> RpcClient::CreateKeyPair(
    const v1::CreateCredentialRequest& request) {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::CreateKeyPair, request, options_);
}

absl::StatusOr<v1::CreateSessionResponse> RpcClient::CreateSession(
    const v1::CreateCredentialRequest& request) {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::CreateSession, request, options_);
}

absl::StatusOr<v1::ListCredentialsResponse> RpcClient::ListCredentials(
    const v1::ListCredentialsRequest& request) {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::ListCredentials, request, options_);
}

absl::StatusOr<v1::RevokeCredentialResponse> RpcClient::RevokeCredential(
    const v1::RevokeCredentialRequest& request) {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::RevokeCredential, request, options_);
}

absl::StatusOr<v1::GetStatsResponse> RpcClient::GetStats() {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::GetStats, v1::GetStatsRequest(),
                     options_);
}

absl::StatusOr<v1::CreateBackupResponse> RpcClient::CreateBackup() {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::CreateBackup,
                     v1::CreateBackupRequest(), options_);
}

absl::StatusOr<v1::ListBackupsResponse> RpcClient::ListBackups() {
  RETURN_IF_ERROR(broken_);
  return Stubs::Call(*stubs_->admin, &v1::AdminService::Stub::ListBackups, v1::ListBackupsRequest(),
                     options_);
}

absl::StatusOr<v1::DeleteResponse> RpcClient::Delete(const v1::DeleteRequest& request) {
  return Stubs::Call(*stubs_->ingest, &v1::IngestService::Stub::Delete, request, options_);
}

absl::StatusOr<v1::NarrowResponse> RpcClient::Narrow(const v1::NarrowRequest& request) {
  return Stubs::Call(*stubs_->ingest, &v1::IngestService::Stub::Narrow, request, options_);
}

absl::Status RpcClient::Watch(
    const v1::WatchRequest& request,
    const std::function<bool(const v1::WatchResponse& message)>& on_message) {
  RETURN_IF_ERROR(broken_);
  grpc::ClientContext context;
  for (const auto& [name, value] : options_.credentials) context.AddMetadata(name, value);
  const auto stream = stubs_->ingest->Watch(&context, request);
  v1::WatchResponse message;
  while (stream->Read(&message)) {
    if (on_message(message)) continue;
    context.TryCancel();
    stream->Finish();
    return absl::OkStatus();
  }
  return FromGrpc(stream->Finish(), options_.address);
}

absl::Status RpcClient::CheckHealth() {
  RETURN_IF_ERROR(broken_);
  // HealthCheckRequest without its only field: the server as a whole. The answer's field 1, a
  // varint, is 1 for SERVING.
  constexpr char kServing[] = "\x08\x01";
  grpc::ByteBuffer request;
  grpc::ByteBuffer answer;
  grpc::Slice empty;
  request = grpc::ByteBuffer(&empty, 1);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
  std::promise<grpc::Status> ended;
  stubs_->generic.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &answer,
                            [&ended](const grpc::Status& status) { ended.set_value(status); });
  if (const grpc::Status status = ended.get_future().get(); !status.ok()) {
    return FromGrpc(status, options_.address);
  }
  grpc::Slice bytes;
  if (!answer.DumpToSingleSlice(&bytes).ok() ||
      std::string(bytes.begin(), bytes.end()) != kServing) {
    return absl::UnavailableError(
        absl::StrCat("the server at ", options_.address, " is not serving"));
  }
  return absl::OkStatus();
}

}  // namespace relations
