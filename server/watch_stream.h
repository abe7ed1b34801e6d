// One call of IngestService.Watch: sends the feed of changes to a caller, as far as he may see it.
//
//   a look: something new, more to read, a heartbeat due --> a worker reads one page --> one
//   message is written --> when the client has taken it, the next
//
// There is never more than one message on its way: a client that reads slowly falls behind, and is
// told to start again when what it has not read yet is not kept any more. Credentials are looked at
// again every second, while nothing happens and while a message waits to be taken too.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/open_streams.h"
#include "server/unary_call.h"
#include "storage/change_feed.h"

namespace relations {

using WatchReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

struct WatchBackends {
  // Null: there is no feed.
  ChangeFeed* feed = nullptr;
  OpenStreams* streams = nullptr;
  // A message is sent when there was none for so long, so that the client's token stays young.
  absl::Duration heartbeat = absl::Seconds(15);
  // A client that takes a message no sooner is cut off.
  absl::Duration patience = absl::Seconds(60);
  // Changes that were sent, of all streams.
  std::atomic<uint64_t>* changes_sent = nullptr;
};

// Serves one call. All references must outlive it; the rest is gRPC's.
WatchReactor* ServeWatch(const CallEnvironment& environment, const WatchBackends& backends,
                         const std::vector<std::string>& roles,
                         grpc::CallbackServerContext* context, const grpc::ByteBuffer* request);

}  // namespace relations
