// How many relations entities have, told from a sample: no scan of the store.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "storage/graph_store.h"
#include "storage/rocks/database.h"

namespace relations {

// Counts the entries of the adjacency lists of up to `samples` entities that are spread evenly over
// the nodes; of all where there are no more. The same store gives the same answer. Reads past the
// block cache. DATA_LOSS when a list is damaged.
absl::StatusOr<DegreeStats> SampleDegrees(const RocksDatabase& database, size_t samples);

}  // namespace relations
