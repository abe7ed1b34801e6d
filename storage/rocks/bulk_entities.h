// The entities of a bulk import: reports gather in a sorter and are then merged, id by id, with
// each other and with what is stored (consolidation.h).
//
// Record of the sorter:
//   key      id | NUL | u64 arrival, big-endian; all ones: the id is only named, by a relation
//   report   position | time last seen | varint number of the group set | varint offset | wire
//            wire: the Entity in field order without `id` and `visible_by`; offset: where in it the
//            latter belong
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "relations/v1/relations.pb.h"
#include "storage/import/import_sink.h"
#include "storage/rocks/bulk_ends.h"
#include "storage/rocks/bulk_node_ids.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_sorter.h"
#include "storage/rocks/database.h"
#include "storage/rocks/sst_output.h"
#include "storage/rocks/table_changes.h"

namespace relations {

using BulkReject = std::function<absl::Status(const ImportPosition&, absl::string_view reason)>;

// Gathers. Not thread-safe.
class BulkEntities {
 public:
  BulkEntities(const ScratchDirectory* scratch, BackgroundWorker* worker, size_t memory_bytes,
               PositionCoder* positions)
      : positions_(positions),
        sorter_(scratch, worker, memory_bytes, BulkSorter::EqualKeys::kKeepOne) {}

  // INVALID_ARGUMENT when the entity breaks a limit of limits.h or a grammar; nothing is added
  // then.
  absl::Status AddReport(relations::v1::Entity entity, const ImportPosition& position);
  // Tells that an id is named, so that its entity is looked up; again does nothing.
  absl::Status AddMention(absl::string_view id);

  Numbering<GroupSet>& group_sets() { return group_sets_; }

 private:
  friend class BulkEntityMerge;

  PositionCoder* const positions_;
  BulkSorter sorter_;
  Numbering<GroupSet> group_sets_;
  GroupSet groups_;
  uint64_t arrivals_ = 0;
  std::string key_;
  std::string report_;
};

// Merges. Used once.
class BulkEntityMerge {
 public:
  // What is read and written; not owned.
  struct Context {
    const RocksDatabase* database = nullptr;
    TableChanges* changes = nullptr;
    const ScratchDirectory* scratch = nullptr;
    BackgroundWorker* worker = nullptr;
    size_t memory_bytes = 0;
    const FingerprintMaker* fingerprint = nullptr;
    BulkReject reject;
    // Where results go.
    SstOutput* entity_output = nullptr;
    SstOutput* id_output = nullptr;
    BulkNodeIds* node_ids = nullptr;
    EndFile* ends = nullptr;
  };

  BulkEntityMerge(BulkEntities* gathered, Context context);

  // Returns how many entities the import held and the store will have.
  absl::StatusOr<uint64_t> Run();

 private:
  struct Candidate {
    std::string id;
    // The first report; empty when the id is only named.
    std::string report;
    // The reports together, when there are several.
    std::optional<relations::v1::Entity> merged;
    // 0 and empty when nothing is stored.
    NodeId node{};
    std::string stored;
  };

  absl::Status AddReport(absl::string_view report, Candidate* candidate) const;
  absl::Status FlushBatch();
  absl::Status LookUp();
  absl::Status Emit(Candidate& candidate);
  absl::Status EmitNew(Candidate& candidate);
  absl::Status EmitStored(Candidate& candidate);
  absl::Status AddEnd(absl::string_view id, NodeId node, const Instant& last_seen,
                      ClassId visibility);
  absl::StatusOr<relations::v1::Entity> ParseReport(absl::string_view id,
                                                    absl::string_view report) const;
  absl::StatusOr<relations::v1::Entity> ParseStored(const std::string& record) const;
  absl::StatusOr<ClassId> ClassOf(uint32_t group_set);
  absl::StatusOr<ClassId> ClassOf(const relations::v1::Entity& entity) const;
  absl::Status RejectFirst(const Candidate& candidate, absl::string_view reason) const;
  absl::Status WriteSorted();

  BulkEntities* const gathered_;
  const Context context_;
  const bool store_is_empty_;
  std::vector<Candidate> batch_;
  size_t batch_size_ = 0;
  size_t batch_bytes_ = 0;
  std::vector<std::optional<ClassId>> classes_;
  absl::flat_hash_map<std::string, int64_t> types_;
  uint64_t order_before_ = 0;
  uint64_t stored_since_ = 0;
  uint64_t entities_ = 0;
  // New ids in the order of their keys; stored entities that change in the order of nodes.
  BulkSorter new_ids_;
  BulkSorter changed_;
  std::string record_;
};

}  // namespace relations
