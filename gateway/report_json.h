// The bodies of the ingest routes: JSON to the messages of relations/v1/ingest.proto. Judges the
// form of the JSON alone; what the report says is the server's to judge.
//
//   entity       {"type","attributes",["associations","reputation","correlate","tags","visibleBy",
//                "mode"]}, `associations` a list of such objects; `value` is ignored
//   association  {"entityID","relatedEntityID"}
//   batch        JSON Lines: one of the two a line, blank lines skipped
//
// A member that is null is absent. Pure functions. Errors are public ones of kind INVALID_ARGUMENT
// that name the place and repeat nothing of the body.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "relations/v1/ingest.pb.h"

namespace relations::gateway {

absl::StatusOr<v1::EntityReport> ReadEntityReport(absl::string_view body);
absl::StatusOr<v1::AssociationReport> ReadAssociationReport(absl::string_view body);
absl::StatusOr<v1::ReportBatchRequest> ReadReportBatch(absl::string_view body);

}  // namespace relations::gateway
