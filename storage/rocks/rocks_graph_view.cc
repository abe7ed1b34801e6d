#include "storage/rocks/rocks_graph_view.h"

#include <shared_mutex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// The id in an entity record.
absl::StatusOr<std::string> IdOfRecord(NodeId node, absl::string_view value) {
  if (value.empty()) {
    return absl::DataLossError(absl::StrCat("an adjacency list names node ",
                                            static_cast<uint64_t>(node), ", which has no entity"));
  }
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value));
  ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
  return std::string(head.id);
}

}  // namespace

RocksGraphView::RocksGraphView(RocksGraphStore* store)
    : store_(store),
      reader_(store->database_, &store->cache_),
      adjacency_(&reader_, [this](NodeId node) -> absl::StatusOr<std::string> {
        const NodeCache::Key key{node, NodeCache::kEntitySlot};
        std::vector<NodeCache::Value> values;
        RETURN_IF_ERROR(reader_.Read({&key, 1}, &values));
        return IdOfRecord(node, values[0]->record);
      }) {}

absl::StatusOr<std::optional<NodeId>> RocksGraphView::Resolve(absl::string_view id) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = reader_.database().db().Get(
      reader_.read_options(), reader_.database().family(Family::kIds), IdKey(id), &value);
  if (status.IsNotFound()) return std::nullopt;
  RETURN_IF_ERROR(FromRocks(status, "reading ids"));
  ASSIGN_OR_RETURN(const NodeId node, NodeOfKey(View(value)));
  return node;
}

absl::Status RocksGraphView::Scan(absl::Span<const ScanRequest> requests,
                                  const VisibleClasses& visible, ScanSink& sink) {
  return adjacency_.Scan(requests, visible, sink);
}

absl::Status RocksGraphView::Get(absl::Span<const NodeId> nodes, EntitySink& sink) {
  std::vector<NodeCache::Key> keys;
  keys.reserve(nodes.size());
  for (const NodeId node : nodes) keys.push_back({node, NodeCache::kEntitySlot});
  std::vector<NodeCache::Value> values;
  RETURN_IF_ERROR(reader_.Read(keys, &values));
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]->record.empty()) continue;
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(values[i]->record));
    sink.OnEntity(i, record);
  }
  return absl::OkStatus();
}

absl::Status RocksGraphView::GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) {
  std::vector<std::string> keys;
  keys.reserve(pairs.size());
  for (const NodePair& pair : pairs) keys.push_back(PairKey(pair.source, pair.target));
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  reader_.database().db().MultiGet(reader_.read_options(),
                                   reader_.database().family(Family::kRelations), keys.size(),
                                   slices.data(), values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], "reading relations"));
    ASSIGN_OR_RETURN(const std::vector<PairRelation> relations,
                     DecodePairRelations(View(values[i])));
    sink.OnPair(i, relations);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RocksGraphView::LabelText(LabelId label) {
  const std::shared_lock<std::shared_mutex> lock(store_->tables_mutex_);
  const auto index = static_cast<size_t>(label);
  if (index >= store_->labels_.size()) {
    return absl::DataLossError(absl::StrCat("a relation has the unknown label ", index));
  }
  return store_->labels_[index];
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
