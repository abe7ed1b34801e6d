#include "storage/rocks/rocks_feed_reader.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/feed_limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

// Changes whose records are read together: at most so many entities of the largest size are held.
constexpr size_t kReadTogether = 32;
// Bytes of the log that one call of Next reads before it lets others have their turn.
constexpr size_t kBytesPerCall = 1 << 20;

using Keys = std::vector<std::string>;
using Values = absl::flat_hash_map<std::string, std::string>;

absl::Status ReadAll(const RocksDatabase& database, const rocksdb::ReadOptions& options,
                     Family family, const Keys& keys, Values* found) {
  if (keys.empty()) return absl::OkStatus();
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database.db().MultiGet(options, database.family(family), keys.size(), slices.data(),
                         values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], absl::StrCat("reading family ", FamilyName(family))));
    found->emplace(keys[i], values[i].ToString());
  }
  return absl::OkStatus();
}

void SortUnique(Keys* keys) {
  std::sort(keys->begin(), keys->end());
  keys->erase(std::unique(keys->begin(), keys->end()), keys->end());
}

}  // namespace

struct RocksFeedReader::Records {
  // By key.
  Values entities;
  Values pairs;
};

absl::Status RocksFeedReader::Begin() {
  const RocksDatabase& database = *store_->database_;
  rocksdb::DB* const db = &database.db();
  Page page;
  page.snapshot = std::shared_ptr<const rocksdb::Snapshot>(
      db->GetSnapshot(),
      [db](const rocksdb::Snapshot* snapshot) { db->ReleaseSnapshot(snapshot); });
  page.options.snapshot = page.snapshot.get();
  std::string name;
  RETURN_IF_ERROR(FromRocks(db->Get(page.options, database.family(Family::kMeta), kFeedKey, &name),
                            "reading the name of the feed"));
  if (name != position_.feed) {
    return FeedRestart("much was changed at once, by an import or a restore");
  }
  page.log.reset(db->NewIterator(page.options, database.family(Family::kChanges)));
  // From the record before the place: the newest one is always there.
  page.log->Seek(ChangeKey(position_.sequence));
  const bool at_start = position_.sequence == 0;
  uint64_t found = 0;
  if (page.log->Valid()) {
    ASSIGN_OR_RETURN(found, SequenceOfChangeKey(View(page.log->key())));
    if (found == position_.sequence) page.log->Next();
  }
  RETURN_IF_ERROR(FromRocks(page.log->status(), "reading changes"));
  const bool follows = found == position_.sequence || found == position_.sequence + 1;
  if (!follows && !(at_start && found == 0)) {
    return FeedRestart("what was changed since is not kept any more");
  }
  ASSIGN_OR_RETURN(page.visible, store_->ClassesVisibleTo(groups_));
  page_ = std::move(page);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::WatchResponse>> RocksFeedReader::Next() {
  if (!page_.has_value()) {
    RETURN_IF_ERROR(Begin());
  }
  Page& page = *page_;
  size_t bytes = 0;
  while (page.log->Valid()) {
    if (bytes >= kBytesPerCall) return std::optional<v1::WatchResponse>();
    bytes += page.log->value().size();
    ASSIGN_OR_RETURN(const uint64_t sequence, SequenceOfChangeKey(View(page.log->key())));
    if (sequence != position_.sequence + 1) {
      return absl::DataLossError(absl::StrCat("change ", position_.sequence + 1, " is missing"));
    }
    ASSIGN_OR_RETURN(const ChangeRecord record, DecodeChanges(View(page.log->value())));
    RETURN_IF_ERROR(Take(record));
    if (position_.change < record.changes.size()) break;
    position_.sequence = sequence;
    position_.change = 0;
    page.log->Next();
  }
  RETURN_IF_ERROR(FromRocks(page.log->status(), "reading changes"));
  page.message.set_current(!page.log->Valid());
  std::optional<v1::WatchResponse> message = std::move(page.message);
  page_.reset();
  return message;
}

bool RocksFeedReader::IsFull() const {
  return page_->changes >= limits::kFeedPageChangesMax || page_->bytes >= limits::kFeedPageBytesMax;
}

absl::Status RocksFeedReader::Take(const ChangeRecord& record) {
  while (position_.change < record.changes.size()) {
    const absl::Span<const LoggedChange> some =
        absl::MakeConstSpan(record.changes).subspan(position_.change, kReadTogether);
    std::vector<bool> concerns;
    std::vector<LoggedChange> wanted;
    for (const LoggedChange& change : some) {
      ASSIGN_OR_RETURN(const bool concerns_caller, Concerns(change));
      concerns.push_back(concerns_caller);
      if (concerns_caller) wanted.push_back(change);
    }
    Records records;
    RETURN_IF_ERROR(Read(wanted, &records));
    for (size_t i = 0; i < some.size(); ++i) {
      // A page ends before the next change that the caller sees, not at one that he does not.
      if (concerns[i] && IsFull()) return absl::OkStatus();
      if (concerns[i]) {
        RETURN_IF_ERROR(some[i].is_relation ? TellRelation(some[i], records)
                                            : TellEntity(some[i], records));
      }
      ++position_.change;
    }
  }
  return absl::OkStatus();
}

bool RocksFeedReader::Sees(std::optional<ClassId> visibility) const {
  return visibility.has_value() && page_->visible->Contains(*visibility);
}

absl::StatusOr<GroupSet> RocksFeedReader::GroupsSeen(ClassId visibility) const {
  const std::shared_lock<std::shared_mutex> lock(store_->tables_mutex_);
  const GroupSet* const all = store_->classes_.Groups(visibility);
  if (all == nullptr) {
    return absl::DataLossError(absl::StrCat("a record has the unknown visibility class ",
                                            static_cast<uint32_t>(visibility)));
  }
  return SharedGroups(*all, groups_);
}

absl::StatusOr<std::string> RocksFeedReader::LabelText(LabelId label) const {
  const std::shared_lock<std::shared_mutex> lock(store_->tables_mutex_);
  const auto index = static_cast<size_t>(label);
  if (index < store_->labels_.size()) return store_->labels_[index];
  return absl::DataLossError(absl::StrCat("a change has the unknown label ", index));
}

absl::StatusOr<bool> RocksFeedReader::Concerns(const LoggedChange& change) const {
  const bool before = Sees(change.before);
  const bool after = Sees(change.after);
  if (!before || !after) return before || after;
  if (change.differs) return true;
  if (change.is_relation) return false;
  ASSIGN_OR_RETURN(const GroupSet groups_before, GroupsSeen(*change.before));
  ASSIGN_OR_RETURN(const GroupSet groups_after, GroupsSeen(*change.after));
  return groups_before != groups_after;
}

absl::Status RocksFeedReader::Read(absl::Span<const LoggedChange> changes, Records* records) {
  Keys nodes;
  Keys pairs;
  for (const LoggedChange& change : changes) {
    if (change.is_relation) {
      pairs.push_back(PairKey(change.source, change.target));
      for (const NodeId end : {change.source, change.target}) {
        if (!page_->known.contains(end)) nodes.push_back(NodeKey(end));
      }
    } else {
      nodes.push_back(NodeKey(change.node));
    }
  }
  SortUnique(&nodes);
  SortUnique(&pairs);
  const RocksDatabase& database = *store_->database_;
  RETURN_IF_ERROR(ReadAll(database, page_->options, Family::kEntities, nodes, &records->entities));
  RETURN_IF_ERROR(ReadAll(database, page_->options, Family::kRelations, pairs, &records->pairs));
  for (const std::string& key : nodes) {
    ASSIGN_OR_RETURN(const NodeId node, NodeOfKey(key));
    Entity& entity = page_->known[node];
    const auto value = records->entities.find(key);
    if (value == records->entities.end()) continue;
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value->second));
    ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
    entity.visible = Sees(record.visibility);
    entity.id = std::string(head.id);
  }
  return absl::OkStatus();
}

