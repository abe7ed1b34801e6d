#include "server/ingest_reporting.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/access/authenticator.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations {

Reporter ReporterOf(const Principal& principal) {
  return {principal.user_id.empty() ? principal.credential_id : principal.user_id, principal.groups,
          HasAnyRole(principal, {"trusted", "admin"}), absl::Now()};
}

absl::StatusOr<Mutations> ReadReports(
    const Principal& principal, const google::protobuf::RepeatedPtrField<v1::Report>& reports) {
  if (reports.empty() || static_cast<size_t>(reports.size()) > limits::kReportEntitiesMax) {
    return PublicError(
        absl::StatusCode::kInvalidArgument, reason::kInvalidReport,
        absl::StrCat("a request must hold 1 to ", limits::kReportEntitiesMax, " reports"),
        "reports");
  }
  ReportReader reader(ReporterOf(principal));
  for (int i = 0; i < reports.size(); ++i) {
    const absl::Status added = reader.Add(reports[i]);
    if (added.ok()) continue;
    if (reports.size() == 1) return added;
    // Which of them, counted as the lines of a batch are.
    return PublicError(added.code(), ReasonOf(added),
                       absl::StrCat("report ", i + 1, ": ", added.message()), ParamOf(added));
  }
  return std::move(reader.mutations());
}

}  // namespace relations
