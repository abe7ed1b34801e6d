// From the STIX objects that count to a graph: references resolved, statements made relations (S5).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/import/graph_draft.h"
#include "storage/import/import_run.h"
#include "storage/import/stix_set.h"

namespace relations {

// Not thread-safe; made for one use.
class StixGraph {
 public:
  // `revoked_ids` are known but stand for nothing.
  StixGraph(StixEntries entries, absl::flat_hash_set<std::string> revoked_ids);

  absl::Status Emit(ImportRun& run);

 private:
  using Node = GraphDraft::Node;

  struct Item {
    std::unique_ptr<StixEntry> entry;
    // Of the draft, one for each part of the object.
    std::vector<Node> nodes;
  };

  // Objects that tell no time of their own get the latest of those that refer to them.
  void DateByMention();
  absl::Status DraftItem(Item& item, ImportRun& run);
  absl::Status DraftStatements(const Item& item, ImportRun& run);
  // A reference to an id that is not in the set.
  bool IsKnown(absl::string_view id) const;
  // The entities that `id` or `item` stands for, itself and by its references, each once.
  // INVALID_ARGUMENT when they are more than limits::kImportPairsMax.
  absl::StatusOr<std::vector<Node>> EntitiesOf(absl::string_view id) const;
  absl::StatusOr<std::vector<Node>> EntitiesOf(const Item& item) const;
  absl::StatusOr<std::vector<Node>> Closure(std::vector<const Item*> reached) const;

  std::vector<std::unique_ptr<Item>> items_;
  absl::flat_hash_map<absl::string_view, std::vector<const Item*>> by_id_;
  absl::flat_hash_set<std::string> revoked_ids_;
  GraphDraft draft_;
};

}  // namespace relations
