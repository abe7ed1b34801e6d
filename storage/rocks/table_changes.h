// What one write adds to the tables that a store holds in memory: node numbers, visibility classes,
// labels, counters. REQUIRES: the caller holds the store's writer mutex from construction to the
// end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_types.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

class TableChanges {
 public:
  // `store` is not owned and must outlive this.
  explicit TableChanges(RocksGraphStore* store);

  NodeId NewNode() { return NodeId{next_node_++}; }
  // The node that the next NewNode gives.
  NodeId next_node() const { return NodeId{next_node_}; }
  void AddEntities(const std::string& type, int64_t count) { entities_added_[type] += count; }
  void AddRelations(int64_t count) { relations_added_ += count; }

  // The class of a canonical set of groups, or the label of a relation type, old or new.
  absl::StatusOr<ClassId> Intern(const GroupSet& groups);
  absl::StatusOr<LabelId> InternLabel(const std::string& text);
  // The groups of a class that is stored or came from Intern; DATA_LOSS when there is no such
  // class. Valid until the next Intern or Publish.
  absl::StatusOr<const GroupSet*> Groups(ClassId visibility) const;

  // The records of `meta` that change, in the order of their keys.
  std::map<std::string, std::string> ChangedCounters() const;
  // Makes new classes and labels durable and known, before the write that uses them: a reader whose
  // snapshot holds a record can then always tell its class. One that stays unused does no harm.
  absl::Status Publish();
  // Makes the new counters known, after the write.
  void Commit();

 private:
  RocksGraphStore* const store_;
  uint64_t next_node_;
  int64_t relations_added_ = 0;
  std::map<std::string, int64_t> entities_added_;
  std::vector<GroupSet> new_classes_;
  absl::flat_hash_map<GroupSet, ClassId> new_class_ids_;
  std::vector<std::string> new_labels_;
  absl::flat_hash_map<std::string, LabelId> new_label_ids_;
};

}  // namespace relations
