#include "storage/rocks/bulk_import.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/background_worker.h"
#include "storage/rocks/bulk_ends.h"
#include "storage/rocks/bulk_entities.h"
#include "storage/rocks/bulk_lists.h"
#include "storage/rocks/bulk_node_ids.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_relations.h"
#include "storage/rocks/bulk_scratch.h"
#include "storage/rocks/bulk_sorter.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/sst_output.h"
#include "storage/rocks/table_changes.h"

namespace relations {

// Members that refer to others stand after them.
struct BulkImport::Gathered {
  Gathered(std::unique_ptr<ScratchDirectory> directory, size_t memory_bytes)
      : scratch(std::move(directory)),
        entities(scratch.get(), &worker, memory_bytes / 2, &positions),
        relations(scratch.get(), &entities, &positions, memory_bytes / 2) {}

  const std::unique_ptr<ScratchDirectory> scratch;
  PositionCoder positions;
  // Jobs refer to the sorters: they end first, by BulkImport's destructor or before Finish returns.
  BackgroundWorker worker{1};
  BulkEntities entities;
  BulkRelations relations;
};

BulkImport::BulkImport(RocksGraphStore* store, Options options)
    : store_(store), options_(std::move(options)) {}

BulkImport::~BulkImport() = default;

absl::Status BulkImport::Prepare() {
  if (gathered_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::unique_ptr<ScratchDirectory> scratch,
                   ScratchDirectory::Create(store_->database_->directory()));
  gathered_ = std::make_unique<Gathered>(std::move(scratch), options_.memory_bytes);
  return absl::OkStatus();
}

absl::Status BulkImport::OnRejected(const ImportPosition& position, absl::string_view reason) {
  ++rejected_;
  if (options_.on_rejected) options_.on_rejected(position, reason);
  if (options_.strict) {
    return absl::InvalidArgumentError(
        position.line != 0 ? absl::StrCat(position.file, ":", position.line, ": ", reason)
                           : absl::StrCat(position.file, ": ", position.where, ": ", reason));
  }
  return absl::OkStatus();
}

void BulkImport::OnSkipped(absl::string_view kind) { ++skipped_[std::string(kind)]; }

absl::Status BulkImport::OnEntity(relations::v1::Entity entity, const ImportPosition& position) {
  RETURN_IF_ERROR(Prepare());
  gathered_->relations.OnEntity(entity.id());
  const absl::Status status = gathered_->entities.AddReport(std::move(entity), position);
  if (absl::IsInvalidArgument(status)) return OnRejected(position, status.message());
  return status;
}

absl::Status BulkImport::OnRelation(ImportedRelation relation, const ImportPosition& position) {
  if (relation.source == relation.target) return absl::OkStatus();
  RETURN_IF_ERROR(Prepare());
  const absl::Status status = gathered_->relations.Add(relation, position);
  if (absl::IsInvalidArgument(status)) return OnRejected(position, status.message());
  return status;
}

void BulkImport::Step(absl::string_view name) const {
  if (options_.on_step) options_.on_step(name);
}

absl::StatusOr<BulkImport::Counts> BulkImport::Finish() {
  if (gathered_ == nullptr) return Counts{0, 0, rejected_};
  absl::StatusOr<Counts> counts = Merge();
  gathered_.reset();
  return counts;
}

absl::StatusOr<BulkImport::Counts> BulkImport::Merge() {
  const std::lock_guard<FairMutex> lock(store_->writer_mutex_);
  RocksDatabase& database = *store_->database_;
  const ScratchDirectory* const scratch = gathered_->scratch.get();
  BackgroundWorker* const worker = &gathered_->worker;
  TableChanges changes(store_);
  const BulkReject reject = [this](const ImportPosition& position, absl::string_view reason) {
    return OnRejected(position, reason);
  };
  SstOutput entity_output(&database, Family::kEntities, scratch->path());
  SstOutput id_output(&database, Family::kIds, scratch->path());
  SstOutput relation_output(&database, Family::kRelations, scratch->path());
  SstOutput adjacency_output(&database, Family::kAdjacency, scratch->path());
  SstOutput meta_output(&database, Family::kMeta, scratch->path());
  Counts counts;

  Step("merging the entities");
  RETURN_IF_ERROR(gathered_->relations.FinishNames());
  ASSIGN_OR_RETURN(const std::unique_ptr<BulkNodeIds> node_ids,
                   BulkNodeIds::Create(&database, scratch, changes.next_node()));
  ASSIGN_OR_RETURN(const std::unique_ptr<EndFile> ends, EndFile::Create(scratch));
  ASSIGN_OR_RETURN(
      counts.entities,
      BulkEntityMerge(&gathered_->entities, {.database = &database,
                                             .changes = &changes,
                                             .scratch = scratch,
                                             .worker = worker,
                                             .memory_bytes = options_.memory_bytes,
                                             .fingerprint = &gathered_->relations.fingerprint(),
                                             .reject = reject,
                                             .entity_output = &entity_output,
                                             .id_output = &id_output,
                                             .node_ids = node_ids.get(),
                                             .ends = ends.get()})
          .Run());
  RETURN_IF_ERROR(node_ids->Flush());
  RETURN_IF_ERROR(ends->Flush());

  Step("linking the relations");
  BulkListEntries entries(scratch, worker, options_.memory_bytes / 2);
  RETURN_IF_ERROR(BulkJoin(&gathered_->relations, {.changes = &changes,
                                                   .scratch = scratch,
                                                   .ends = ends.get(),
                                                   .memory_bytes = options_.memory_bytes / 2,
                                                   .reject = reject,
                                                   .entries = &entries})
                      .Run());

  Step("writing the lists");
  ASSIGN_OR_RETURN(counts.relations, BulkLists(&entries, {.database = &database,
                                                          .changes = &changes,
                                                          .scratch = scratch,
                                                          .worker = worker,
                                                          .memory_bytes = options_.memory_bytes / 4,
                                                          .node_ids = node_ids.get(),
                                                          .relation_output = &relation_output,
                                                          .adjacency_output = &adjacency_output})
                                         .Run());
  std::map<std::string, std::string> meta = changes.ChangedCounters();
  // What an import changes is not told one by one.
  meta[kFeedKey] = NewFeedName();
  for (const auto& [key, value] : meta) {
    RETURN_IF_ERROR(meta_output.Put(key, value));
  }
  RETURN_IF_ERROR(meta_output.Finish());

  Step("taking it all in");
  RETURN_IF_ERROR(changes.Publish());
  SstOutput* const outputs[] = {&entity_output, &id_output, &relation_output, &adjacency_output,
                                &meta_output};
  store_->cache_.BeginWriteOfAll();
  const absl::Status taken_in = IngestOutputs(database, outputs);
  store_->cache_.EndWriteOfAll();
  RETURN_IF_ERROR(taken_in);
  changes.Commit();
  store_->change_log_.Notify();
  counts.rejected = rejected_;
  return counts;
}

}  // namespace relations
