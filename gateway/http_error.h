// Errors as REST clients get them: status, headers `x-error` and `x-error-id`, body
// `{"error":{"message","type","code","error_id","param"}}`; and how failures of calls to the
// backend become such errors.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/http_message.h"

namespace relations::gateway {

// One error, ready to be told to a client.
struct Failure {
  // Makes the id. `code` is a word of relations::reason.
  Failure(int http_status, absl::string_view code_word, absl::string_view text);

  int status;
  std::string code;
  // One line of printable ASCII, at most limits::kErrorMessageBytesMax bytes, nothing that the
  // client sent and nothing internal.
  std::string message;
  // The parameter at fault; empty where there is none.
  std::string param;
  // A lower-case UUID v4.
  std::string error_id;
  // Seconds of the header Retry-After; 0 for none.
  int retry_after_s = 0;
};

// How a call to the backend failed. Everything but `code` and `message` is empty unless the error
// came from the relations service itself (a google.rpc.ErrorInfo of its domain).
struct RpcFailure {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string message;
  // An ErrorInfo of the service's domain was there: `message` is written for clients.
  bool from_service = false;
  std::string reason;
  std::string param;
  std::string error_id;
  std::string retry_after;
};

// The client's view of a failed call. Messages pass only where they are written for clients and the
// fault is not ours; ids, codes and parameters only where they have their proper form.
Failure FailureOfCall(const RpcFailure& rpc);

// The client's view of a status made by PublicError of kind INVALID_ARGUMENT.
Failure FailureOfParameter(const absl::Status& invalid_argument);

// Fills in status, error headers and body (and the id for the log).
void WriteFailure(const Failure& failure, HttpAnswer& answer);

}  // namespace relations::gateway
