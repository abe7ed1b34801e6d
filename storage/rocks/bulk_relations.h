// The relations of a bulk import: they wait in a spool until all entities are known, are joined
// with their ends, and go on as two list entries each (bulk_lists.h), one for each end.
//
// Frame of the spool:
//   16 bytes source's fingerprint | 16 bytes target's | u8 flags | varint number of the type
//     | [time, when flags has kHasTime] | [varint group set, when kHasGroups] | position
//   flags   bit 0 mode (RelationMode)   bit 1 kHasTime   bit 2 kHasGroups
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/import/import_sink.h"
#include "storage/rocks/bulk_ends.h"
#include "storage/rocks/bulk_entities.h"
#include "storage/rocks/bulk_lists.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_scratch.h"
#include "storage/rocks/table_changes.h"

namespace relations {

// Gathers. Not thread-safe.
class BulkRelations {
 public:
  // `scratch`, `entities` and `positions` are not owned. Remembers the ids that were named in about
  // `memory_bytes`.
  BulkRelations(const ScratchDirectory* scratch, BulkEntities* entities, PositionCoder* positions,
                size_t memory_bytes)
      : scratch_(scratch), entities_(entities), positions_(positions), known_(memory_bytes) {}

  // INVALID_ARGUMENT when the type is none; nothing is added then.
  absl::Status Add(const ImportedRelation& relation, const ImportPosition& position);
  // Tells that an entity is reported, so that it need not be named again.
  void OnEntity(absl::string_view id) { known_.Insert(fingerprint_(id)); }
  // To be called when all is gathered: names what is not named yet and gives memory back.
  absl::Status FinishNames();

  const FingerprintMaker& fingerprint() const { return fingerprint_; }

 private:
  friend class BulkJoin;

  struct Name {
    std::string id;
    Fingerprint fingerprint;
  };

  // Tells the entities of the ids in names_, unless they are known to be gathered.
  absl::Status AddNames();

  const ScratchDirectory* const scratch_;
  BulkEntities* const entities_;
  PositionCoder* const positions_;
  const FingerprintMaker fingerprint_;
  // Half a fingerprint each: an id that is taken for another's is found out when it is joined. When
  // it is full, ids are named again and again, and the sorter of entities drops repetitions.
  FingerprintSet known_;
  // Of the relation before: memory answers while the next one is read.
  std::array<Name, 2> names_;
  bool has_names_ = false;
  std::unique_ptr<ScratchFile> spool_;
  Numbering<std::string> types_;
  std::string frame_;
};

// Joins. Used once.
class BulkJoin {
 public:
  // Not owned.
  struct Context {
    TableChanges* changes = nullptr;
    const ScratchDirectory* scratch = nullptr;
    const EndFile* ends = nullptr;
    // Of one table of ends.
    size_t memory_bytes = 0;
    BulkReject reject;
    // Receives the list entries.
    BulkListEntries* entries = nullptr;
  };

  BulkJoin(BulkRelations* gathered, Context context)
      : gathered_(gathered), context_(std::move(context)) {}

  // Rejections come in the order of the input when one table holds all ends.
  absl::Status Run();

 private:
  // What a frame says beside its ends.
  struct Fact {
    RelationMode mode{};
    uint32_t type = 0;
    std::optional<Instant> last_seen;
    std::optional<uint32_t> group_set;
    // The encoded position.
    absl::string_view position;
  };

  absl::Status JoinInOnePart(const EndTable& table);
  absl::Status JoinInParts(uint64_t parts);
  absl::StatusOr<std::vector<std::unique_ptr<ScratchFile>>> NewFiles(uint64_t count) const;
  // Reads `fact` behind the fingerprints.
  bool ParseFact(absl::string_view bytes, Fact* fact) const;
  absl::Status Resolve(const End& source, const End& target, absl::string_view fact_bytes);
  absl::Status Reject(const Fact& fact, absl::string_view reason) const;
  // The class of what the classes share; nothing when they share no group.
  absl::StatusOr<std::optional<ClassId>> Shared(ClassId a, ClassId b);
  absl::StatusOr<std::optional<ClassId>> Narrowed(ClassId shared, uint32_t group_set);

  BulkRelations* const gathered_;
  const Context context_;
  std::vector<std::optional<LabelId>> labels_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, std::optional<ClassId>> shared_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, std::optional<ClassId>> narrowed_;
};

}  // namespace relations
