#include "storage/rocks/integrity.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "relations/store/v1/credential.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"
#include "storage/entity_wire.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

class Checker {
 public:
  Checker(RocksDatabase* database, const IntegrityOptions* options)
      : database_(database), options_(options), snapshot_(database->TakeSnapshot()) {
    read_options_.snapshot = snapshot_.get();
    read_options_.fill_cache = false;
  }

  absl::StatusOr<IntegrityReport> Run() {
    Step("tables", [this] { CheckTables(); });
    Step("entities", [this] { CheckEntities(); });
    Step("ids", [this] { CheckIds(); });
    Step("relations", [this] { CheckRelations(); });
    Step("adjacency", [this] { CheckAdjacency(); });
    Step("credentials", [this] { CheckCredentials(); });
    Step("changes", [this] { CheckChanges(); });
    Step("counters", [this] { CheckCounters(); });
    return std::move(report_);
  }

 private:
  template <typename Check>
  void Step(absl::string_view name, const Check& check) {
    if (options_->progress) options_->progress(name);
    check();
  }

  void Find(std::string finding) {
    ++report_.finding_count;
    if (report_.findings.size() < options_->max_findings) {
      report_.findings.push_back(std::move(finding));
    }
  }

  void Find(Family family, absl::string_view key, absl::string_view what) {
    Find(absl::StrCat(FamilyName(family), " ", absl::BytesToHexString(key.substr(0, 96)), ": ",
                      what));
  }

