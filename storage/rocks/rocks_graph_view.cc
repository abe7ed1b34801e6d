#include "storage/rocks/rocks_graph_view.h"

#include <shared_mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {
RocksGraphView::RocksGraphView(RocksGraphStore* store)
    : store_(store), reader_(store->database_, &store->cache_), adjacency_(&reader_) {}

absl::StatusOr<std::optional<NodeId>> RocksGraphView::Resolve(absl::string_view id) {
  return reader_.ReadNode(id);
}

absl::Status RocksGraphView::Scan(absl::Span<const ScanRequest> requests,
                                  const VisibleClasses& visible, ScanSink& sink) {
  return adjacency_.Scan(requests, visible, sink);
}

absl::Status RocksGraphView::Get(absl::Span<const NodeId> nodes, EntitySink& sink) {
  RETURN_IF_ERROR(reader_.ReadEntities(nodes, &values_));
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i]->record().empty()) continue;
    ASSIGN_OR_RETURN(EntityRecord record, DecodeEntityRecord(values_[i]->record()));
    record.owner = std::move(values_[i]);
    sink.OnEntity(i, std::move(record));
  }
  return absl::OkStatus();
}

absl::Status RocksGraphView::GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) {
  RETURN_IF_ERROR(reader_.ReadPairs(pairs, &values_));
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i]->record().empty()) continue;
    ASSIGN_OR_RETURN(const PairRecords records, SplitPairRecords(pairs[i], values_[i]->record()));
    for (const Direction direction : {Direction::kOutgoing, Direction::kIncoming}) {
      const absl::string_view record =
          direction == Direction::kOutgoing ? records.outgoing : records.incoming;
      if (record.empty()) continue;
      ASSIGN_OR_RETURN(const std::vector<PairRelation> relations, DecodePairRelations(record));
      sink.OnPair(i, direction, relations);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> RocksGraphView::LabelText(LabelId label) {
  const std::shared_lock<std::shared_mutex> lock(store_->tables_mutex_);
  const auto index = static_cast<size_t>(label);
  if (index >= store_->labels_.size()) {
    return absl::DataLossError(absl::StrCat("a relation has the unknown label ", index));
  }
  return absl::string_view(store_->labels_[index]);
}

absl::StatusOr<const GroupSet*> RocksGraphView::ClassGroups(ClassId visibility) {
  const std::shared_lock<std::shared_mutex> lock(store_->tables_mutex_);
  const GroupSet* const groups = store_->classes_.Groups(visibility);
  if (groups == nullptr) {
    return absl::DataLossError(absl::StrCat("a record has the unknown visibility class ",
                                            static_cast<uint32_t>(visibility)));
  }
  return groups;
}

}  // namespace relations
