// One call of IngestService.ReportStream: reads requests as long as not too many are unanswered,
// hands each to the write queue, and tells what became of them by sequence number, in order.
//
//   reading --limit of what is unanswered--> paused --answered--> reading
//   client finished, fault, drain: no more reads; all that was taken in is answered, then the end
//
// A request counts as a call against the caller's rate; beyond it the stream waits, and so does its
// client. Credentials are looked at again every second, while the client says nothing too.
//
// Thread-safe where gRPC and the queue call it; owns itself and ends with OnDone.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/open_streams.h"
#include "server/unary_call.h"
#include "storage/write_queue.h"

namespace relations {

using ReportReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

struct ReportStreamBackends {
  WriteQueue* queue = nullptr;
  OpenStreams* streams = nullptr;
  // Requests that were answered, of all streams, and those of them that were refused.
  std::atomic<uint64_t>* answered = nullptr;
  std::atomic<uint64_t>* refused = nullptr;
};

// Serves one call. All references must outlive it.
ReportReactor* ServeReportStream(const CallEnvironment& environment,
                                 const ReportStreamBackends& backends,
                                 const std::vector<std::string>& roles,
                                 grpc::CallbackServerContext* context);

}  // namespace relations