  // Visits every key of a family. A fault of RocksDB ends the family with a finding.
  template <typename Visit>
  void ForEach(Family family, const Visit& visit) {
    const std::unique_ptr<rocksdb::Iterator> iterator(
        database_->db().NewIterator(read_options_, database_->family(family)));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      visit(View(iterator->key()), View(iterator->value()));
    }
    if (!iterator->status().ok()) {
      Find(absl::StrCat(FamilyName(family), ": ", iterator->status().ToString()));
    }
  }

  // The value of a key in the snapshot; empty when it is missing or not readable (a finding).
  std::optional<std::string> Read(Family family, const std::string& key) {
    std::string value;
    const rocksdb::Status status =
        database_->db().Get(read_options_, database_->family(family), key, &value);
    if (status.ok()) return value;
    if (!status.IsNotFound()) Find(family, key, status.ToString());
    return std::nullopt;
  }

  void CheckTables() {
    uint32_t next_class = 1;
    std::map<GroupSet, uint32_t> sets = {{GroupSet{"public"}, 0}};
    ForEach(Family::kVisibility, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<uint32_t> number = NumberOfKey(key);
      const absl::StatusOr<GroupSet> groups = DecodeGroups(value);
      if (!number.ok() || *number != next_class) Find(Family::kVisibility, key, "out of order");
      if (!groups.ok() || !sets.emplace(*groups, next_class).second) {
        Find(Family::kVisibility, key, "not a set of groups of its own");
      }
      ++next_class;
    });
    classes_ = next_class;
    std::map<std::string, uint32_t> texts;
    ForEach(Family::kLabels, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<uint32_t> number = NumberOfKey(key);
      if (!number.ok() || *number != labels_) Find(Family::kLabels, key, "out of order");
      if (value.empty() || !texts.emplace(std::string(value), labels_).second) {
        Find(Family::kLabels, key, "not a label of its own");
      }
      ++labels_;
    });
  }

  void CheckEntities() {
    const std::optional<std::string> next = Read(Family::kMeta, kNextNodeKey);
    const absl::StatusOr<uint64_t> next_node =
        next.has_value() ? DecodeNumber(*next) : absl::StatusOr<uint64_t>(1);
    if (!next_node.ok()) Find("meta next_node: not a number");
    ForEach(Family::kEntities, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<NodeId> node = NodeOfKey(key);
      const absl::StatusOr<EntityRecord> record = DecodeEntityRecord(value);
      if (!node.ok() || !record.ok()) return Find(Family::kEntities, key, "not an entity record");
      if (next_node.ok() && static_cast<uint64_t>(*node) >= *next_node) {
        Find(Family::kEntities, key, "a node beyond next_node");
      }
      const bool goes = record->visibility == kNobodyClass;
      if (goes && !Read(Family::kMeta, RevisionKey(*node)).has_value()) {
        Find(Family::kEntities, key, "visible to nobody and not being deleted");
      }
      if (!goes && static_cast<uint32_t>(record->visibility) >= classes_) {
        Find(Family::kEntities, key, "an unknown visibility class");
      }
      relations::v1::Entity entity;
      if (!entity.ParseFromArray(record->wire.data(), static_cast<int>(record->wire.size())) ||
          !IsEntityId(entity.id()) || entity.visible_by_size() != 0 ||
          EncodeEntityRecord(entity, record->visibility, record->reporters) != value) {
        return Find(Family::kEntities, key, "not the canonical bytes of an entity");
      }
      const std::optional<std::string> back = Read(Family::kIds, IdKey(entity.id()));
      if (goes) {
        if (back.has_value() && *back == key) {
          Find(Family::kEntities, key, "being deleted, and ids still leads to it");
        }
        return;
      }
      ++report_.entities;
      ++types_[entity.type()];
      if (!back.has_value() || *back != key) {
        Find(Family::kEntities, key,
             absl::StrCat("ids does not lead ", entity.id(), " back to it"));
      }
    });
  }

  void CheckIds() {
    uint64_t ids = 0;
    ForEach(Family::kIds, [&](absl::string_view key, absl::string_view value) {
      ++ids;
      const absl::StatusOr<std::string> id = IdOfKey(key);
      if (!id.ok() || IdKey(*id) != key || !NodeOfKey(value).ok()) {
        return Find(Family::kIds, key, "not an id and its node");
      }
    });
    // Every entity leads to an id of its own, so equal numbers make the two inverse to each other.
    if (ids != report_.entities) {
      Find(absl::StrCat("ids: ", ids, " ids for ", report_.entities, " entities"));
    }
  }

  // Adds up an order-free hash of what each list must hold; CheckAdjacency takes what it finds
  // away.
  void CheckRelations() {
    ForEach(Family::kRelations, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<NodePair> pair = PairOfKey(key);
      const absl::StatusOr<std::vector<PairRelation>> relations = DecodePairRelations(value);
      if (!pair.ok() || !relations.ok()) {
        return Find(Family::kRelations, key, "not a pair record");
      }
      if (pair->source == pair->target) Find(Family::kRelations, key, "a relation to itself");
      for (const NodeId end : {pair->source, pair->target}) {
        if (!Exists(end)) Find(Family::kRelations, key, "an end without an entity");
      }
      const std::optional<std::string> reverse =
          Read(Family::kRelations, PairKey(pair->target, pair->source));
      const bool sole = relations->size() == 1 && !reverse.has_value();
      for (const PairRelation& relation : *relations) {
        ++report_.relations;
        if (static_cast<uint32_t>(relation.type) >= labels_) {
          Find(Family::kRelations, key, "an unknown label");
        }
        if (static_cast<uint32_t>(relation.visibility) >= classes_) {
          Find(Family::kRelations, key, "an unknown visibility class");
        }
        AdjacentRelation entry{relation.last_seen,   pair->target,  relation.type,
                               Direction::kOutgoing, relation.mode, sole};
        expected_ += EntryHash(pair->source, relation.visibility, entry);
        entry.neighbour = pair->source;
        entry.direction = Direction::kIncoming;
        expected_ += EntryHash(pair->target, relation.visibility, entry);
      }
    });
  }

  void CheckAdjacency() {
    ForEach(Family::kAdjacency, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<AdjacencyKey> parsed = ParseAdjacencyKey(key);
      if (!parsed.ok()) return Find(Family::kAdjacency, key, "not a key of a list");
      if (parsed->node != list_node_) {
        FinishLists();
        list_node_ = parsed->node;
      }
      if (parsed->is_directory()) return CheckDirectory(key, value);
      const bool is_new = apart_.empty() || apart_.back() != parsed->visibility;
      if (is_new) apart_.push_back(parsed->visibility);
      CheckBlock(key, *parsed, is_new, value);
    });
    FinishLists();
    if (entries_ != 2 * report_.relations || found_ != expected_) {
      Find(absl::StrCat("adjacency: ", entries_, " entries for ", report_.relations,
                        " relations, and they are not the two ends of each"));
    }
  }

  // The node at hand has no directory when there are blocks left.
  void FinishLists() {
    if (!apart_.empty()) {
      Find(Family::kAdjacency, NodeKey(list_node_), "lists without a directory");
    }
    apart_.clear();
  }

  void CheckDirectory(absl::string_view key, absl::string_view value) {
    const absl::StatusOr<ListDirectory> directory = DecodeListDirectory(value);
    if (!directory.ok() || directory->empty()) {
      apart_.clear();
      return Find(Family::kAdjacency, key, "not a directory of lists");
    }
    size_t held = 0;
    size_t named_apart = 0;
    for (const ListDirectory::List& list : directory->lists) {
      const bool has_blocks = std::binary_search(apart_.begin(), apart_.end(), list.visibility);
      if (list.apart() != has_blocks) {
        Find(Family::kAdjacency, key,
             has_blocks ? "a list both held and apart" : "a list that is named and not there");
      }
      if (list.apart()) {
        ++named_apart;
        continue;
      }
      held += CheckBlock(key, {list_node_, list.visibility, {}}, /*is_new=*/true, list.block);
      if (more_promised_) Find(Family::kAdjacency, key, "a held list that says that more follows");
    }
    if (!directory->others && named_apart < apart_.size()) {
      Find(Family::kAdjacency, key, "a list that is not named");
    }
    if (held > kDirectoryEntriesMax) Find(Family::kAdjacency, key, "too large a directory");
    apart_.clear();
  }

  // One block of a list, its first one when `is_new`. Returns how many entries it has.
  size_t CheckBlock(absl::string_view key, const AdjacencyKey& parsed, bool is_new,
                    absl::string_view value) {
    AdjacencyBlock block;
    if (!DecodeAdjacencyBlock(value, &block).ok()) {
      Find(Family::kAdjacency, key, "not an adjacency block");
      return 0;
    }
    if (static_cast<uint32_t>(parsed.visibility) >= classes_) {
      Find(Family::kAdjacency, key, "an unknown visibility class");
    }
    if (is_new) {
      last_entry_.clear();
      if (!parsed.boundary.empty()) {
        Find(Family::kAdjacency, key, "a list without its first block");
      }
    } else if (!more_promised_) {
      Find(Family::kAdjacency, key, "the block before says that none follows");
    }
    more_promised_ = block.more_may_follow;
    if (block.entries.empty() && !parsed.boundary.empty()) {
      Find(Family::kAdjacency, key, "an empty block");
    }
    for (const AdjacentRelation& entry : block.entries) {
      ++entries_;
      found_ += EntryHash(parsed.node, parsed.visibility, entry);
      const std::string id = IdOf(entry.neighbour);
      if (id.empty()) {
        Find(Family::kAdjacency, key, "a neighbour without an entity");
        continue;
      }
      std::string boundary = Boundary(entry.last_seen, id);
      if (boundary < parsed.boundary) {
        Find(Family::kAdjacency, key, "an entry before the block's boundary");
      }
      boundary += '\0';
      boundary += static_cast<char>(entry.direction);
      boundary += LabelKey(entry.type);
      boundary += static_cast<char>(entry.mode);
      if (!last_entry_.empty() && boundary <= last_entry_) {
        Find(Family::kAdjacency, key, "entries out of order");
      }
      last_entry_ = std::move(boundary);
    }
    return block.entries.size();
  }

  void CheckCredentials() {
    // Records and the index by id; credential_store.cc says which key is which.
    ForEach(Family::kCredentials, [&](absl::string_view key, absl::string_view value) {
      if (key.empty() || key.front() == 'i') return;
      ++report_.credentials;
      store::v1::CredentialRecord record;
      if (!record.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
          record.id().empty()) {
        Find(Family::kCredentials, key, "not a credential record");
      }
    });
  }

  void CheckCounters() {
    const auto number = [&](const std::string& key) -> uint64_t {
      const std::optional<std::string> value = Read(Family::kMeta, key);
      if (!value.has_value()) return 0;
      const absl::StatusOr<uint64_t> decoded = DecodeNumber(*value);
      if (!decoded.ok()) Find(Family::kMeta, key, "not a number");
      return decoded.value_or(0);
    };
    const uint64_t relations = number(kRelationCountKey);
    if (relations != report_.relations) {
      Find(absl::StrCat("meta: counts ", relations, " relations, there are ", report_.relations));
    }
    const absl::string_view prefix = kEntityCountPrefix;
    ForEach(Family::kMeta, [&](absl::string_view key, absl::string_view /*value*/) {
      if (key.substr(0, prefix.size()) == prefix) types_[std::string(key.substr(prefix.size()))];
      if (absl::StartsWith(key, kRevisionPrefix)) {
        const absl::StatusOr<NodeId> node = NodeOfRevisionKey(key);
        if (!node.ok() || !Exists(*node)) {
          Find(Family::kMeta, key, "a revision of a node without an entity");
        }
      }
    });
    for (const auto& [type, count] : types_) {
      const uint64_t counted = number(absl::StrCat(prefix, type));
      if (counted != count) {
        Find(absl::StrCat("meta: counts ", counted, " entities of type ", type, ", there are ",
                          count));
      }
    }
  }

  void CheckChanges() {
    if (!Read(Family::kMeta, kFeedKey).has_value()) Find("meta: the feed has no name");
    std::optional<uint64_t> last;
    ChangeTotals totals;
    ForEach(Family::kChanges, [&](absl::string_view key, absl::string_view value) {
      const absl::StatusOr<uint64_t> sequence = SequenceOfChangeKey(key);
      const absl::StatusOr<ChangeRecord> record = DecodeChanges(value);
      if (!sequence.ok() || !record.ok()) {
        Find(Family::kChanges, key, "not a record of changes");
        return;
      }
      const ChangeTotals& before = record->before;
      if (last.has_value() && (*sequence != *last + 1 || before.bytes != totals.bytes ||
                               before.changes != totals.changes)) {
        Find(Family::kChanges, key, "does not follow the record before");
      }
      last = *sequence;
      totals = TotalsAfter(*record, value);
      for (const LoggedChange& change : record->changes) {
        if (static_cast<uint32_t>(change.before.value_or(kPublicClass)) >= classes_ ||
            static_cast<uint32_t>(change.after.value_or(kPublicClass)) >= classes_ ||
            (change.is_relation && static_cast<uint32_t>(change.label) >= labels_)) {
          Find(Family::kChanges, key, "names an unknown class or label");
        }
      }
    });
  }

  bool Exists(NodeId node) { return !IdOf(node).empty(); }

  // The id of a node; empty when it has no entity. A bounded memory spares most reads.
  std::string IdOf(NodeId node) {
    const auto known = ids_.find(node);
    if (known != ids_.end()) return known->second;
    std::string id;
    if (const std::optional<std::string> value = Read(Family::kEntities, NodeKey(node))) {
      const absl::StatusOr<EntityRecord> record = DecodeEntityRecord(*value);
      const absl::StatusOr<EntityHead> head =
          record.ok() ? ReadEntityHead(record->wire) : absl::StatusOr<EntityHead>(record.status());
      if (head.ok()) id = std::string(head->id);
    }
    if (ids_.size() >= kIdsMax) ids_.clear();
    ids_.emplace(node, id);
    return id;
  }

  static uint64_t EntryHash(NodeId node, ClassId visibility, const AdjacentRelation& entry) {
    return absl::HashOf(node, visibility, entry.last_seen, entry.neighbour, entry.type,
                        entry.direction, entry.mode, entry.sole);
  }

  static constexpr size_t kIdsMax = 1'000'000;

  RocksDatabase* const database_;
  const IntegrityOptions* const options_;
  const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  rocksdb::ReadOptions read_options_;
  IntegrityReport report_;
  uint32_t classes_ = 1;
  uint32_t labels_ = 0;
  std::map<std::string, uint64_t> types_;
  absl::flat_hash_map<NodeId, std::string> ids_;
  uint64_t expected_ = 0;

  // Of the walk over `adjacency`: the node at hand, its lists that have blocks, by class, and where
  // the list at hand stands.
  NodeId list_node_{};
  std::vector<ClassId> apart_;
  bool more_promised_ = false;
  std::string last_entry_;
  uint64_t entries_ = 0;
  uint64_t found_ = 0;
};

}  // namespace

absl::StatusOr<IntegrityReport> CheckIntegrity(RocksDatabase& database,
                                               const IntegrityOptions& options) {
  return Checker(&database, &options).Run();
}

}  // namespace relations
