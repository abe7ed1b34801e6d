// The RocksDB options of the store and of each family, with the reason of each choice.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rocksdb/cache.h"
#include "rocksdb/options.h"
#include "storage/rocks/database.h"

namespace relations {

// That of the options, or a new one of the size they name.
std::shared_ptr<rocksdb::Cache> BlockCacheOf(const DatabaseOptions& options);

rocksdb::DBOptions StoreOptions(const DatabaseOptions& options);

rocksdb::ColumnFamilyOptions FamilyOptions(Family family,
                                           const std::shared_ptr<rocksdb::Cache>& cache);

// Families of a store of format 2; the one that came after them is added when such a store is
// opened.
inline constexpr size_t kFamiliesBeforeChanges = kFamilies - 1;

// How many of our families the database has, as far as that can be told before it is opened: one
// that lacks others than the last does not open.
size_t FamiliesOf(const rocksdb::DBOptions& options, const std::string& directory);

// RocksDB's own "default", which it wants to be there, then the first `count` families in the order
// of Family.
std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(
    const std::shared_ptr<rocksdb::Cache>& cache, size_t count = kFamilies);

}  // namespace relations
