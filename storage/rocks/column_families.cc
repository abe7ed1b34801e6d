#include "storage/rocks/column_families.h"

#include <algorithm>
#include <string>
#include <vector>

#include "rocksdb/filter_policy.h"
#include "rocksdb/statistics.h"
#include "rocksdb/table.h"

namespace relations {
namespace {

// Families that answer point reads: a filter keeps reads of absent keys off the data blocks.
rocksdb::BlockBasedTableOptions PointTable(const std::shared_ptr<rocksdb::Cache>& cache,
                                           size_t block_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.format_version = 5;
  // As exact as a Bloom filter of 10 bits a key, in 7.
  table.filter_policy.reset(rocksdb::NewRibbonFilterPolicy(10));
  table.whole_key_filtering = true;
  // Index and filter blocks stay within the one budget of the cache, before data.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

// RocksDB counts the bytes of blocks, not those that the allocator rounds them up to and holds
// back: a quarter more was measured. One part in so many of the budget is left to that.
constexpr uint64_t kAllocatorShare = 5;

}  // namespace

std::shared_ptr<rocksdb::Cache> BlockCacheOf(const DatabaseOptions& options) {
  if (options.block_cache != nullptr) return options.block_cache;
  return rocksdb::NewLRUCache(options.cache_bytes / kAllocatorShare * (kAllocatorShare - 1), -1,
                              false, 0.5);
}

rocksdb::DBOptions StoreOptions(const DatabaseOptions& options) {
  rocksdb::DBOptions db;
  if (options.env != nullptr) db.env = options.env;
  // A torn end of the log is a normal crash; damage in the middle must stop the start, where
  // RocksDB's default would drop every write after it without a word. Needs that logs are never
  // recycled.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.recycle_log_file_num = 0;
  db.paranoid_checks = true;
  db.max_background_jobs = 2;
  db.max_total_wal_size = uint64_t{256} << 20;
  db.bytes_per_sync = 1 << 20;
  // Counters for whoever watches the store; without histograms and timers, which cost.
  db.statistics =
      options.statistics != nullptr ? options.statistics : rocksdb::CreateDBStatistics();
  db.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  db.keep_log_file_num = 4;
  db.max_log_file_size = 16 << 20;
  // One writer thread stands above RocksDB.
  db.enable_pipelined_write = false;
  return db;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.write_buffer_size = 32 << 20;
  switch (family) {
    case Family::kEntities:
    case Family::kAdjacency: {
      rocksdb::BlockBasedTableOptions table = PointTable(cache, 16 << 10);
      // A hash index inside the block saves the binary search. It takes a byte and a half a key,
      // too much where keys are many and values small.
      table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
      table.data_block_hash_table_util_ratio = 0.75;
      options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
      break;
    }
    case Family::kRelations:
      options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(PointTable(cache, 8 << 10)));
      break;
    case Family::kIds:
      options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(PointTable(cache, 4 << 10)));
      break;
    case Family::kChanges: {
      // Written and read in order, dropped from the front; never asked for a key that is not there.
      options.write_buffer_size = 8 << 20;
      rocksdb::BlockBasedTableOptions table = PointTable(cache, 16 << 10);
      table.filter_policy.reset();
      options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
      break;
    }
    case Family::kMeta:
    case Family::kVisibility:
    case Family::kLabels:
    case Family::kCredentials:
      // Small: read whole at start, or by a few point reads.
      options.write_buffer_size = 4 << 20;
      options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(PointTable(cache, 4 << 10)));
      break;
  }
  return options;
}

size_t FamiliesOf(const rocksdb::DBOptions& options, const std::string& directory) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, directory, &names).ok()) return kFamilies;
  const std::string last(FamilyName(Family::kChanges));
  const bool has_all = std::find(names.begin(), names.end(), last) != names.end();
  return has_all ? kFamilies : kFamiliesBeforeChanges;
}

std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(
    const std::shared_ptr<rocksdb::Cache>& cache, size_t count) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (size_t i = 0; i < count; ++i) {
    const auto family = static_cast<Family>(i);
    descriptors.emplace_back(std::string(FamilyName(family)), FamilyOptions(family, cache));
  }
  return descriptors;
}

}  // namespace relations
