// walk_bench: what an answer costs in the store, records fetched, over real requests' entities.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "tests/bench/bench_store.h"
#include "tests/bench/measure.h"
#include "tests/bench/question.h"

namespace relations::bench {
namespace {

struct WalkSettings {
  std::string store;
  std::string ids;
  std::vector<std::string> questions = {"50x3", "100x5", "50x1"};
  std::vector<std::string> groups = {"public", "g1"};
  std::vector<uint64_t> node_cache_mb = {0, 1024};
  uint64_t block_cache_mb = 2048;
  size_t id_count = 2000;
  double seconds = 5;
};

// The point reads are measured between the answers, once in so many.
constexpr size_t kAnswersPerPointReads = 10;

void PrintHeader() {
  std::printf("%-8s %-8s %10s %9s %9s %9s %9s %9s %7s %7s %9s %9s %7s %7s\n", "sample", "question",
              "node cache", "answers", "median us", "p99 us", "cpu us", "answers/s", "nodes",
              "relat.", "bytes", "100 Gets", "ratio", "faster");
}

struct Line {
  std::string sample;
  Question question;
  uint64_t node_cache_mb = 0;
};

struct Figures {
  Timing answers;
  Timing point_reads;
  AnswerSize total;
};

absl::StatusOr<Figures> MeasureAnswers(BenchStore& store, const std::vector<std::string>& ids,
                                       const Question& question, const GroupSet& groups,
                                       double seconds) {
  // Once over all, so that what can be cached is; what the caller may not see is left out.
  std::vector<std::string> visible;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const auto size, Ask(store.graph(), id, question, groups, nullptr));
    if (size.has_value()) visible.push_back(id);
  }
  if (visible.empty()) return absl::FailedPreconditionError("the caller sees none of the ids");
  ASSIGN_OR_RETURN(PointReads reads,
                   PointReads::Create(&store.database(), &store.graph(), visible));
  Figures figures;
  const auto end = WallNanos() + static_cast<int64_t>(seconds * 1e9);
  for (size_t asked = 0; asked == 0 || WallNanos() < end; ++asked) {
    ASSIGN_OR_RETURN(const auto size, Ask(store.graph(), visible[asked % visible.size()], question,
                                          groups, &figures.answers));
    if (size.has_value()) figures.total += *size;
    if (asked % kAnswersPerPointReads == 0) RETURN_IF_ERROR(reads.Run(&figures.point_reads));
  }
  return figures;
}

// `uncached_us` is the CPU time of the same answers with the first cache size.
void PrintLine(const Line& line, Figures& figures, double uncached_us) {
  const size_t count = figures.answers.wall.size();
  const auto mean = [&](uint64_t sum) {
    return static_cast<double>(sum) / static_cast<double>(count);
  };
  const double cpu_us = figures.answers.cpu.MedianMicros();
  const double reads_us = figures.point_reads.cpu.MedianMicros();
  std::printf(
      "%-8s %-8s %7lu MB %9zu %9.1f %9.1f %9.1f %9.0f %7.1f %7.1f %9.0f %9.1f %7.3f %7.1f\n",
      line.sample.c_str(), ToText(line.question).c_str(), line.node_cache_mb, count,
      figures.answers.wall.MedianMicros(), figures.answers.wall.Micros(0.99), cpu_us,
      1e6 / figures.answers.wall.MeanMicros(), mean(figures.total.nodes),
      mean(figures.total.relations), mean(figures.total.bytes), reads_us, cpu_us / reads_us,
      uncached_us / cpu_us);
  std::fflush(stdout);
}

absl::Status Run(const WalkSettings& settings) {
  std::printf("%s\n", MachineLine().c_str());
  ASSIGN_OR_RETURN(auto samples, ReadIds(settings.ids));
  std::vector<Question> questions;
  for (const std::string& text : settings.questions) {
    ASSIGN_OR_RETURN(questions.emplace_back(), ParseQuestion(text));
  }
  const GroupSet groups = CanonicalGroups(settings.groups);
  PrintHeader();
  std::map<std::string, double> first_cpu_us;
  for (const uint64_t node_cache_mb : settings.node_cache_mb) {
    ASSIGN_OR_RETURN(const auto store,
                     BenchStore::Open(settings.store, {.block_bytes = settings.block_cache_mb << 20,
                                                       .node_bytes = node_cache_mb << 20}));
    for (auto& [sample, ids] : samples) {
      if (ids.size() > settings.id_count) ids.resize(settings.id_count);
      for (const Question& question : questions) {
        ASSIGN_OR_RETURN(Figures figures,
                         MeasureAnswers(*store, ids, question, groups, settings.seconds));
        const auto first =
            first_cpu_us
                .emplace(absl::StrCat(sample, ToText(question)), figures.answers.cpu.MedianMicros())
                .first;
        PrintLine({sample, question, node_cache_mb}, figures, first->second);
      }
    }
    const NodeCache::Counts counts = store->graph().node_cache_counts();
    if (node_cache_mb != 0) {
      std::printf("node cache: %lu hits, %lu misses, %lu entries, %.1f MB\n", counts.hits,
                  counts.misses, counts.entries, static_cast<double>(counts.bytes) / 1e6);
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace relations::bench

int main(int argc, char** argv) {
  relations::bench::WalkSettings settings;
  CLI::App app(
      "Asks a store for the relations of many entities, everything cached that can be, one thread. "
      "`cpu us` and `100 Gets` are medians of CPU time: of an answer, and of 100 hot point reads "
      "of "
      "RocksDB in the same run; `ratio` is the one to the other; `faster` tells how many times "
      "less "
      "an answer takes than with the first of the node cache sizes.",
      "walk_bench");
  app.add_option("--store", settings.store, "Directory of the store")->required();
  app.add_option("--ids", settings.ids, "Ids to ask for, as generate --ids writes them")
      ->required();
  app.add_option("--questions", settings.questions, "LIMITxLEVELS,...")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--groups", settings.groups, "Groups of the caller")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--node-cache-mb", settings.node_cache_mb, "Node cache sizes to measure with")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--block-cache-mb", settings.block_cache_mb, "RocksDB's block cache")
      ->capture_default_str();
  app.add_option("--id-count", settings.id_count, "Most ids of each sample")->capture_default_str();
  app.add_option("--seconds", settings.seconds, "For each line")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = relations::bench::Run(settings);
  if (!status.ok()) std::fprintf(stderr, "walk_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
