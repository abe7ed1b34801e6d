// An import into a store: consolidates what importers give with what is stored (consolidation.h),
// resolves relations when all entities are known, and counts what the input held.
//
//   StoreImport sink(store, {.scratch_directory = directory});
//   RETURN_IF_ERROR(Import(paths, options, sink, nullptr).status());
//   ASSIGN_OR_RETURN(StoreImport::Counts counts, sink.Finish());
//
// Entities and relations may come in any order. Relations wait in a scratch file until Finish, so
// memory does not grow with the input's text. An import that is interrupted can be run again: every
// step is idempotent. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
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
    // Where the scratch file goes: an existing directory. The file has no name there, so nothing is
    // left behind whatever happens.
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
  const std::map<std::string, uint64_t>& skipped() const { return skipped_; }

 private:
  class Scratch;
  struct PendingEntity {
    relations::v1::Entity entity;
    ImportPosition position;
  };
  struct PendingRelation {
    ImportedRelation relation;
    ImportPosition position;
  };
  // 128 bits of hash stand for an id or a relation in the counts: 32 bytes each whatever the text.
  using Fingerprint = std::pair<uint64_t, uint64_t>;
  // What a relation takes from its ends.
  struct End {
    absl::Time last_seen;
    GroupSet visible_by;
  };

  absl::Status FlushEntities();
  absl::Status FlushRelations(std::vector<PendingRelation> pending);
  // The end of a relation; nothing when there is no such entity. Valid until the next call.
  absl::StatusOr<const End*> FindEnd(GraphView& view, const std::string& id);

  GraphStore* const store_;
  const Options options_;
  std::unique_ptr<Scratch> scratch_;
  // Entities not yet written, by id, in the order they came.
  std::vector<PendingEntity> pending_;
  absl::flat_hash_map<std::string, size_t> pending_index_;
  size_t pending_bytes_ = 0;
  absl::flat_hash_map<std::string, End> ends_;
  absl::flat_hash_set<Fingerprint> seen_entities_;
  absl::flat_hash_set<Fingerprint> seen_relations_;
  std::map<std::string, uint64_t> skipped_;
  uint64_t rejected_ = 0;
};

}  // namespace relations