absl::Status RocksFeedReader::TellEntity(const LoggedChange& change, const Records& records) {
  Page& page = *page_;
  // Even if it is visible again: its relations went with it.
  if (Sees(change.before) && !Sees(change.after) && page.gone.insert(change.node).second) {
    page.message.add_gone_entities(change.id);
    page.bytes += change.id.size();
    ++page.changes;
  }
  // What is not visible any more was taken away by this change or will be by a later one.
  if (!page.known.at(change.node).visible || !page.told.insert(change.node).second) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const EntityRecord record,
                   DecodeEntityRecord(records.entities.at(NodeKey(change.node))));
  v1::Entity& entity = *page.message.add_entities();
  if (!entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size()))) {
    return absl::DataLossError("an entity record does not parse");
  }
  ASSIGN_OR_RETURN(const GroupSet groups, GroupsSeen(record.visibility));
  entity.mutable_visible_by()->Assign(groups.begin(), groups.end());
  page.bytes += record.wire.size();
  ++page.changes;
  return absl::OkStatus();
}

absl::Status RocksFeedReader::TellRelation(const LoggedChange& change, const Records& records) {
  Page& page = *page_;
  const Entity& source = page.known.at(change.source);
  const Entity& target = page.known.at(change.target);
  // With an end that is gone it went too, and that is told of the end.
  if (!source.visible || !target.visible) return absl::OkStatus();
  std::optional<PairRelation> now;
  const auto pair = records.pairs.find(PairKey(change.source, change.target));
  if (pair != records.pairs.end()) {
    ASSIGN_OR_RETURN(const std::vector<PairRelation> relations, DecodePairRelations(pair->second));
    for (const PairRelation& relation : relations) {
      if (relation.type == change.label && relation.mode == change.mode) now = relation;
    }
  }
  const bool is_visible = now.has_value() && Sees(now->visibility);
  const bool went = Sees(change.before) && !Sees(change.after);
  if (!is_visible && !went) return absl::OkStatus();
  const RelationId id{change.source, change.target, change.label, change.mode};
  if (!page.told_relations.insert(id).second) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string type, LabelText(change.label));
  const std::string mode(RelationModeName(change.mode));
  page.bytes += source.id.size() + target.id.size() + type.size();
  ++page.changes;
  if (!is_visible) {
    v1::RelationSelection& gone = *page.message.add_gone_relations();
    gone.set_source(source.id);
    gone.set_target(target.id);
    gone.set_type(type);
    gone.set_mode(mode);
    return absl::OkStatus();
  }
  v1::Relation& relation = *page.message.add_relations();
  relation.set_source(source.id);
  relation.set_target(target.id);
  relation.set_type(type);
  relation.set_mode(mode);
  *relation.mutable_last_seen() = TimestampOf(now->last_seen);
  return absl::OkStatus();
}

}  // namespace relations
