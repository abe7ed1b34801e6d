// bounds_bench: the bounds that keep the store from feeling its size, each measured beside its
// twin.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "storage/base/status_macros.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/bound_shapes.h"
#include "tests/bench/measure.h"
#include "tests/bench/question.h"
#include "tests/bench/synthetic_graph.h"

namespace relations::bench {
namespace {

struct BoundsSettings {
  std::string directory;
  double scale = 1;
  std::string small = "100000x1000000";
  std::string large = "1000000x10000000";
  uint64_t block_cache_mb = 1024;
  uint64_t node_cache_mb = 512;
  size_t repetitions = 2000;
  size_t opens = 5;

  std::string StorePath(absl::string_view name) const { return absl::StrCat(directory, "/", name); }
  std::string IdsPath(absl::string_view name) const {
    return absl::StrCat(directory, "/", name, ".ids");
  }
};

constexpr uint64_t kIdsWritten = 100'000;
// Of the ids, as many are asked where everything is to be cached.
constexpr size_t kIdsCached = 500;

const GroupSet& CallerGroups() {
  static const GroupSet groups = {"g1", "public"};
  return groups;
}

// --- Making the stores.

absl::StatusOr<GraphParams> ParseSize(const std::string& text, double scale) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  GraphParams params;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &params.entities) ||
      !absl::SimpleAtoi(parts[1], &params.relations)) {
    return absl::InvalidArgumentError(absl::StrCat("not ENTITIESxRELATIONS: ", text));
  }
  params.entities = static_cast<uint64_t>(static_cast<double>(params.entities) * scale);
  params.relations = static_cast<uint64_t>(static_cast<double>(params.relations) * scale);
  return params;
}

absl::Status BuildUnlessThere(const std::string& directory, const Feed& feed) {
  if (std::filesystem::exists(directory)) {
    std::printf("%s is there\n", directory.c_str());
    return absl::OkStatus();
  }
  // Under another name until it is whole, so that what was interrupted is not taken for a store.
  const std::string unfinished = directory + ".unfinished";
  std::error_code error;
  std::filesystem::remove_all(unfinished, error);
  ASSIGN_OR_RETURN(const BuildFigures figures, BuildStore(unfinished, feed));
  std::filesystem::rename(unfinished, directory, error);
  if (error) return absl::InternalError(absl::StrCat("renaming ", unfinished));
  std::printf("%s: %lu entities, %lu relations in %.1f s, compacted in %.1f s\n", directory.c_str(),
              figures.entities, figures.relations, figures.import_seconds,
              figures.compaction_seconds);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::Status WriteUniformIds(const SyntheticGraph& graph, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("creating ", path));
  for (uint64_t i = 0; i < kIdsWritten; ++i) {
    const std::string id = graph.IdOf(Draw(1, 6, i).Below(graph.entity_count()));
    if (std::fprintf(file.get(), "uniform\t%s\n", id.c_str()) < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("writing ", path));
    }
  }
  return absl::OkStatus();
}

absl::Status Build(const BoundsSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(settings.directory, error);
  for (const auto& [name, size] :
       {std::pair<const char*, const std::string&>("small", settings.small),
        {"large", settings.large}}) {
    ASSIGN_OR_RETURN(const GraphParams params, ParseSize(size, settings.scale));
    ASSIGN_OR_RETURN(const auto graph, SyntheticGraph::Create(params));
    RETURN_IF_ERROR(WriteUniformIds(*graph, settings.IdsPath(name)));
    RETURN_IF_ERROR(BuildUnlessThere(settings.StorePath(name),
                                     [&](ImportSink& sink) { return graph->Feed(sink); }));
  }
  const BoundShapes shapes(settings.scale);
  return BuildUnlessThere(settings.StorePath("shapes"),
                          [&](ImportSink& sink) { return shapes.Feed(sink); });
}

// --- Measuring.

void PrintBound(const std::string& name, const std::string& measured, double value,
                const std::string& unit, double bound) {
  std::printf("%-50s %-68s %8.2f %-6s <= %-4g %s\n", name.c_str(), measured.c_str(), value,
              unit.c_str(), bound, value <= bound ? "met" : "MISSED");
  std::fflush(stdout);
}

// Two lists of questions to two stores, asked turn by turn.
struct Twin {
  GraphStore* graph = nullptr;
  std::vector<std::string> ids;
  Timing timing;
  AnswerSize size;
  size_t answers = 0;

