// A bulk import into a RocksDB store: streaming, in bounded memory, all or nothing.
//
//   BulkImport sink(store, {});
//   RETURN_IF_ERROR(Import(paths, options, sink, nullptr).status());
//   ASSIGN_OR_RETURN(BulkImport::Counts counts, sink.Finish());
//
// What importers give is consolidated with each other and with what is stored (consolidation.h).
// Entities and relations may come in any order; relations are resolved when all entities are known.
//
// Data flow, each step in sorted order so that memory does not grow with the input:
//
//   entities  -> sorter by id -> merged by id and with the store -> files of `entities` and `ids`,
//                                                                   ends by fingerprint
//   relations -> spool -> joined with their ends -> sorter by node and neighbour -> merged by pair
//   and
//                with the store -> files of `relations` and `adjacency`
//
// All files are taken in by the database in one step at the end of Finish: before it the store is
// unchanged (but for visibility classes and labels that nothing names yet), after it everything is
// there and durable. An import that failed or was interrupted can be run again, and so can one that
// was done: it changes nothing then.
//
// Scratch: `<store>/import.tmp/`, about as large as the input; see bulk_scratch.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/import/import_sink.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

// Not thread-safe; has a thread of its own beside the caller's.
class BulkImport final : public ImportSink {
 public:
  struct Options {
    // Of all that the import holds at a time, its share of the database's caches not counted.
    uint64_t memory_bytes = uint64_t{512} << 20;
    // Told of each rejected record; may be empty.
    std::function<void(const ImportPosition& position, absl::string_view reason)> on_rejected;
    // Told the name of each step of Finish as it starts; may be empty.
    std::function<void(absl::string_view step)> on_step;
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
  BulkImport(RocksGraphStore* store, Options options);
  ~BulkImport() override;

  absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition& position) override;
  absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) override;
  absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) override;
  void OnSkipped(absl::string_view kind) override;

  // Makes the import part of the store. Call once, after the importer is done. Other writers wait
  // meanwhile; readers go on and see all of it or nothing. Any error: nothing is imported.
  absl::StatusOr<Counts> Finish();

  // What importers skipped, by kind.
  const std::map<std::string, uint64_t>& skipped() const { return skipped_; }

 private:
  // What was gathered; made with the first record.
  struct Gathered;

  absl::Status Prepare();
  void Step(absl::string_view name) const;
  absl::StatusOr<Counts> Merge();

  RocksGraphStore* const store_;
  const Options options_;
  std::unique_ptr<Gathered> gathered_;
  std::map<std::string, uint64_t> skipped_;
  uint64_t rejected_ = 0;
};

}  // namespace relations
