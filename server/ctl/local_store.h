// The store in a directory, as the operator's commands open it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

// `cache_bytes`: of the block caches. Errors are those of RocksDatabase::Open: no store there, in
// use, of a newer format, damaged.
absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabase(
    const std::string& directory, OpenMode mode,
    uint64_t cache_bytes = DatabaseOptions().cache_bytes);

}  // namespace relations
