// From what an administrator takes back (relations/v1/ingest.proto) to what changes in the graph.
// Errors are public ones of kind INVALID_ARGUMENT. Pure functions.
#pragma once

#include "absl/status/statusor.h"
#include "relations/v1/ingest.pb.h"
#include "storage/mutations.h"

namespace relations {

absl::StatusOr<Mutations> ReadDeletion(const v1::DeleteRequest& request);
absl::StatusOr<Mutations> ReadNarrowing(const v1::NarrowRequest& request);

}  // namespace relations
