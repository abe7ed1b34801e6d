// One write of the RocksDB store: takes in the requests of a group one after another, each whole or
// not at all, and writes what they change together as one batch. REQUIRES: the caller holds the
// store's writer mutex from construction to the end.
//
//   GraphWriter writer(store);
//   RETURN_IF_ERROR(writer.Prepare(group));
//   for (const Mutations* request : group) statuses.push_back(writer.Add(*request));
//   RETURN_IF_ERROR(writer.Write());
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/write_batch.h"
#include "storage/graph_store.h"
#include "storage/rocks/adjacency_writer.h"
#include "storage/rocks/node_cache.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/rocks/table_changes.h"
#include "storage/rocks/write_overlay.h"

namespace relations {

class GraphWriter {
 public:
  // `store` is not owned and must outlive the writer.
  explicit GraphWriter(RocksGraphStore* store);

  // True for requests that read whole lists as they are stored: they must be the only one of their
  // group.
  static bool StandsAlone(const Mutations& mutations) {
    return !mutations.deleted_entities.empty() || !mutations.narrowed_entities.empty();
  }

  // Reads in a few batches what the requests of a group touch. Without it Add reads piece by piece.
  absl::Status Prepare(absl::Span<const Mutations* const> group);
  // Takes in all of a request or, when it gives an error, nothing.
  absl::Status Add(const Mutations& mutations);
  // Takes the next step of a revision that is under way.
  absl::Status AddRevision(NodeId node);
  // Makes all that was taken in durable and visible. Call once.
  absl::Status Write();

  // The batch was given to the disk, whatever came of it.
  bool reached_disk() const { return reached_disk_; }
  // The nodes whose revision Write has left unfinished.
  const absl::flat_hash_set<NodeId>& unfinished() const { return unfinished_; }

 private:
  using PairNodes = WriteOverlay::PairNodes;
  // One relation of a pair.
  struct Place {
    PairNodes nodes;
    LabelId type{};
    RelationMode mode = RelationMode::kAssociation;
  };

  // Each judges a part of a request and changes the overlay.
  absl::Status Delete(const DeleteEntity& deletion);
  absl::Status Delete(const DeleteRelations& deletion);
  absl::Status Narrow(const NarrowEntity& narrowing);
  absl::Status Narrow(const NarrowRelations& narrowing);
  absl::Status Put(const PutEntity& put);
  absl::Status Put(const PutRelation& put);
  absl::Status Report(const ReportEntity& report);
  absl::Status Report(const ReportRelation& report);
  template <typename Part>
  absl::Status AddAll(const std::vector<Part>& parts,
                      absl::Status (GraphWriter::*add)(const Part&));

  absl::Status SetRecord(const relations::v1::Entity& entity, const GroupSet& groups,
                         absl::string_view reporters);
  absl::Status SetRelation(const PairNodes& nodes, const PairRelation& relation,
                           absl::string_view whose);
  absl::StatusOr<relations::v1::Entity> Parse(const WriteOverlay::Entity& entity) const;
  absl::StatusOr<std::vector<Place>> Select(const RelationSelection& which);
  // Brings the relations of a node in line with its record, at most kRevisionStep of them.
  absl::Status Revise(NodeId node);
  // The relations in the stored lists of a node that `keep` does not cover.
  absl::StatusOr<std::vector<Place>> RelationsBeyond(NodeId node, const GroupSet& keep,
                                                     size_t most) const;
  // Leaves of a relation's groups those that are in `keep`; removes it when none is left.
  absl::Status Restrict(const Place& place, const GroupSet& keep);

  // Each turns a part of the overlay into operations of the batch.
  absl::Status WriteEntities();
  absl::Status WritePairs();
  void EditLists(const PairNodes& nodes, const WriteOverlay::PairChange& change, bool sole_before,
                 bool sole_after);
  absl::Status WriteLists();
  absl::Status DeleteLists(NodeId node);
  // Comes last: a batch that changes nothing else is not written for it.
  absl::Status WriteChanges();
  absl::Status PutRecord(Family family, absl::string_view key, absl::string_view value);
  absl::Status DeleteRecord(Family family, absl::string_view key);

  RocksGraphStore* const store_;
  rocksdb::WriteBatch batch_;
  TableChanges changes_;
  WriteOverlay overlay_;
  std::map<NodeId, NodeEdits> edits_;
  absl::flat_hash_set<NodeId> unfinished_;
  absl::flat_hash_set<NodeId> finished_;
  absl::flat_hash_set<NodeId> gone_;
  bool reached_disk_ = false;
  // Relations come back that the feed told nothing of since it said that they went.
  bool feed_broken_ = false;
  // What the node cache must forget.
  std::vector<NodeCache::Key> changed_;
};

}  // namespace relations