  absl::Status AskNext(size_t turn, const Question& question, bool is_measured) {
    ASSIGN_OR_RETURN(const auto answer, Ask(*graph, ids[turn % ids.size()], question,
                                            CallerGroups(), is_measured ? &timing : nullptr));
    if (!answer.has_value()) return absl::NotFoundError("an entity of the store is not there");
    if (is_measured) {
      size += *answer;
      ++answers;
    }
    return absl::OkStatus();
  }
  std::string Summary() {
    const auto count = static_cast<double>(std::max<size_t>(1, answers));
    return absl::StrFormat("%.1f us (%.0f nodes, %.0f rel.)", timing.cpu.MedianMicros(),
                           static_cast<double>(size.nodes) / count,
                           static_cast<double>(size.relations) / count);
  }
};

absl::Status CompareTwins(const std::string& name, Twin large, Twin small, const Question& question,
                          size_t repetitions, double bound) {
  // Twice around, and once more: a node with hidden lists is cached when it comes back.
  const size_t warming = 3 * std::max<size_t>({10, large.ids.size(), small.ids.size()});
  for (size_t turn = 0; turn < warming + repetitions; ++turn) {
    RETURN_IF_ERROR(large.AskNext(turn, question, turn >= warming));
    RETURN_IF_ERROR(small.AskNext(turn, question, turn >= warming));
  }
  PrintBound(name, absl::StrCat(large.Summary(), " / ", small.Summary()),
             large.timing.cpu.MedianMicros() / small.timing.cpu.MedianMicros(), "", bound);
  return absl::OkStatus();
}

absl::Status MeasureShapes(const BoundsSettings& settings, uint64_t node_cache_mb) {
  ASSIGN_OR_RETURN(const auto store, BenchStore::Open(settings.StorePath("shapes"),
                                                      {.block_bytes = settings.block_cache_mb << 20,
                                                       .node_bytes = node_cache_mb << 20}));
  struct Pair {
    const char* name;
    const char* large;
    const char* small;
    Question question;
    double bound;
  };
  const Pair pairs[] = {{"hub of L visible / node of 60, 50x1",
                         BoundShapes::kVisibleHub,
                         BoundShapes::kSmallVisible,
                         {50, 1},
                         1.5},
                        {"hub of L hidden but 10 / node of 10, 50x1",
                         BoundShapes::kHiddenHub,
                         BoundShapes::kSmallHidden,
                         {50, 1},
                         1.5},
                        {"101 nodes, 5 hubs of L/5 / no hub, 100x2",
                         BoundShapes::kHubRing,
                         BoundShapes::kPlainRing,
                         {100, 2},
                         2}};
  for (const Pair& pair : pairs) {
    RETURN_IF_ERROR(CompareTwins(absl::StrCat(pair.name, node_cache_mb == 0 ? "" : ", cached"),
                                 {&store->graph(), {BoundShapes::RootId(pair.large)}, {}, {}, 0},
                                 {&store->graph(), {BoundShapes::RootId(pair.small)}, {}, {}, 0},
                                 pair.question, settings.repetitions, pair.bound));
  }
  return absl::OkStatus();
}

// Ids that the caller may see.
absl::StatusOr<std::vector<std::string>> VisibleIds(GraphStore& graph, const std::string& path,
                                                    size_t count) {
  ASSIGN_OR_RETURN(auto samples, ReadIds(path));
  std::vector<std::string> visible;
  for (const std::string& id : samples["uniform"]) {
    if (visible.size() == count) break;
    ASSIGN_OR_RETURN(const auto size, Ask(graph, id, {1, 1}, CallerGroups(), nullptr));
    if (size.has_value()) visible.push_back(id);
  }
  return visible;
}

absl::Status MeasureSize(const BoundsSettings& settings, uint64_t node_cache_mb) {
  const CacheSizes caches{.block_bytes = settings.block_cache_mb << 20,
                          .node_bytes = node_cache_mb << 20};
  ASSIGN_OR_RETURN(const auto large, BenchStore::Open(settings.StorePath("large"), caches));
  ASSIGN_OR_RETURN(const auto small, BenchStore::Open(settings.StorePath("small"), caches));
  ASSIGN_OR_RETURN(const auto large_ids,
                   VisibleIds(large->graph(), settings.IdsPath("large"), kIdsCached));
  ASSIGN_OR_RETURN(const auto small_ids,
                   VisibleIds(small->graph(), settings.IdsPath("small"), kIdsCached));
  return CompareTwins(
      absl::StrCat("large / small store, 50x3", node_cache_mb == 0 ? "" : ", cached"),
      {&large->graph(), large_ids, {}, {}, 0}, {&small->graph(), small_ids, {}, {}, 0}, {50, 3},
      settings.repetitions, 1.5);
}

