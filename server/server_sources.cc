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
    AddNodeCache(graph, samples);
    AddDatabase(database, samples);
  });
}

}  // namespace relations
