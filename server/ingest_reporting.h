// What unary reports and streams of reports share: from a caller and his reports to a request of
// the write queue.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "relations/v1/ingest.pb.h"
#include "storage/credential_store.h"
#include "storage/ingest/report_reader.h"

namespace relations {

// The reporter that a caller is, reporting now.
Reporter ReporterOf(const Principal& principal);

// All of some reports as one request. INVALID_ARGUMENT when there is none; other errors as
// ReportReader.
absl::StatusOr<Mutations> ReadReports(
    const Principal& principal, const google::protobuf::RepeatedPtrField<v1::Report>& reports);

// About how much memory the mutations of a message of `bytes` take.
inline size_t QueuedBytes(size_t bytes) { return 4 * bytes + 1024; }

}  // namespace relations