// To be measured first: what a process has freed does not all go back to the system.
absl::Status MeasureMemory(const BoundsSettings& settings) {
  const CacheSizes caches{.block_bytes = settings.block_cache_mb << 20,
                          .node_bytes = settings.node_cache_mb << 20};
  ASSIGN_OR_RETURN(const auto store, BenchStore::Open(settings.StorePath("large"), caches));
  ASSIGN_OR_RETURN(auto samples, ReadIds(settings.IdsPath("large")));
  uint64_t most = 0;
  for (size_t i = 0; i < samples["uniform"].size(); ++i) {
    RETURN_IF_ERROR(
        Ask(store->graph(), samples["uniform"][i], {100, 3}, CallerGroups(), nullptr).status());
    if (i % 1000 == 0) most = std::max(most, ResidentBytes());
  }
  const NodeCache::Counts counts = store->graph().node_cache_counts();
  uint64_t block_usage = 0;
  store->database().db().GetIntProperty(store->database().family(Family::kEntities),
                                        rocksdb::DB::Properties::kBlockCacheUsage, &block_usage);
  const auto megabytes = [](uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  // Stricter than against the budgets, and true also of caches that are not full.
  const double held = megabytes(block_usage) + megabytes(counts.bytes);
  PrintBound("resident memory beyond what the caches hold",
             absl::StrFormat("%.0f MB; caches hold %.0f of %lu + %.0f of %lu MB", megabytes(most),
                             megabytes(block_usage), settings.block_cache_mb,
                             megabytes(counts.bytes), settings.node_cache_mb),
             megabytes(most) - held, "MB", 300);
  return absl::OkStatus();
}

absl::Status MeasureDisk(const BoundsSettings& settings) {
  ASSIGN_OR_RETURN(const auto store,
                   BenchStore::Open(settings.StorePath("large"),
                                    {.block_bytes = settings.block_cache_mb << 20}));
  RETURN_IF_ERROR(PrintDiskUse(store->graph()));
  ASSIGN_OR_RETURN(const DiskUse use, DiskUseOf(store->graph()));
  PrintBound("disk, adjacency and relation records", "", use.graph_bytes, "B/rel.", 32);
  PrintBound("disk, all families but entities", "", use.all_but_entities_bytes, "B/rel.", 32);
  return absl::OkStatus();
}

absl::Status MeasureOpen(const BoundsSettings& settings) {
  Timing timing;
  for (size_t i = 0; i < settings.opens; ++i) {
    absl::StatusOr<std::unique_ptr<BenchStore>> store = absl::UnknownError("not opened");
    const Stopwatch stopwatch(&timing);
    store = BenchStore::Open(
        settings.StorePath("large"),
        {.block_bytes = settings.block_cache_mb << 20, .node_bytes = settings.node_cache_mb << 20});
    RETURN_IF_ERROR(store.status());
    // The stopwatch ends before the store is closed.
  }
  PrintBound("open to ready", absl::StrFormat("cpu %.3f s", timing.cpu.MedianMicros() / 1e6),
             timing.wall.MedianMicros() / 1e6, "s", 1);
  return absl::OkStatus();
}

absl::Status Measure(const BoundsSettings& settings) {
  RETURN_IF_ERROR(MeasureMemory(settings));
  RETURN_IF_ERROR(MeasureDisk(settings));
  RETURN_IF_ERROR(MeasureOpen(settings));
  for (const uint64_t node_cache_mb : {uint64_t{0}, settings.node_cache_mb}) {
    RETURN_IF_ERROR(MeasureShapes(settings, node_cache_mb));
    RETURN_IF_ERROR(MeasureSize(settings, node_cache_mb));
  }
  return absl::OkStatus();
}

absl::Status Run(const BoundsSettings& settings, bool is_build) {
  std::printf("%s\n", MachineLine().c_str());
  return is_build ? Build(settings) : Measure(settings);
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::BoundsSettings settings;
  CLI::App app(
      "Measures the bounds of the store. `build` makes its stores once, `measure` prints every "
      "bound "
      "in one run, in a process that did nothing before. Times are medians of CPU time, large and "
      "small asked turn by turn.",
      "bounds_bench");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--dir", settings.directory, "Where the stores are")->required();
  CLI::App* const build = app.add_subcommand("build", "Make the stores that are not there yet");
  build->add_option("--scale", settings.scale, "Of all sizes; 0.001 is a smoke test")
      ->capture_default_str();
  build->add_option("--small", settings.small, "ENTITIESxRELATIONS")->capture_default_str();
  build->add_option("--large", settings.large, "ENTITIESxRELATIONS")->capture_default_str();
  CLI::App* const measure = app.add_subcommand("measure", "Print the bounds");
  measure->add_option("--block-cache-mb", settings.block_cache_mb, "RocksDB's block cache")
      ->capture_default_str();
  measure->add_option("--node-cache-mb", settings.node_cache_mb, "The cache of nodes above it")
      ->capture_default_str();
  measure->add_option("--repetitions", settings.repetitions, "Answers measured on each side")
      ->capture_default_str();
  measure->add_option("--opens", settings.opens, "Times the large store is opened")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Run(settings, build->parsed());
  if (!status.ok()) std::fprintf(stderr, "bounds_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
