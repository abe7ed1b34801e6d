#include "storage/base/public_error.h"

#include <optional>

#include "absl/strings/cord.h"

namespace relations {
namespace {

// Payload keys of absl::Status; they never leave the process.
constexpr char kReasonPayload[] = "relations/reason";
constexpr char kParamPayload[] = "relations/param";

std::string PayloadOf(const absl::Status& status, const char* key) {
  const auto payload = status.GetPayload(key);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status PublicError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                         absl::string_view param) {
  absl::Status status(code, message);
  status.SetPayload(kReasonPayload, absl::Cord(reason));
  if (!param.empty()) {
    status.SetPayload(kParamPayload, absl::Cord(param));
  }
  return status;
}

absl::Status ReadOnlyError() {
  return PublicError(absl::StatusCode::kPermissionDenied, reason::kReadOnly,
                     "this server only reads: send writes to the one that writes the store");
}

std::string ReasonOf(const absl::Status& status) { return PayloadOf(status, kReasonPayload); }

std::string ParamOf(const absl::Status& status) { return PayloadOf(status, kParamPayload); }

}  // namespace relations
