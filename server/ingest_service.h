// relations.v1.IngestService: reports into the graph, and what an administrator takes back. The
// contract is proto/relations/v1/ingest.proto. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "relations/v1/ingest.grpc.pb.h"
#include "server/open_streams.h"
#include "server/report_stream.h"
#include "server/unary_call.h"
#include "server/watch_stream.h"
#include "storage/change_feed.h"
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
                        v1::IngestService::WithRawCallbackMethod_Watch<
                            v1::IngestService::Service>>>>>>>;

// What the service stands on. Nothing is owned; all must outlive it.
struct IngestBackends {
  GraphStore* graph = nullptr;
  WriteQueue* queue = nullptr;
  // Null: nothing can be watched.
  ChangeFeed* feed = nullptr;
};

struct IngestOptions {
  std::vector<std::string> ingest_roles;
  std::vector<std::string> read_roles;
  absl::Duration watch_heartbeat = absl::Seconds(15);
  absl::Duration watch_patience = absl::Seconds(60);
};

// Since the start.
struct StreamCounts {
  size_t report_streams = 0;
  size_t watches = 0;
  uint64_t reports_answered = 0;
  uint64_t reports_refused = 0;
  uint64_t changes_sent = 0;
};

class IngestService final : public RawIngestService {
 public:
  // Reporters need one of `ingest_roles`, who watches one of `read_roles`. `environment`'s workers
  // wait for the disk, so they are not those that read. `environment` is not owned and must outlive
  // this.
  IngestService(const CallEnvironment& environment, const IngestBackends& backends,
                const IngestOptions& options);
  ~IngestService() override;

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
  WatchReactor* Watch(grpc::CallbackServerContext* context,
                      const grpc::ByteBuffer* request) override;

  // Streams end as soon as all that they took in is answered; no more begin.
  void BeginDrain();

  StreamCounts stream_counts();

 private:
  const CallEnvironment& environment_;
  ChangeFeed* const feed_;
  const std::vector<std::string> ingest_roles_;
  const std::vector<std::string> read_roles_;
  std::atomic<uint64_t> reports_answered_ = 0;
  std::atomic<uint64_t> reports_refused_ = 0;
  std::atomic<uint64_t> changes_sent_ = 0;
  OpenStreams report_streams_;
  OpenStreams watches_;
  const ReportStreamBackends report_backends_;
  const WatchBackends watch_backends_;
  const UnaryMethod report_entity_;
  const UnaryMethod report_association_;
  const UnaryMethod report_batch_;
  const UnaryMethod delete_;
  const UnaryMethod narrow_;
};

}  // namespace relations
