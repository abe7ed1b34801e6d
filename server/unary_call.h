// The path that every call of every service takes, in this order:
//
//   gRPC's thread   accepted? (draining or too many in flight: UNAVAILABLE at once)
//   a worker        alive? -> authenticate (UNAUTHENTICATED); while an authenticator asks another
//                   service, the call holds no worker
//   a worker        alive? -> rate (RESOURCE_EXHAUSTED) -> role (PERMISSION_DENIED)
//                   -> the method's handler (parameters, look-up, answer)
//                   -> one log line -> the answer or a status with an error id
//
// Requests and answers are raw bytes, so that nothing of a request is judged, not even its
// encoding, before the caller is known.
//
//   UnaryMethod method{"GetRelations", {"user"}, [&](Call& call, const grpc::ByteBuffer& request,
//                                                    grpc::ByteBuffer& answer) { ... }};
//   return ServeUnary(environment, method, context, request, answer);
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/access/authenticator.h"
#include "server/call_gate.h"
#include "server/call_identity.h"
#include "server/rate_limits.h"
#include "server/trusted_hops.h"
#include "server/worker_pool.h"
#include "storage/base/metrics.h"

namespace relations {

// What calls need of their server. Nothing is owned; everything outlives the calls.
struct CallEnvironment {
  Authenticator* authenticator = nullptr;
  WorkerPool* workers = nullptr;
  CallGate* gate = nullptr;
  // A call may take this long, counted from its arrival, whatever deadline the client sets.
  absl::Duration max_request;
  // Who may assert users, and how often anybody may call; null: nobody, and any number of times.
  const TrustedHops* trusted_hops = nullptr;
  RateLimits* rate_limits = nullptr;
  // Null: nothing is measured.
  RequestMetrics* metrics = nullptr;
  // A call that takes longer is logged as slow, as a warning; 0: none is. Null as 0.
  const std::atomic<int64_t>* slow_call_ms = nullptr;
  // Methods that write are refused.
  bool read_only = false;
};

// What a handler adds to the call's log line. Ids and counts only, never a secret.
struct CallNotes {
  // The entity asked for, or the credential acted upon.
  std::string subject;
  int limit = 0;
  int levels = 0;
  size_t nodes = 0;
  size_t relations = 0;
  std::string stop_reason;
};

// A call whose caller is known. Used by one thread; lives as long as its handler runs.
class Call {
 public:
  using Clock = std::chrono::steady_clock;

  // `context` is not owned and must outlive this.
  Call(const grpc::CallbackServerContext* context, absl::Duration max_request);

  // Who calls; set before a handler runs.
  const Principal& principal() const { return principal_; }
  void set_principal(Principal principal) { principal_ = std::move(principal); }
  CallNotes& notes() { return notes_; }

  // DEADLINE_EXCEEDED once the client's deadline or the server's maximum has passed, CANCELLED once
  // the client has left.
  absl::Status CheckAlive() const;
  absl::Duration elapsed() const { return absl::FromChrono(Clock::now() - arrived_); }

 private:
  const grpc::CallbackServerContext* context_;
  const Clock::time_point arrived_ = Clock::now();
  Clock::time_point deadline_;
  Principal principal_;
  CallNotes notes_;
};

using UnaryHandler = std::function<absl::Status(Call& call, const grpc::ByteBuffer& request,
                                                grpc::ByteBuffer& answer)>;

struct UnaryMethod {
  std::string name;
  // The caller needs at least one of these.
  std::vector<std::string> roles;
  // Runs on a worker and may block. A status that is not OK is the call's answer.
  UnaryHandler handle;
  // Refused by a server that only reads, after the role and before the parameters.
  bool writes = false;
};

// Serves one call. `environment` and `method` must outlive it; the rest is gRPC's.
grpc::ServerUnaryReactor* ServeUnary(const CallEnvironment& environment, const UnaryMethod& method,
                                     grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* answer);

// The call's `x-request-id` when it is fit to be logged, else a fresh one.
std::string RequestIdOf(const grpc::CallbackServerContext& context);

// Parses a request; INVALID_ARGUMENT, made for clients, when the bytes are not such a message.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

// The wire bytes of an answer; INTERNAL when they pass limits::kAnswerBytesMax.
absl::StatusOr<grpc::ByteBuffer> SerialiseAnswer(const google::protobuf::Message& answer);

}  // namespace relations
