// From the system's absl::Status to what a gRPC client gets. The only place where a grpc::Status is
// born.
//
// The client sees the public half of an error (storage/base/public_error.h): its code, message,
// reason word and parameter. An error of our own (INTERNAL, DATA_LOSS, UNKNOWN, or any status that
// was not made for clients) keeps its message to itself: the client gets a fixed text, the log the
// rest.
//
// `grpc-status-details-bin` carries
//
//   google.rpc.Status{code, message, details: [Any("type.googleapis.com/google.rpc.ErrorInfo")
//     ErrorInfo{reason, domain: "relations.v1", metadata: {error_id, param, retry_after}}]}
//
// Thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"

namespace relations {

// The public half of an error. `param` is empty where no parameter is at fault.
struct ClientError {
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string message;
  std::string reason;
  std::string param;
  // Of a refusal for a limit: whole seconds until a try may succeed; 0: nothing is said.
  int retry_after_s = 0;
};

// What a client may learn of `error`, which must not be OK.
ClientError ClientErrorOf(const absl::Status& error);

// The status that carries `error` under the id of this occurrence.
grpc::Status ToGrpcStatus(const ClientError& error, absl::string_view error_id);

}  // namespace relations
