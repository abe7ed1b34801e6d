#include "tests/bench/bench_store.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/options.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/rocks_status.h"
#include "tests/bench/measure.h"

namespace relations::bench {
namespace {

double SecondsSince(int64_t start) { return static_cast<double>(WallNanos() - start) / 1e9; }

absl::Status Compact(RocksDatabase& database) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (size_t i = 0; i < kFamilies; ++i) {
    RETURN_IF_ERROR(
        FromRocks(database.db().CompactRange(options, database.family(static_cast<Family>(i)),
                                             nullptr, nullptr),
                  "compacting"));
  }
  return absl::OkStatus();
}

double Share(const GraphStats& stats, uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(std::max<uint64_t>(1, stats.relations));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BenchStore>> BenchStore::Open(const std::string& directory,
                                                             const CacheSizes& caches) {
  DatabaseOptions options;
  options.directory = directory;
  options.cache_bytes = caches.block_bytes;
  ASSIGN_OR_RETURN(auto database, RocksDatabase::Open(options));
  ASSIGN_OR_RETURN(auto graph,
                   RocksGraphStore::Open(database.get(), {.node_cache_bytes = caches.node_bytes}));
  return std::unique_ptr<BenchStore>(new BenchStore(std::move(database), std::move(graph)));
}

absl::StatusOr<BuildFigures> BuildStore(const std::string& directory, const Feed& feed) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error || !std::filesystem::is_empty(directory, error)) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " is not an empty directory"));
  }
  DatabaseOptions options;
  options.directory = directory;
  options.mode = OpenMode::kCreateIfMissing;
  ASSIGN_OR_RETURN(auto database, RocksDatabase::Open(options));
  ASSIGN_OR_RETURN(auto graph, RocksGraphStore::Open(database.get(), {.node_cache_bytes = 0}));
  BuildFigures figures;
  const int64_t start = WallNanos();
  BulkImport::Options import_options;
  import_options.strict = true;
  BulkImport sink(graph.get(), std::move(import_options));
  RETURN_IF_ERROR(feed(sink));
  ASSIGN_OR_RETURN(const BulkImport::Counts counts, sink.Finish());
  figures.entities = counts.entities;
  figures.relations = counts.relations;
  figures.import_seconds = SecondsSince(start);
  const int64_t compaction_start = WallNanos();
  RETURN_IF_ERROR(Compact(*database));
  figures.compaction_seconds = SecondsSince(compaction_start);
  graph.reset();
  RETURN_IF_ERROR(database->Close());
  return figures;
}

absl::StatusOr<DiskUse> DiskUseOf(RocksGraphStore& graph) {
  ASSIGN_OR_RETURN(const GraphStats stats, graph.Stats());
  DiskUse use;
  for (const auto& [family, bytes] : stats.bytes_by_family) {
    if (family == "adjacency" || family == "relations") use.graph_bytes += Share(stats, bytes);
    if (family != "entities") use.all_but_entities_bytes += Share(stats, bytes);
  }
  return use;
}

absl::Status PrintDiskUse(RocksGraphStore& graph) {
  ASSIGN_OR_RETURN(const GraphStats stats, graph.Stats());
  std::printf("%lu entities, %lu relations\n", stats.entities, stats.relations);
  for (const auto& [family, bytes] : stats.bytes_by_family) {
    std::printf("  %-12s %14lu bytes %8.2f a relation\n", family.c_str(), bytes,
                Share(stats, bytes));
  }
  return absl::OkStatus();
}

}  // namespace relations::bench
