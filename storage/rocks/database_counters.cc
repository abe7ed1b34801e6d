#include "storage/rocks/database_counters.h"

#include "rocksdb/statistics.h"

namespace relations {
namespace {

struct Ticker {
  uint32_t ticker;
  const char* name;
  const char* help;
};

constexpr Ticker kTickers[] = {
    {rocksdb::BLOCK_CACHE_HIT, "block_cache_hits", "Blocks found in the block cache."},
    {rocksdb::BLOCK_CACHE_MISS, "block_cache_misses", "Blocks read from files."},
    {rocksdb::BLOOM_FILTER_USEFUL, "filter_avoided_reads", "Reads of a file that a filter saved."},
    {rocksdb::NUMBER_KEYS_READ, "keys_read", "Keys looked up."},
    {rocksdb::NUMBER_KEYS_WRITTEN, "keys_written", "Keys written."},
    {rocksdb::BYTES_READ, "read_bytes", "Bytes of values read."},
    {rocksdb::BYTES_WRITTEN, "written_bytes", "Bytes of batches written."},
    {rocksdb::WAL_FILE_SYNCED, "wal_syncs", "Syncs of the write-ahead log."},
    {rocksdb::WAL_FILE_BYTES, "wal_bytes", "Bytes appended to the write-ahead log."},
    {rocksdb::FLUSH_WRITE_BYTES, "flush_bytes", "Bytes written by flushes."},
    {rocksdb::COMPACT_READ_BYTES, "compaction_read_bytes", "Bytes read by compactions."},
    {rocksdb::COMPACT_WRITE_BYTES, "compaction_written_bytes", "Bytes written by compactions."},
    {rocksdb::STALL_MICROS, "write_stall_micros", "Time that writes were held back."}};

struct Property {
  const char* property;
  const char* name;
  const char* help;
};

constexpr Property kDatabaseProperties[] = {
    {"rocksdb.num-running-compactions", "running_compactions", "Compactions that run."},
    {"rocksdb.num-running-flushes", "running_flushes", "Flushes that run."},
    {"rocksdb.background-errors", "background_errors", "Errors of background work so far."},
    {"rocksdb.is-write-stopped", "writes_stopped", "1 while writes are stopped."},
    {"rocksdb.actual-delayed-write-rate", "delayed_write_rate",
     "Bytes a second that writes are held to; 0 when they are not."},
    {"rocksdb.num-snapshots", "snapshots", "Snapshots held by readers."},
    {"rocksdb.block-cache-usage", "block_cache_bytes", "Bytes in the block cache."}};

constexpr Property kFamilyProperties[] = {
    {"rocksdb.estimate-num-keys", "estimated_keys", "Keys, estimated."},
    {"rocksdb.total-sst-files-size", "file_bytes", "Bytes of table files."},
    {"rocksdb.cur-size-all-mem-tables", "memtable_bytes", "Bytes of unflushed writes."},
    {"rocksdb.num-files-at-level0", "level0_files", "Files that wait for compaction."},
    {"rocksdb.estimate-pending-compaction-bytes", "pending_compaction_bytes",
     "Bytes that compactions have yet to rewrite, estimated."}};

}  // namespace

std::vector<DatabaseCounter> CountersOf(const RocksDatabase& database) {
  std::vector<DatabaseCounter> counters;
  if (const auto statistics = database.db().GetDBOptions().statistics) {
    for (const Ticker& row : kTickers) {
      counters.push_back({row.name, row.help, true, "",
                          static_cast<double>(statistics->getTickerCount(row.ticker))});
    }
  }
  uint64_t value = 0;
  for (const Property& row : kDatabaseProperties) {
    if (database.db().GetIntProperty(row.property, &value)) {
      counters.push_back({row.name, row.help, false, "", static_cast<double>(value)});
    }
  }
  for (size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    for (const Property& row : kFamilyProperties) {
      if (database.db().GetIntProperty(database.family(family), row.property, &value)) {
        counters.push_back({row.name, row.help, false, std::string(FamilyName(family)),
                            static_cast<double>(value)});
      }
    }
  }
  return counters;
}

}  // namespace relations
