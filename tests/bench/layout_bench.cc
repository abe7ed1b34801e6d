// layout_bench: layouts of adjacency lists against one another, over the same relations.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"
#include "tests/bench/adjacency_layouts.h"
#include "tests/bench/draw.h"
#include "tests/bench/measure.h"
#include "tests/support/temp_dir.h"

namespace relations::bench {
namespace {

struct LayoutSettings {
  uint64_t nodes = 200'000;
  uint64_t hub_entries = 1'000'000;
  // Lists of other nodes have 1 to this many entries, short ones more often.
  uint64_t list_entries_max = 120;
  size_t reads = 20'000;
  size_t inserts = 20'000;
  uint64_t cache_mb = 1024;
};

constexpr NodeId kHub{1};
constexpr size_t kHeadEntries = 50;
// Reads of one level of a walk share what a view prepares.
constexpr size_t kReadsPerView = 50;

AdjacentRelation RandomEntry(Draw& draw, uint64_t nodes) {
  AdjacentRelation entry;
  entry.last_seen =
      absl::FromUnixSeconds(1'704'067'200 + static_cast<int64_t>(draw.Below(31'622'400)));
  entry.neighbour = NodeId{2 + draw.Below(nodes)};
  entry.type = LabelId{static_cast<uint32_t>(draw.Below(12))};
  entry.direction = draw.Chance(0.5) ? Direction::kOutgoing : Direction::kIncoming;
  entry.mode = draw.Chance(0.1) ? RelationMode::kAggregation : RelationMode::kAssociation;
  return entry;
}

std::vector<AdjacentRelation> RandomList(NodeId node, uint64_t count, uint64_t nodes) {
  Draw draw(1, 1, static_cast<uint64_t>(node));
  std::vector<AdjacentRelation> entries;
  entries.reserve(count);
  for (uint64_t i = 0; i < count; ++i) entries.push_back(RandomEntry(draw, nodes));
  std::sort(entries.begin(), entries.end(), Precedes);
  return entries;
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenDatabase(const std::string& directory,
                                                          rocksdb::CompressionType compression,
                                                          uint64_t cache_mb) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = compression;
  options.write_buffer_size = 32 << 20;
  options.max_background_jobs = 2;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache_mb << 20);
  table.block_size = 16 << 10;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* database = nullptr;
  RETURN_IF_ERROR(FromRocks(rocksdb::DB::Open(options, directory, &database), "opening"));
  return std::unique_ptr<rocksdb::DB>(database);
}

// Loads all lists; returns the number of entries.
absl::StatusOr<uint64_t> LoadAll(AdjacencyLayout& layout, const LayoutSettings& settings) {
  RETURN_IF_ERROR(layout.Load(kHub, RandomList(kHub, settings.hub_entries, settings.nodes)));
  uint64_t entries = settings.hub_entries;
  for (uint64_t node = 2; node < settings.nodes + 2; ++node) {
    Draw draw(1, 2, node);
    const double share = draw.Share();
    const uint64_t count =
        1 + static_cast<uint64_t>(share * share * static_cast<double>(settings.list_entries_max));
    RETURN_IF_ERROR(layout.Load(NodeId{node}, RandomList(NodeId{node}, count, settings.nodes)));
    entries += count;
  }
  return entries;
}

struct Figures {
  double bytes_per_entry = 0;
  Timing small_read;
  Timing hub_read;
  Timing small_insert;
  Timing hub_insert;
};

absl::Status MeasureReads(AdjacencyLayout& layout, const LayoutSettings& settings,
                          Figures* figures) {
  std::vector<AdjacentRelation> entries;
  Timing warming;
  for (size_t i = 0; i < 2 * settings.reads; ++i) {
    const bool is_measured = i >= settings.reads;
    Draw draw(2, 1, i % settings.reads);
    {
      const Stopwatch stopwatch(is_measured ? &figures->small_read : &warming);
      RETURN_IF_ERROR(
          layout.ReadHead(NodeId{2 + draw.Below(settings.nodes)}, kHeadEntries, &entries));
    }
    {
      const Stopwatch stopwatch(is_measured ? &figures->hub_read : &warming);
      RETURN_IF_ERROR(layout.ReadHead(kHub, kHeadEntries, &entries));
    }
    if (entries.size() != std::min<size_t>(kHeadEntries, settings.hub_entries)) {
      return absl::DataLossError("the hub's head is incomplete");
    }
    if (i % kReadsPerView == 0) layout.EndView();
  }
  layout.EndView();
  return absl::OkStatus();
}

absl::Status MeasureInserts(AdjacencyLayout& layout, const LayoutSettings& settings,
                            Figures* figures) {
  for (size_t i = 0; i < settings.inserts; ++i) {
    Draw draw(3, 1, i);
    const NodeId node{2 + draw.Below(settings.nodes)};
    const AdjacentRelation small_entry = RandomEntry(draw, settings.nodes);
    const AdjacentRelation hub_entry = RandomEntry(draw, settings.nodes);
    {
      const Stopwatch stopwatch(&figures->small_insert);
      RETURN_IF_ERROR(layout.Insert(node, small_entry));
    }
    const Stopwatch stopwatch(&figures->hub_insert);
    RETURN_IF_ERROR(layout.Insert(kHub, hub_entry));
  }
  return absl::OkStatus();
}

using MakeLayout = std::function<std::unique_ptr<AdjacencyLayout>(rocksdb::DB*)>;

absl::Status MeasureLayout(const LayoutSettings& settings, const MakeLayout& make,
                           rocksdb::CompressionType compression, const char* compression_name) {
  const TempDir directory;
  ASSIGN_OR_RETURN(const auto database,
                   OpenDatabase(directory / "db", compression, settings.cache_mb));
  const auto layout = make(database.get());
  ASSIGN_OR_RETURN(const uint64_t entries, LoadAll(*layout, settings));
  rocksdb::CompactRangeOptions compaction;
  compaction.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  RETURN_IF_ERROR(FromRocks(database->CompactRange(compaction, nullptr, nullptr), "compacting"));
  uint64_t bytes = 0;
  database->GetIntProperty(rocksdb::DB::Properties::kLiveSstFilesSize, &bytes);
  Figures figures;
  figures.bytes_per_entry = static_cast<double>(bytes) / static_cast<double>(entries);
  RETURN_IF_ERROR(MeasureReads(*layout, settings, &figures));
  RETURN_IF_ERROR(MeasureInserts(*layout, settings, &figures));
  std::printf("%-14s %-5s %9.2f %9.2f %9.2f %9.2f %9.2f\n", layout->name().c_str(),
              compression_name, figures.bytes_per_entry, figures.small_read.cpu.MedianMicros(),
              figures.hub_read.cpu.MedianMicros(), figures.small_insert.cpu.MedianMicros(),
              figures.hub_insert.cpu.MedianMicros());
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::Status Run(const LayoutSettings& settings) {
  std::printf("%s\n", MachineLine().c_str());
  std::printf("%-14s %-5s %9s %9s %9s %9s %9s\n", "layout", "", "B/entry", "small us", "hub us",
              "ins. us", "hub ins.");
  for (const auto& [compression, name] :
       {std::pair(rocksdb::kLZ4Compression, "lz4"), std::pair(rocksdb::kZSTD, "zstd")}) {
    RETURN_IF_ERROR(MeasureLayout(settings, MakeKeyPerEntry, compression, name));
    for (const size_t block_entries : {64, 128, 256}) {
      RETURN_IF_ERROR(MeasureLayout(
          settings,
          [&](rocksdb::DB* database) { return MakePackedBlocks(database, block_entries); },
          compression, name));
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::LayoutSettings settings;
  CLI::App app(
      "Compares layouts of adjacency lists: bytes an entry after compaction, and medians of CPU "
      "time "
      "to read the head (50 entries) of a random small list and of a hub's, and to add one entry "
      "to "
      "each. Works in a temporary directory.",
      "layout_bench");
  app.add_option("--nodes", settings.nodes, "Nodes with small lists")->capture_default_str();
  app.add_option("--hub-entries", settings.hub_entries, "Entries of the hub's list")
      ->capture_default_str();
  app.add_option("--list-entries-max", settings.list_entries_max,
                 "Entries of the longest small list")
      ->capture_default_str();
  app.add_option("--reads", settings.reads, "Reads measured of each kind")->capture_default_str();
  app.add_option("--inserts", settings.inserts, "Inserts measured of each kind")
      ->capture_default_str();
  app.add_option("--cache-mb", settings.cache_mb, "RocksDB's block cache")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Run(settings);
  if (!status.ok()) std::fprintf(stderr, "layout_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
