#include "server/stream_call.h"

#include "server/grpc_status.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"

namespace relations {

absl::Status StreamUnavailable(absl::string_view message) {
  return PublicError(absl::StatusCode::kUnavailable, reason::kUnavailable, message);
}

absl::Status RoleMissing() {
  return PublicError(absl::StatusCode::kPermissionDenied, reason::kPermissionDenied,
                     "a required role is missing");
}

absl::Status TooManyCalls() {
  return PublicError(absl::StatusCode::kResourceExhausted, reason::kRateLimited,
                     "too many requests");
}

const std::string& OwnerOf(const Principal& principal) {
  return principal.user_id.empty() ? principal.credential_id : principal.user_id;
}

grpc::Status EndOfStream(const CallEnvironment& environment, const StreamAccount& account,
                         const absl::Status& end) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - account.arrived).count();
  const std::string error_id = end.ok() ? std::string() : NewUuid();
  const ClientError error = end.ok() ? ClientError() : ClientErrorOf(end);
  const std::string code = absl::StatusCodeToString(end.ok() ? end.code() : error.code);
  Log(error.reason == reason::kInternal ? LogLevel::kError : LogLevel::kInfo, "request",
      {{"method", account.method},
       {"request_id", account.request_id},
       {"user_id", account.user_id},
       {"credential_id", account.credential_id},
       {"messages", account.messages},
       {"items", account.items},
       {"refused", account.refused},
       {"status", absl::StatusCodeToString(end.code())},
       {"reason", error.reason},
       {"error_id", error_id},
       {"error", account.cause.empty() ? end.message() : account.cause},
       {"ms", seconds * 1000}});
  if (environment.metrics != nullptr) {
    environment.metrics->Record(account.method, code, seconds, account.bytes_received,
                                account.bytes_sent);
  }
  return end.ok() ? grpc::Status::OK : ToGrpcStatus(error, error_id);
}

}  // namespace relations
