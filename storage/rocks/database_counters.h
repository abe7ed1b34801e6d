// What RocksDB counts of itself, for whoever watches the store.
#pragma once

#include <string>
#include <vector>

#include "storage/rocks/database.h"

namespace relations {

struct DatabaseCounter {
  // "block_cache_hits"; units last.
  std::string name;
  std::string help;
  // Only grows while the process lives.
  bool cumulative = false;
  // The column family, or empty for the whole database.
  std::string family;
  double value = 0;
};

// The counters now. Cheap: no file is read. Thread-safe.
std::vector<DatabaseCounter> CountersOf(const RocksDatabase& database);

}  // namespace relations
