// generate: a made-up graph as JSON Lines, or straight into a store; and ids to ask for.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/status_macros.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/json_lines_sink.h"
#include "tests/bench/measure.h"
#include "tests/bench/synthetic_graph.h"

namespace relations::bench {
namespace {

struct GenerateSettings {
  GraphParams graph;
  std::string hubs;
  std::string output = "-";
  std::string store;
  std::string ids;
  uint64_t id_count = 10'000;
};

using OwnedFile = std::unique_ptr<std::FILE, std::function<void(std::FILE*)>>;

absl::StatusOr<OwnedFile> OpenOutput(const std::string& path) {
  if (path == "-") return OwnedFile(stdout, [](std::FILE*) {});
  OwnedFile file(std::fopen(path.c_str(), "wb"), [](std::FILE* opened) {
    if (opened != nullptr) std::fclose(opened);
  });
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("creating ", path));
  return file;
}

// "5000000,1000000x5": one hub of 5 million relations, five of 1 million.
absl::StatusOr<std::vector<uint64_t>> ParseHubs(const std::string& text) {
  std::vector<uint64_t> hubs;
  for (const absl::string_view item : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(item, 'x');
    uint64_t degree = 0;
    uint64_t times = 1;
    if (parts.size() > 2 || !absl::SimpleAtoi(parts[0], &degree) ||
        (parts.size() == 2 && !absl::SimpleAtoi(parts[1], &times)) || times > kHubsMax) {
      return absl::InvalidArgumentError(absl::StrCat("not a hub (DEGREE or DEGREExCOUNT): ", item));
    }
    hubs.insert(hubs.end(), times, degree);
  }
  return hubs;
}

absl::Status WriteIds(const SyntheticGraph& graph, const GenerateSettings& settings) {
  ASSIGN_OR_RETURN(const OwnedFile file, OpenOutput(settings.ids));
  constexpr uint64_t kIdStream = 5;
  for (uint64_t i = 0; i < settings.id_count; ++i) {
    Draw draw(settings.graph.seed, kIdStream, i);
    const std::string uniform = graph.IdOf(draw.Below(graph.entity_count()));
    const std::string popular = graph.IdOf(graph.PopularEntity(draw.Share()));
    if (std::fprintf(file.get(), "uniform\t%s\nzipf\t%s\n", uniform.c_str(), popular.c_str()) < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("writing ", settings.ids));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteLines(const SyntheticGraph& graph, const std::string& path) {
  ASSIGN_OR_RETURN(const OwnedFile file, OpenOutput(path));
  const int64_t start = WallNanos();
  const int64_t cpu_start = ProcessCpuNanos();
  JsonLinesSink sink(file.get());
  RETURN_IF_ERROR(graph.Feed(sink));
  RETURN_IF_ERROR(sink.Finish());
  const double megabytes = static_cast<double>(sink.bytes()) / 1e6;
  std::fprintf(stderr, "%lu entities, %lu relations, %.1f MB, %.0f MB/s (%.0f MB/s of CPU time)\n",
               graph.entity_count(), graph.relation_count(), megabytes,
               megabytes * 1e9 / static_cast<double>(WallNanos() - start),
               megabytes * 1e9 / static_cast<double>(ProcessCpuNanos() - cpu_start));
  return absl::OkStatus();
}

absl::Status FillStore(const SyntheticGraph& graph, const std::string& directory) {
  ASSIGN_OR_RETURN(const BuildFigures figures,
                   BuildStore(directory, [&](ImportSink& sink) { return graph.Feed(sink); }));
  std::fprintf(stderr,
               "%lu entities, %lu relations stored in %.1f s, compacted in %.1f s (%.0f "
               "relations/s)\n",
               figures.entities, figures.relations, figures.import_seconds,
               figures.compaction_seconds,
               static_cast<double>(figures.relations) /
                   (figures.import_seconds + figures.compaction_seconds));
  return absl::OkStatus();
}

absl::Status Generate(GenerateSettings settings) {
  std::fprintf(stderr, "%s\n", MachineLine().c_str());
  ASSIGN_OR_RETURN(settings.graph.hubs, ParseHubs(settings.hubs));
  ASSIGN_OR_RETURN(const auto graph, SyntheticGraph::Create(settings.graph));
  if (!settings.ids.empty()) RETURN_IF_ERROR(WriteIds(*graph, settings));
  if (!settings.store.empty()) return FillStore(*graph, settings.store);
  return settings.output.empty() ? absl::OkStatus() : WriteLines(*graph, settings.output);
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::GenerateSettings settings;
  CLI::App app("Makes a graph of made-up indicators: the same for the same parameters, everywhere.",
               "generate");
  app.add_option("--entities", settings.graph.entities, "Entities, hubs among them")
      ->capture_default_str();
  app.add_option("--relations", settings.graph.relations,
                 "Relations besides those of the hubs; a few repeat an earlier one")
      ->capture_default_str();
  app.add_option("--seed", settings.graph.seed, "Another seed, another graph")
      ->capture_default_str();
  app.add_option("--hubs", settings.hubs,
                 "Extra hubs of exactly these numbers of relations: 5000000,1000000x5");
  app.add_option("--groups", settings.graph.groups, "Tenants: groups g1, g2, ... (0 to 31)")
      ->capture_default_str();
  app.add_option("--private-share", settings.graph.private_share,
                 "Share of entities and relations that only tenants see")
      ->capture_default_str();
  app.add_option("--skew", settings.graph.skew, "Zipf's exponent of the degrees, below 1")
      ->capture_default_str();
  app.add_option("--output", settings.output, "JSON Lines file; - is standard output, \"\" nothing")
      ->capture_default_str();
  app.add_option("--store", settings.store,
                 "Fill a new store in this directory instead of writing JSON Lines");
  app.add_option("--ids", settings.ids,
                 "Also write ids to ask for: lines \"uniform TAB id\" and \"zipf TAB id\"");
  app.add_option("--id-count", settings.id_count, "Ids of each of the two samples")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Generate(settings);
  if (!status.ok()) std::fprintf(stderr, "generate: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
