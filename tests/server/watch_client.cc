#include "tests/server/watch_client.h"

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "relations/v1/ingest.grpc.pb.h"

namespace relations {

struct WatchClient::Connection {
  std::unique_ptr<v1::IngestService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream;
};

WatchClient::WatchClient(const std::string& address, const Headers& headers,
                         const std::string& token)
    : connection_(std::make_unique<Connection>()) {
  connection_->stub =
      v1::IngestService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  for (const auto& [name, value] : headers) connection_->context.AddMetadata(name, value);
  v1::WatchRequest request;
  request.set_token(token);
  connection_->stream = connection_->stub->Watch(&connection_->context, request);
}

WatchClient::~WatchClient() { connection_->context.TryCancel(); }

std::optional<v1::WatchResponse> WatchClient::Read() {
  v1::WatchResponse response;
  if (!connection_->stream->Read(&response)) return std::nullopt;
  return response;
}

std::optional<v1::WatchResponse> WatchClient::ReadChange() {
  while (auto message = Read()) {
    if (!IsEmpty(*message)) return message;
  }
  return std::nullopt;
}

std::string WatchClient::Finish() {
  const grpc::Status status = connection_->stream->Finish();
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

bool IsEmpty(const v1::WatchResponse& message) {
  return message.gone_entities_size() + message.gone_relations_size() + message.entities_size() +
             message.relations_size() ==
         0;
}

}  // namespace relations
