// What an import must do to a graph, obviously right and slow: everything is held in maps. The bulk
// import is compared with it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/import/import_sink.h"
#include "storage/rocks/database.h"
#include "tests/support/model_graph.h"

namespace relations {

class ReferenceImport final : public ImportSink {
 public:
  struct Result {
    uint64_t entities = 0;
    uint64_t relations = 0;
    // "file:line: reason", sorted.
    std::vector<std::string> rejections;
  };

  absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition& position) override;
  absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) override;
  absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) override;
  void OnSkipped(absl::string_view /*kind*/) override {}

  // Applies all of it to `state`.
  Result Finish(ModelGraph::State* state);

 private:
  struct Reported {
    v1::Entity entity;
    ImportPosition first;
  };

  std::map<std::string, Reported> entities_;
  std::vector<std::pair<ImportedRelation, ImportPosition>> relations_;
  Result result_;
};

// Everything that a RocksDB store holds, read from its records; not what is being deleted.
ModelGraph::State StateOf(const RocksDatabase& database);

// The difference of two states in words, for messages of tests; empty when they are equal.
std::string Difference(const ModelGraph::State& expected, const ModelGraph::State& found);

}  // namespace relations
