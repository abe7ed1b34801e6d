#include "tests/server/report_client.h"

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "relations/v1/ingest.grpc.pb.h"

namespace relations {

struct ReportClient::Connection {
  std::unique_ptr<v1::IngestService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ReportStreamRequest, v1::ReportStreamResponse>>
      stream;
};

ReportClient::ReportClient(const std::string& address, const Headers& headers)
    : connection_(std::make_unique<Connection>()) {
  connection_->stub =
      v1::IngestService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  for (const auto& [name, value] : headers) connection_->context.AddMetadata(name, value);
  connection_->stream = connection_->stub->ReportStream(&connection_->context);
}

ReportClient::~ReportClient() { connection_->context.TryCancel(); }

bool ReportClient::Send(const v1::ReportStreamRequest& request) {
  return connection_->stream->Write(request);
}

std::optional<v1::ReportStreamResponse> ReportClient::Read() {
  v1::ReportStreamResponse response;
  if (!connection_->stream->Read(&response)) return std::nullopt;
  return response;
}

void ReportClient::WritesDone() { connection_->stream->WritesDone(); }

std::string ReportClient::Finish() {
  const grpc::Status status = connection_->stream->Finish();
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

}  // namespace relations
