// A store as benchmarks use it: filled from made-up data, compacted, opened with given caches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/import/import_sink.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations::bench {

struct CacheSizes {
  uint64_t block_bytes = 0;
  // Of decoded nodes above RocksDB; 0 for none.
  uint64_t node_bytes = 0;
};

class BenchStore {
 public:
  // Opens the store in `directory`, which must be there.
  static absl::StatusOr<std::unique_ptr<BenchStore>> Open(const std::string& directory,
                                                          const CacheSizes& caches);

  RocksGraphStore& graph() { return *graph_; }
  RocksDatabase& database() { return *database_; }

 private:
  BenchStore(std::unique_ptr<RocksDatabase> database, std::unique_ptr<RocksGraphStore> graph)
      : database_(std::move(database)), graph_(std::move(graph)) {}

  std::unique_ptr<RocksDatabase> database_;
  // After the database, so that it goes first.
  std::unique_ptr<RocksGraphStore> graph_;
};

// Gives a sink all that a store is to hold.
using Feed = std::function<absl::Status(ImportSink& sink)>;

struct BuildFigures {
  uint64_t entities = 0;
  uint64_t relations = 0;
  double import_seconds = 0;
  double compaction_seconds = 0;
};

// Makes a store in `directory` from what `feed` gives, and compacts it. A directory that holds a
// store already is FAILED_PRECONDITION.
absl::StatusOr<BuildFigures> BuildStore(const std::string& directory, const Feed& feed);

// Prints the counts, then a line a family: bytes, and bytes a relation.
absl::Status PrintDiskUse(RocksGraphStore& graph);

// Bytes on disk a relation: adjacency and relation records, and all families but the entities.
struct DiskUse {
  double graph_bytes = 0;
  double all_but_entities_bytes = 0;
};
absl::StatusOr<DiskUse> DiskUseOf(RocksGraphStore& graph);

}  // namespace relations::bench
