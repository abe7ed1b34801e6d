// Calls to the relations server over gRPC. Answers stay the bytes they came as.
//
// Thread-safe. Every call ends by its deadline; at most `max_in_flight` run at once, one more fails
// at once as UNAVAILABLE.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/http_error.h"
#include "storage/base/tls_files.h"

namespace relations::gateway {

struct UpstreamOptions {
  // A gRPC target: "127.0.0.1:50051", "unix:/run/relations.sock", "dns:///server:50051".
  std::string backend;
  // TLS towards it; the certificate that it shows must name `tls_name` (or, where that is empty,
  // the host of `backend`).
  bool tls = false;
  TlsFiles tls_files;
  std::string tls_name;
  // Connections to the backend.
  int channels = 2;
  int max_in_flight = 1024;
  std::chrono::milliseconds request_timeout{10000};
  // Deadline of a health check.
  std::chrono::milliseconds health_timeout{1000};
};

// A GetRelations call. Numbers as in relations.v1.GetRelationsRequest; a negative limit is refused
// by the server, after it has judged the credentials.
struct RelationsCall {
  std::string id;
  int limit = 0;
  int levels = 0;
  std::vector<std::string> types;
  // Names in lower case; values of printable ASCII (anything else would end the process in gRPC).
  std::vector<std::pair<std::string, std::string>> metadata;
};

// A call of IngestService: the method's name, the request's bytes, the metadata as in
// RelationsCall.
struct IngestCall {
  const char* method = "";
  std::string request;
  std::vector<std::pair<std::string, std::string>> metadata;
};

struct RpcResult {
  // Nothing when the call succeeded.
  std::optional<RpcFailure> failure;
  // What the server says of the caller's rate limit, as it says it; empty: nothing.
  std::string rate_limit;
  std::string rate_remaining;
  std::string rate_reset;
  // The serialised response; valid as long as the callback runs.
  absl::string_view answer;
};

// A call under way.
class PendingCall {
 public:
  virtual ~PendingCall() = default;
  // Asks the call to end as CANCELLED. The callback still comes, once.
  virtual void Cancel() = 0;
};

class Upstream {
 public:
  // Called exactly once, on any thread, perhaps before the starting function returns.
  using Done = std::function<void(const RpcResult&)>;

  virtual ~Upstream() = default;

  virtual std::shared_ptr<PendingCall> GetRelations(const RelationsCall& call, Done done) = 0;

  virtual std::shared_ptr<PendingCall> Ingest(const IngestCall& call, Done done) = 0;

  // grpc.health.v1 of the whole server. Succeeds only for SERVING.
  virtual std::shared_ptr<PendingCall> CheckHealth(Done done) = 0;

  // Calls under way.
  virtual int calls_in_flight() = 0;

  // Returns when no callback runs or will run. REQUIRES: no further calls are started.
  virtual void WaitUntilIdle() = 0;
};

// Connects when first called, and again whenever the connection is lost. FAILED_PRECONDITION names
// a file of TLS that cannot be used.
absl::StatusOr<std::unique_ptr<Upstream>> ConnectUpstream(UpstreamOptions options);

}  // namespace relations::gateway
