// A store under test beside the model of what it must hold. Every request goes to both; after a
// crash the store must hold what the model holds, or that and the one request whose answer was
// still to come.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "rocksdb/env.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/model_graph.h"
#include "tests/support/seeded_workload.h"

namespace relations {

class JudgedStore {
 public:
  // `env` is not owned; null for the process's own file system.
  JudgedStore(std::string directory, rocksdb::Env* env, uint64_t node_cache_bytes);

  // Opens; creates only what was never open before.
  absl::Status Open();
  // As a process that ends without a word does: whatever closing would fail with is ignored.
  void Drop();
  bool is_open() const { return graph_ != nullptr; }
  // Gives a request to the store, and, when it is acknowledged, to the model, which must take it
  // too. One that failed for a reason other than its contents is in doubt: the next Compare may
  // find it. Only one can be.
  absl::Status Apply(const Mutations& request);
  // What is wrong with the open store, in words; empty when it is as it must be: no acknowledged
  // request lacks, none is there in part, every invariant of the format holds.
  std::string Compare();
  // Whether answers of walks are the reference's, too.
  std::string CompareWalks(SeededWorkload& random, int walks);

  RocksDatabase& database() { return *database_; }
  RocksGraphStore& graph() { return *graph_; }
  ModelGraph& model() { return model_; }
  // Puts all that is in memory into table files.
  absl::Status Flush();
  absl::Status Compact();

 private:
  const std::string directory_;
  rocksdb::Env* const env_;
  const uint64_t node_cache_bytes_;
  bool was_open_ = false;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> graph_;
  ModelGraph model_;
  std::optional<Mutations> in_doubt_;
};

// True for a status that speaks of the request, not of the disk.
bool IsRefusal(const absl::Status& status);

// A table of all families, for RocksDB's calls over several.
std::vector<rocksdb::ColumnFamilyHandle*> AllFamilies(const RocksDatabase& database);

}  // namespace relations
