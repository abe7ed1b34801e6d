// Errors with a public half. A status made here carries, besides its code and message, the short
// stable reason word and the parameter at fault that clients get (google.rpc.ErrorInfo, the REST
// error body). The message of such a status is written for clients: no secret, nothing internal.
// A status without a reason (or of the kinds that are our own fault) is internal: its message goes
// to the log only.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace relations {

// Reason words, stable for ever: clients match on them.
namespace reason {
inline constexpr char kInvalidId[] = "invalid_id";
inline constexpr char kInvalidLimit[] = "invalid_limit";
inline constexpr char kInvalidLevels[] = "invalid_levels";
inline constexpr char kInvalidTypes[] = "invalid_types";
inline constexpr char kInvalidDetails[] = "invalid_details";
inline constexpr char kInvalidArgument[] = "invalid_argument";
inline constexpr char kInvalidReport[] = "invalid_report";
inline constexpr char kInvalidJson[] = "invalid_json";
inline constexpr char kInvalidEscape[] = "invalid_escape";
inline constexpr char kRepeatedParameter[] = "repeated_parameter";
inline constexpr char kMalformedRequest[] = "malformed_request";
inline constexpr char kUnauthenticated[] = "unauthenticated";
inline constexpr char kPermissionDenied[] = "permission_denied";
inline constexpr char kReadOnly[] = "read_only";
inline constexpr char kNotFound[] = "not_found";
inline constexpr char kRouteNotFound[] = "route_not_found";
inline constexpr char kMethodNotAllowed[] = "method_not_allowed";
inline constexpr char kBodyTooLarge[] = "body_too_large";
inline constexpr char kUriTooLong[] = "uri_too_long";
inline constexpr char kHeadersTooLarge[] = "headers_too_large";
inline constexpr char kRateLimited[] = "rate_limited";
inline constexpr char kInternal[] = "internal";
inline constexpr char kUnavailable[] = "unavailable";
inline constexpr char kDeadlineExceeded[] = "deadline_exceeded";
inline constexpr char kUnimplemented[] = "unimplemented";
}  // namespace reason

// The domain of every ErrorInfo of this service.
inline constexpr char kErrorDomain[] = "relations.v1";

// A status with a public half; `param` may be empty.
absl::Status PublicError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                         absl::string_view param = {});

// What a store that is only read here answers to writes, whoever asks: PERMISSION_DENIED.
absl::Status ReadOnlyError();

// The reason word and the parameter of a status made by PublicError; empty where it has none.
std::string ReasonOf(const absl::Status& status);
std::string ParamOf(const absl::Status& status);

}  // namespace relations
