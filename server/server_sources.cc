#include "server/server_sources.h"

#include "absl/time/clock.h"
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

void AddNodeCache(const NodeCache::Counts& counts, std::vector<MetricSample>& samples) {
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

void AddProgress(const FollowedStore::Progress& progress, std::vector<MetricSample>& samples) {
  samples.push_back({"relations_follower_sequence",
                     "Sequence number of the last write of the primary that is served.",
                     Kind::kGauge,
                     static_cast<double>(progress.sequence),
                     {}});
  samples.push_back({"relations_follower_lag_seconds",
                     "Time since all that the primary had written was last seen to be served.",
                     Kind::kGauge,
                     absl::ToDoubleSeconds(absl::Now() - progress.looked_at),
                     {}});
  samples.push_back({"relations_follower_states_total",
                     "Newer states of the store that came to be served.",
                     Kind::kCounter,
                     static_cast<double>(progress.from_log),
                     {{"read", "log"}}});
  samples.push_back({"relations_follower_states_total",
                     "Newer states of the store that came to be served.",
                     Kind::kCounter,
                     static_cast<double>(progress.opened),
                     {{"read", "files"}}});
  samples.push_back({"relations_follower_failures_total",
                     "Looks at the primary's files that ended with an error.",
                     Kind::kCounter,
                     static_cast<double>(progress.failures),
                     {}});
}

}  // namespace

void AddServerSources(Metrics& metrics, RelationsServer& server, const RocksGraphStore& graph,
                      const RocksDatabase& database) {
  metrics.AddSource([&server, &graph, &database](std::vector<MetricSample>& samples) {
    AddQueues(server, samples);
    AddStreams(server, samples);
    AddFeed(graph, samples);
    AddNodeCache(graph.node_cache_counts(), samples);
    AddDatabase(database, samples);
  });
}

void AddFollowerSources(Metrics& metrics, RelationsServer& server, const FollowedStore& store) {
  metrics.AddSource([&server, &store](std::vector<MetricSample>& samples) {
    AddQueues(server, samples);
    AddNodeCache(store.node_cache_counts(), samples);
    AddDatabase(*store.moment()->database, samples);
    AddProgress(store.progress(), samples);
  });
}

}  // namespace relations
