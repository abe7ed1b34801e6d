// The store in a directory, as the operator's commands open it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

// Errors are those of RocksDatabase::Open: no store there, in use, of a newer format, damaged.
absl::StatusOr<std::unique_ptr<RocksDatabase>> OpenDatabase(const std::string& directory,
                                                            OpenMode mode);

}  // namespace relations
