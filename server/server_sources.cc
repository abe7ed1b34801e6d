#include "server/server_sources.h"

#include "storage/rocks/database_counters.h"

namespace relations {
namespace {

using Kind = MetricSample::Kind;

void AddQueues(RelationsServer& server, std::vector<MetricSample>& samples) {
  samples.push_back({"relations_server_calls_in_flight",
                     "Calls between arrival and last byte.",
                     Kind::kGauge,
                     static_cast<double>(server.calls_in_flight()),
                     {}});
  samples.push_back({"relations_server_calls_waiting",
                     "Calls that wait for a worker.",
                     Kind::kGauge,
                     static_cast<double>(server.calls_waiting()),
                     {}});
}

void AddStreams(RelationsServer& server, std::vector<MetricSample>& samples) {
  const StreamCounts counts = server.stream_counts();
  const char* const open = "relations_server_streams_open";
  const char* const open_help = "Streams that are open.";
  samples.push_back({open,
                     open_help,
                     Kind::kGauge,
                     static_cast<double>(counts.report_streams),
                     {{"method", "ReportStream"}}});
  samples.push_back(
      {open, open_help, Kind::kGauge, static_cast<double>(counts.watches), {{"method", "Watch"}}});
  samples.push_back({"relations_server_stream_reports_total",
                     "Requests of report streams that were answered, refused ones included.",
                     Kind::kCounter,
                     static_cast<double>(counts.reports_answered),
                     {}});
  samples.push_back({"relations_server_stream_refusals_total",
                     "Requests of report streams that were refused.",
                     Kind::kCounter,
                     static_cast<double>(counts.reports_refused),
                     {}});
  samples.push_back({"relations_server_watch_changes_total",
                     "Changes that were sent to watchers.",
                     Kind::kCounter,
                     static_cast<double>(counts.changes_sent),
                     {}});
}

void AddFeed(const RocksGraphStore& graph, std::vector<MetricSample>& samples) {
  const ChangeLog::Counts counts = graph.change_log_counts();
  samples.push_back({"relations_feed_kept_changes",
                     "Changes that a watcher can go back.",
                     Kind::kGauge,
                     static_cast<double>(counts.changes),
                     {}});
  samples.push_back({"relations_feed_kept_bytes",
                     "Bytes of these changes.",
                     Kind::kGauge,
                     static_cast<double>(counts.bytes),
                     {}});
}

void AddNodeCache(const RocksGraphStore& graph, std::vector<MetricSample>& samples) {
  const NodeCache::Counts counts = graph.node_cache_counts();
  const double looks = static_cast<double>(counts.hits + counts.misses);
  samples.push_back({"relations_node_cache_hits_total",
                     "Nodes found in the node cache.",
                     Kind::kCounter,
                     static_cast<double>(counts.hits),
                     {}});
  samples.push_back({"relations_node_cache_misses_total",
                     "Nodes read from the database.",
                     Kind::kCounter,
                     static_cast<double>(counts.misses),
                     {}});
  samples.push_back({"relations_node_cache_hit_ratio",
                     "Hits of all looks into the node cache since the start.",
                     Kind::kGauge,
                     looks > 0 ? static_cast<double>(counts.hits) / looks : 0,
                     {}});
  samples.push_back({"relations_node_cache_bytes",
                     "Bytes in the node cache.",
                     Kind::kGauge,
                     static_cast<double>(counts.bytes),
                     {}});
  samples.push_back({"relations_node_cache_entries",
                     "Values in the node cache.",
                     Kind::kGauge,
                     static_cast<double>(counts.entries),
                     {}});
}

void AddDatabase(const RocksDatabase& database, std::vector<MetricSample>& samples) {
  for (const DatabaseCounter& counter : CountersOf(database)) {
    MetricSample sample;
    sample.name = "relations_rocksdb_" + counter.name + (counter.cumulative ? "_total" : "");
    sample.help = counter.help;
    sample.kind = counter.cumulative ? Kind::kCounter : Kind::kGauge;
    sample.value = counter.value;
    if (!counter.family.empty()) sample.labels = {{"family", counter.family}};
    samples.push_back(std::move(sample));
  }
}

}  // namespace

void AddServerSources(Metrics& metrics, RelationsServer& server, const RocksGraphStore& graph,
                      const RocksDatabase& database) {
  metrics.AddSource([&server, &graph, &database](std::vector<MetricSample>& samples) {
    AddQueues(server, samples);
    AddStreams(server, samples);
    AddFeed(graph, samples);
    AddNodeCache(graph, samples);
    AddDatabase(database, samples);
  });
}

}  // namespace relations
