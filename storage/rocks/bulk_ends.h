// The ends of relations: every entity that a bulk import names, by the fingerprint of its id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_types.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_scratch.h"

namespace relations {

// Orders nodes as their ids do, among the nodes that one import touches. New nodes are numbered in
// the order of ids, so for them the number tells; a stored node stands between two new ones:
//   new node        (2 * (node - first new) + 1) << 32
//   stored node     2 * (new nodes before it) << 32 | stored nodes since the last of them
inline constexpr uint64_t kNewNodesMax = uint64_t{1} << 31;
inline uint64_t OrderOfNew(NodeId node, NodeId first_new) {
  return (2 * (static_cast<uint64_t>(node) - static_cast<uint64_t>(first_new)) + 1) << 32;
}

// What a relation takes from an end.
struct End {
  // 0: there is no such entity.
  NodeId node{};
  // Order among ids (above); of a missing entity: where its id stands in the file of missing ids.
  uint64_t order = 0;
  Instant last_seen;
  ClassId visibility{};

  bool missing() const { return node == NodeId{0}; }
};

// Ends on scratch: written in any order, read by parts of their fingerprints.
class EndFile {
 public:
  static absl::StatusOr<std::unique_ptr<EndFile>> Create(const ScratchDirectory* scratch);

  absl::Status Add(const Fingerprint& fingerprint, const End& end);
  absl::Status AddMissing(const Fingerprint& fingerprint, absl::string_view id);
  absl::Status Flush();

  uint64_t count() const { return count_; }
  absl::StatusOr<std::string> MissingId(const End& end) const;

 private:
  friend class EndTable;
  EndFile(std::unique_ptr<ScratchFile> ends, std::unique_ptr<ScratchFile> missing)
      : ends_(std::move(ends)), missing_(std::move(missing)) {}

  const std::unique_ptr<ScratchFile> ends_;
  const std::unique_ptr<ScratchFile> missing_;
  uint64_t count_ = 0;
};

// The ends of one part in memory: a hash table with open addressing, filled once.
class EndTable {
 public:
  // The parts that ends must be read in so that a table takes at most about `memory_bytes`; fewer
  // than 2^32.
  static uint64_t PartsFor(uint64_t count, uint64_t memory_bytes);
  // In which of `parts` a fingerprint lies.
  static uint64_t PartOf(const Fingerprint& fingerprint, uint64_t parts) {
    return (fingerprint.second >> 32) * parts >> 32;
  }

  // Reads one part of the file. INTERNAL when two ids have one fingerprint.
  static absl::StatusOr<std::unique_ptr<EndTable>> Load(const EndFile& file, uint64_t part,
                                                        uint64_t parts);

  // Null when it is not here.
  const End* Find(const Fingerprint& fingerprint) const {
    for (size_t at = Home(fingerprint);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.fingerprint == fingerprint) return &slot.end;
      if (slot.fingerprint.first == 0) return nullptr;
    }
  }
  void Prefetch(const Fingerprint& fingerprint) const {
    __builtin_prefetch(&slots_[Home(fingerprint)]);
  }

 private:
  struct Slot {
    Fingerprint fingerprint;
    End end;
  };

  // `slots` is a power of two.
  explicit EndTable(size_t slots) : slots_(slots), mask_(slots - 1) {}
  // The lowest bit of `first` is always set: an empty slot has 0 there.
  size_t Home(const Fingerprint& fingerprint) const { return fingerprint.first >> 1 & mask_; }

  std::vector<Slot> slots_;
  const size_t mask_;
};

}  // namespace relations
