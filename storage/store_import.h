// An import into a store: consolidates what importers give with what is stored (consolidation.h),
// resolves relations when all entities are known, and counts what the input held.
//
//   StoreImport sink(store, {.scratch_directory = directory + "/import"});
//   RETURN_IF_ERROR(Import(paths, options, sink, nullptr).status());
//   ASSIGN_OR_RETURN(StoreImport::Counts counts, sink.Finish());
//
// Entities and relations may come in any order. Relations wait in a scratch file until Finish, so
// memory does not grow with the input's text. An import that is interrupted can be run again: every
// step is idempotent. Not thread-safe.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/graph_store.h"
#include "storage/import/import_sink.h"

namespace relations {

class StoreImport final : public ImportSink {
 public:
  struct Options {
    // Where the scratch file goes; created, and removed again when it is left empty.
    std::string scratch_directory;
    // Told of each rejected record; may be empty.
    std::function<void(const ImportPosition& position, absl::string_view reason)> on_rejected;
    // The first rejection ends the import.
    bool strict = false;
  };

  struct Counts {
    // Distinct entities and relations that the input held and the store now has.
    uint64_t entities = 0;
    uint64_t relations = 0;
    // Records that were refused: by the importer, or because an end is unknown, ...
    uint64_t rejected = 0;
  };

  // `store` is not owned and must outlive this.
  StoreImport(GraphStore* store, Options options);
  ~StoreImport() override;

  absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition& position) override;
  absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) override;
  absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) override;
  void OnSkipped(absl::string_view kind) override;

  // Writes what is left, relations last. Call once, after the importer is done.
  absl::StatusOr<Counts> Finish();

  // What importers skipped, by kind.
  const absl::flat_hash_map<std::string, uint64_t>& skipped() const { return skipped_; }

 private:
  class Scratch;
  struct PendingEntity;

  absl::Status FlushEntities();
  absl::Status FlushRelations(std::vector<ImportedRelation> relations,
                              const std::vector<ImportPosition>& positions);

  GraphStore* const store_;
  Options options_;
  std::unique_ptr<Scratch> scratch_;
  std::vector<relations::v1::Entity> pending_;
  absl::flat_hash_map<std::string, size_t> pending_index_;
  size_t pending_bytes_ = 0;
  absl::flat_hash_set<std::string> entities_;
  absl::flat_hash_set<std::string> relations_;
  absl::flat_hash_map<std::string, uint64_t> skipped_;
  Counts counts_;
};

}  // namespace relations
