// The RocksDB options of the store and of each family, with the reason of each choice.
#pragma once

#include <memory>

#include "rocksdb/cache.h"
#include "rocksdb/options.h"
#include "storage/rocks/database.h"

namespace relations {

rocksdb::DBOptions StoreOptions(const DatabaseOptions& options);

rocksdb::ColumnFamilyOptions FamilyOptions(Family family,
                                           const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace relations
