// Makes the directories of a store whose format had none (key_format.h: versions 1 and 2).
#pragma once

#include "absl/status/status.h"
#include "storage/rocks/database.h"

namespace relations {

// Gives every node its directory, in batches of nodes, each whole; then takes away the mark
// kUpgradeListsKey. May be interrupted anywhere and called again: nodes that have a directory are
// left as they are. Costs one pass over `adjacency`. REQUIRES: nobody else uses the database.
absl::Status UpgradeLists(RocksDatabase& database);

}  // namespace relations
