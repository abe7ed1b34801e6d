// One call of IngestService.ReportStream: reads requests as long as not too many are unanswered,
// hands each to the write queue, and tells what became of them by sequence number, in order.
//
//   reading --limit of what is unanswered--> paused --answered--> reading
//   client finished, fault, drain: no more reads; all that was taken in is answered, then the end
//
// Thread-safe where gRPC and the queue call it; owns itself and ends with OnDone.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/unary_call.h"
#include "storage/write_queue.h"

namespace relations {

using ReportReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// The streams that are open. Thread-safe.
class OpenStreams {
 public:
  // Ends a stream as soon as all that it took in is answered.
  using EndStream = std::function<void()>;

  // False, and nothing is kept, when limits::kStreamsMax are open or EndAll was called.
  bool Add(const void* stream, EndStream end);
  // Returns when `end` of the stream does not run and will not.
  void Remove(const void* stream);
  // Ends those that are open; no more open from now on.
  void EndAll();

 private:
  std::mutex mutex_;
  std::vector<std::pair<const void*, EndStream>> open_;
  bool closed_ = false;
};

struct ReportStreamBackends {
  WriteQueue* queue = nullptr;
  OpenStreams* streams = nullptr;
};

// Serves one call. All references must outlive it.
ReportReactor* ServeReportStream(const CallEnvironment& environment,
                                 const ReportStreamBackends& backends,
                                 const std::vector<std::string>& roles,
                                 grpc::CallbackServerContext* context);

}  // namespace relations
