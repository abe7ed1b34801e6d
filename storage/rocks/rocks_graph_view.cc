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

// One MultiGet. Calls `use(index, value)` for each key that is there.
template <typename Use>
absl::Status ReadBatch(const RocksDatabase& database, const rocksdb::ReadOptions& options,
                       Family family, const std::vector<std::string>& keys, const Use& use) {
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database.db().MultiGet(options, database.family(family), keys.size(), slices.data(),
                         values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], absl::StrCat("reading family ", FamilyName(family))));
    RETURN_IF_ERROR(use(i, View(values[i])));
  }
  return absl::OkStatus();
}

std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot(rocksdb::DB& db) {
  return {db.GetSnapshot(),
          [&db](const rocksdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
}

rocksdb::ReadOptions SnapshotOptions(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.verify_checksums = true;
  return options;
}

}  // namespace

RocksGraphView::RocksGraphView(const RocksGraphStore* store)
    : store_(store),
      database_(store->database_),
      snapshot_(TakeSnapshot(database_->db())),
      read_options_(SnapshotOptions(snapshot_.get())),
      adjacency_(database_, read_options_, [this](NodeId node) -> absl::StatusOr<std::string> {
        std::string id;
        RETURN_IF_ERROR(ReadBatch(*database_, read_options_, Family::kEntities, {NodeKey(node)},
                                  [&](size_t, absl::string_view value) -> absl::Status {
                                    ASSIGN_OR_RETURN(const EntityRecord record,
                                                     DecodeEntityRecord(value));
                                    ASSIGN_OR_RETURN(const EntityHead head,
                                                     ReadEntityHead(record.wire));
                                    id = std::string(head.id);
                                    return absl::OkStatus();
                                  }));
        if (id.empty()) {
          return absl::DataLossError(absl::StrCat("an adjacency list names node ",
                                                  static_cast<uint64_t>(node),
                                                  ", which has no entity"));
        }
        return id;
      }) {}

absl::StatusOr<std::optional<NodeId>> RocksGraphView::Resolve(absl::string_view id) {
  std::optional<NodeId> node;
  RETURN_IF_ERROR(ReadBatch(*database_, read_options_, Family::kIds, {IdKey(id)},
                            [&](size_t, absl::string_view value) -> absl::Status {
                              ASSIGN_OR_RETURN(node, NodeOfKey(value));
                              return absl::OkStatus();
                            }));
  return node;
}

absl::Status RocksGraphView::Scan(absl::Span<const ScanRequest> requests,
                                  const VisibleClasses& visible, ScanSink& sink) {
  return adjacency_.Scan(requests, visible, sink);
}

absl::Status RocksGraphView::Get(absl::Span<const NodeId> nodes, EntitySink& sink) {
  std::vector<std::string> keys;
  keys.reserve(nodes.size());
  for (const NodeId node : nodes) keys.push_back(NodeKey(node));
  return ReadBatch(*database_, read_options_, Family::kEntities, keys,
                   [&](size_t index, absl::string_view value) -> absl::Status {
                     ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value));
                     sink.OnEntity(index, record);
                     return absl::OkStatus();
                   });
}

absl::Status RocksGraphView::GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) {
  std::vector<std::string> keys;
  keys.reserve(pairs.size());
  for (const NodePair& pair : pairs) keys.push_back(PairKey(pair.source, pair.target));
  return ReadBatch(*database_, read_options_, Family::kRelations, keys,
                   [&](size_t index, absl::string_view value) -> absl::Status {
                     ASSIGN_OR_RETURN(const std::vector<PairRelation> relations,
                                      DecodePairRelations(value));
                     sink.OnPair(index, relations);
                     return absl::OkStatus();
                   });
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
