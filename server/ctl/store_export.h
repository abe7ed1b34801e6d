// A whole store as JSON Lines, the format that `relationsctl import` reads: entities as nodes of
// the REST answer, then relations with all that is stored of them. Imported into an empty store
// they make the same graph.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/rocks/database.h"

namespace relations {

struct ExportCounts {
  uint64_t entities = 0;
  uint64_t relations = 0;
};

// Gives each line, without its end, to `line`, until that returns an error. What is being deleted
// is left out. Memory does not grow with the store. Nobody may write meanwhile. DATA_LOSS when a
// record is not what the format says.
absl::StatusOr<ExportCounts> ExportStore(
    const RocksDatabase& database, const std::function<absl::Status(absl::string_view)>& line);

}  // namespace relations
