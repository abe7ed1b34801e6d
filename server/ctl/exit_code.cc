#include "server/ctl/exit_code.h"

#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/ctl/printable.h"
#include "storage/base/public_error.h"

namespace relations {
namespace {

// Payload key of absl::Status; it never leaves the process.
constexpr char kErrorIdPayload[] = "relations/error_id";

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kExitDenied;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return kExitUnavailable;
    default:
      return kExitFailure;
  }
}

std::string Explain(const absl::Status& status) {
  std::vector<std::string> details;
  if (std::string reason = ReasonOf(status); !reason.empty()) details.push_back(std::move(reason));
  if (const auto id = status.GetPayload(kErrorIdPayload); id.has_value()) {
    details.push_back(absl::StrCat("error id ", std::string(*id)));
  }
  std::string text(status.message());
  if (text.empty()) text = absl::StatusCodeToString(status.code());
  if (!details.empty()) absl::StrAppend(&text, " (", absl::StrJoin(details, ", "), ")");
  return Printable(text);
}

void SetErrorId(absl::Status& status, const std::string& error_id) {
  status.SetPayload(kErrorIdPayload, absl::Cord(error_id));
}

}  // namespace relations
