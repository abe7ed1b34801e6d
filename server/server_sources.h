// What is measured of a running server besides its calls: queues, caches, the database.
#pragma once

#include "server/server.h"
#include "storage/base/metrics.h"
#include "storage/rocks/database.h"
#include "storage/rocks/followed_store.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

// Everything given must outlive the last scrape of `metrics`.
void AddServerSources(Metrics& metrics, RelationsServer& server, const RocksGraphStore& graph,
                      const RocksDatabase& database);
// The same of a server that only reads, and how far it is behind the primary.
void AddFollowerSources(Metrics& metrics, RelationsServer& server, const FollowedStore& store);

}  // namespace relations
