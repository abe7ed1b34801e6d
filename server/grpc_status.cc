#include "server/grpc_status.h"

#include <utility>

#include "google/rpc/status.pb.h"
#include "storage/base/public_error.h"

namespace relations {
namespace {

// What a client gets of a status that was not written for clients.
ClientError Generic(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDeadlineExceeded:
      return {code, "deadline exceeded", reason::kDeadlineExceeded, "", 0};
    case absl::StatusCode::kCancelled:
      return {code, "cancelled", "cancelled", "", 0};
    case absl::StatusCode::kUnavailable:
      return {code, "service unavailable", reason::kUnavailable, "", 0};
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnknown:
      return {code, "internal error", reason::kInternal, "", 0};
    default:
      return {absl::StatusCode::kInternal, "internal error", reason::kInternal, "", 0};
  }
}

bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kDataLoss ||
         code == absl::StatusCode::kUnknown;
}

}  // namespace

ClientError ClientErrorOf(const absl::Status& error) {
  std::string reason = ReasonOf(error);
  if (reason.empty() || IsOurFault(error.code())) {
    return Generic(error.code());
  }
  return {error.code(), std::string(error.message()), std::move(reason), ParamOf(error), 0};
}

grpc::Status ToGrpcStatus(const ClientError& error, absl::string_view error_id) {
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason);
  info.set_domain(kErrorDomain);
  (*info.mutable_metadata())["error_id"] = std::string(error_id);
  if (!error.param.empty()) {
    (*info.mutable_metadata())["param"] = error.param;
  }
  if (error.retry_after_s > 0) {
    (*info.mutable_metadata())["retry_after"] = std::to_string(error.retry_after_s);
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(error.code));
  details.set_message(error.message);
  details.add_details()->PackFrom(info);
  // The codes of absl::Status and of gRPC have the same numbers.
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), error.message,
                      details.SerializeAsString());
}

}  // namespace relations
