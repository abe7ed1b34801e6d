// relations.v1.IngestService: reports into the graph, and what an administrator takes back. The
// contract is proto/relations/v1/ingest.proto. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "relations/v1/ingest.grpc.pb.h"
#include "server/report_stream.h"
#include "server/unary_call.h"
#include "storage/graph_store.h"
#include "storage/write_queue.h"

namespace relations {

// All methods take and give raw bytes.
using RawIngestService = v1::IngestService::WithRawCallbackMethod_ReportEntity<
    v1::IngestService::WithRawCallbackMethod_ReportAssociation<
        v1::IngestService::WithRawCallbackMethod_ReportBatch<
            v1::IngestService::WithRawCallbackMethod_ReportStream<
                v1::IngestService::WithRawCallbackMethod_Delete<
                    v1::IngestService::WithRawCallbackMethod_Narrow<
                        v1::IngestService::Service>>>>>>;

class IngestService final : public RawIngestService {
 public:
  // Reporters need one of `ingest_roles`. `environment`'s workers wait for the disk, so they are
  // not those that read. Nothing is owned; all must outlive this.
  IngestService(const CallEnvironment& environment, GraphStore* graph, WriteQueue* queue,
                std::vector<std::string> ingest_roles);

  grpc::ServerUnaryReactor* ReportEntity(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* ReportAssociation(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* ReportBatch(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* answer) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ReportStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* Narrow(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* answer) override;

  // Streams end as soon as all that they took in is answered; no more begin.
  void BeginDrain() { streams_.EndAll(); }

 private:
  const CallEnvironment& environment_;
  OpenStreams streams_;
  const ReportStreamBackends stream_backends_;
  const std::vector<std::string> ingest_roles_;
  const UnaryMethod report_entity_;
  const UnaryMethod report_association_;
  const UnaryMethod report_batch_;
  const UnaryMethod delete_;
  const UnaryMethod narrow_;
};

}  // namespace relations
