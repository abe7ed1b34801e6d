#include "storage/rocks/bulk_lists.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/varint.h"

namespace relations {
namespace {

// Pairs whose stored records are read together.
constexpr size_t kBatchPairs = 1024;
constexpr size_t kEntryKeyBytes = 16;

absl::Status TooManyRelations() {
  return absl::InvalidArgumentError(
      absl::StrCat("two entities are joined by more than ", limits::kRelationsPerPairMax,
                   " relations of different type or mode in one direction"));
}

absl::Status Damaged() { return absl::DataLossError("import: a sorted list entry is damaged"); }

auto TypeAndMode(const PairRelation& relation) {
  return std::make_tuple(relation.type, relation.mode);
}

bool SameRelation(const PairRelation& a, const PairRelation& b) {
  return TypeAndMode(a) == TypeAndMode(b) && a.visibility == b.visibility &&
         a.last_seen == b.last_seen;
}

bool HasSame(const std::vector<PairRelation>& relations, const PairRelation& relation) {
  return std::any_of(relations.begin(), relations.end(),
                     [&](const PairRelation& other) { return SameRelation(relation, other); });
}

// Key and payload of an edit in the sorter of a large node; the key orders as Precedes does.
//   key      u32 class | instant, inverted (9) | u64 order | u8 direction | u32 label | u8 mode
//              | u8 kind
//   payload  node (5 bytes) | u8 sole
std::string EditKey(const BulkListEdit& edit) {
  std::string key = ClassKey(edit.visibility);
  key += Boundary(TimeOf(edit.last_seen), {});
  PutU64(edit.neighbour_order, key);
  key += static_cast<char>(edit.direction);
  PutU32(static_cast<uint32_t>(edit.label), key);
  key += static_cast<char>(edit.mode);
  key += static_cast<char>(edit.kind);
  return key;
}

bool ParseEdit(absl::string_view key, absl::string_view payload, BulkListEdit* edit) {
  uint32_t visibility = 0;
  uint32_t label = 0;
  if (!GetU32(&key, &visibility) || key.size() != kInstantBytes + 15 || payload.size() != 6) {
    return false;
  }
  std::string instant(key.substr(0, kInstantBytes));
  key.remove_prefix(kInstantBytes);
  for (char& c : instant) c = static_cast<char>(~c);
  absl::string_view instant_view = instant;
  absl::Time time;
  if (!GetInstant(&instant_view, &time) || !GetU64(&key, &edit->neighbour_order)) return false;
  edit->last_seen = InstantOf(time);
  edit->visibility = ClassId{visibility};
  edit->direction = static_cast<Direction>(key.front());
  key.remove_prefix(1);
  if (!GetU32(&key, &label)) return false;
  edit->label = LabelId{label};
  edit->mode = static_cast<RelationMode>(key[0]);
  edit->kind = static_cast<BulkListEdit::Kind>(key[1]);
  edit->neighbour = BulkNodeAt(payload.data());
  edit->sole = payload[5] != 0;
  return true;
}

}  // namespace

absl::Status BulkListEntries::Add(const BulkListEntry& entry) {
  key_.clear();
  PutBulkNode(entry.node, key_);
  PutBulkNode(entry.neighbour, key_);
  key_ += static_cast<char>(entry.direction);
  PutU32(static_cast<uint32_t>(entry.label), key_);
  key_ += static_cast<char>(entry.mode);
  payload_.clear();
  PutVarint(static_cast<uint32_t>(entry.visibility), payload_);
  PutBulkTime(entry.last_seen, payload_);
  // Of a new node the number tells: its order is odd in the upper half and 0 in the lower.
  if ((entry.neighbour_order >> 32 & 1) == 0) PutVarint(entry.neighbour_order, payload_);
  return sorter_.Add(key_, payload_);
}

absl::StatusOr<bool> BulkListEntries::Next(const BulkNodeIds& node_ids, BulkListEntry* entry) {
  ASSIGN_OR_RETURN(const bool more, sorter_.Next());
  if (!more) return false;
  absl::string_view key = sorter_.key();
  absl::string_view payload = sorter_.payload();
  uint32_t label = 0;
  uint64_t visibility = 0;
  if (key.size() != kEntryKeyBytes) return Damaged();
  entry->node = BulkNodeAt(key.data());
  entry->neighbour = BulkNodeAt(key.data() + kBulkNodeBytes);
  key.remove_prefix(2 * kBulkNodeBytes);
  entry->direction = static_cast<Direction>(key.front());
  entry->mode = static_cast<RelationMode>(key.back());
  key.remove_prefix(1);
  if (!GetU32(&key, &label) || !GetVarint(&payload, &visibility) ||
      !GetBulkTime(&payload, &entry->last_seen)) {
    return Damaged();
  }
  entry->label = LabelId{label};
  entry->visibility = ClassId{static_cast<uint32_t>(visibility)};
  if (node_ids.IsNew(entry->neighbour)) {
    entry->neighbour_order = OrderOfNew(entry->neighbour, node_ids.first_new());
  } else if (!GetVarint(&payload, &entry->neighbour_order)) {
    return Damaged();
  }
  return true;
}

BulkLists::BulkLists(BulkListEntries* entries, const Context& context)
    : source_(entries),
      context_(context),
      writer_(context.database, context.node_ids, context.adjacency_output),
      pairs_(kBatchPairs) {}

absl::StatusOr<uint64_t> BulkLists::Run() {
  RETURN_IF_ERROR(source_->Finish());
  BulkListEntry entry;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, source_->Next(*context_.node_ids, &entry));
    if (!more) break;
    RETURN_IF_ERROR(Take(entry));
  }
  RETURN_IF_ERROR(FlushPairs());
  RETURN_IF_ERROR(FinishNode());
  RETURN_IF_ERROR(writer_.Finish());
  RETURN_IF_ERROR(context_.relation_output->Finish());
  RETURN_IF_ERROR(context_.adjacency_output->Finish());
  return relations_;
}

absl::Status BulkLists::Take(const BulkListEntry& entry) {
  Pair* pair = pair_count_ == 0 ? nullptr : &pairs_[pair_count_ - 1];
  if (pair == nullptr || pair->node != entry.node || pair->neighbour != entry.neighbour) {
    if (pair_count_ == kBatchPairs) RETURN_IF_ERROR(FlushPairs());
    pair = &pairs_[pair_count_++];
    pair->node = entry.node;
    pair->neighbour = entry.neighbour;
    pair->neighbour_order = entry.neighbour_order;
    pair->begin = entries_.size();
    pair->stored_out.clear();
    pair->stored_in.clear();
  } else {
    Entry& last = entries_.back();
    if (last.direction == entry.direction && last.relation.type == entry.label &&
        last.relation.mode == entry.mode) {
      last.relation.last_seen = std::max(last.relation.last_seen, TimeOf(entry.last_seen));
      ASSIGN_OR_RETURN(last.relation.visibility,
                       United(last.relation.visibility, entry.visibility));
      return absl::OkStatus();
    }
    if (entries_.size() - pair->begin >= 2 * limits::kRelationsPerPairMax) {
      return TooManyRelations();
    }
  }
  if (entry.direction == Direction::kOutgoing) ++relations_;
  entries_.push_back(
      {entry.direction, {entry.label, entry.mode, entry.visibility, TimeOf(entry.last_seen)}});
  return absl::OkStatus();
}

absl::Status BulkLists::FlushPairs() {
  RETURN_IF_ERROR(LoadStored());
  for (size_t i = 0; i < pair_count_; ++i) {
    RETURN_IF_ERROR(
        WritePair(pairs_[i], i + 1 < pair_count_ ? pairs_[i + 1].begin : entries_.size()));
  }
  pair_count_ = 0;
  entries_.clear();
  return absl::OkStatus();
}

absl::Status BulkLists::LoadStored() {
  std::vector<std::string> keys;
  std::vector<std::vector<PairRelation>*> wanted;
  for (size_t i = 0; i < pair_count_; ++i) {
    Pair& pair = pairs_[i];
    // What is stored has stored ends.
    if (context_.node_ids->IsNew(pair.node) || context_.node_ids->IsNew(pair.neighbour)) continue;
    keys.push_back(PairKey(pair.node, pair.neighbour));
    wanted.push_back(&pair.stored_out);
    keys.push_back(PairKey(pair.neighbour, pair.node));
    wanted.push_back(&pair.stored_in);
  }
  if (keys.empty()) return absl::OkStatus();
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  context_.database->db().MultiGet(rocksdb::ReadOptions(),
                                   context_.database->family(Family::kRelations), keys.size(),
                                   slices.data(), values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], "reading relations"));
    ASSIGN_OR_RETURN(*wanted[i], DecodePairRelations({values[i].data(), values[i].size()}));
  }
  return absl::OkStatus();
}

absl::Status BulkLists::WriteNewPair(const Pair& pair, size_t end) {
  after_out_.clear();
  const bool sole = end - pair.begin == 1;
  for (size_t i = pair.begin; i < end; ++i) {
    const Entry& entry = entries_[i];
    if (entry.direction == Direction::kOutgoing) after_out_.push_back(entry.relation);
    RETURN_IF_ERROR(
        AddEdit(pair, entry.direction, BulkListEdit::Kind::kInsert, entry.relation, sole));
  }
  if (std::max(after_out_.size(), end - pair.begin - after_out_.size()) >
      limits::kRelationsPerPairMax) {
    return TooManyRelations();
  }
  if (after_out_.empty()) return absl::OkStatus();
  context_.changes->AddRelations(after_out_.size());
  return context_.relation_output->Put(PairKey(pair.node, pair.neighbour),
                                       EncodePairRelations(after_out_));
}

absl::Status BulkLists::WritePair(const Pair& pair, size_t end) {
  if (pair.stored_out.empty() && pair.stored_in.empty()) return WriteNewPair(pair, end);
  after_out_ = pair.stored_out;
  after_in_ = pair.stored_in;
  bool out_changes = false;
  for (size_t i = pair.begin; i < end; ++i) {
    const Entry& entry = entries_[i];
    std::vector<PairRelation>& after =
        entry.direction == Direction::kOutgoing ? after_out_ : after_in_;
    RETURN_IF_ERROR(Unite(entry.relation, &after));
    out_changes |= entry.direction == Direction::kOutgoing;
  }
  if (out_changes && !std::equal(pair.stored_out.begin(), pair.stored_out.end(), after_out_.begin(),
                                 after_out_.end(), SameRelation)) {
    context_.changes->AddRelations(after_out_.size() - pair.stored_out.size());
    RETURN_IF_ERROR(context_.relation_output->Put(PairKey(pair.node, pair.neighbour),
                                                  EncodePairRelations(after_out_)));
  }
  const bool sole_before = pair.stored_out.size() + pair.stored_in.size() == 1;
  const bool sole_after = after_out_.size() + after_in_.size() == 1;
  RETURN_IF_ERROR(
      EditLists(pair, Direction::kOutgoing, pair.stored_out, sole_before, after_out_, sole_after));
  return EditLists(pair, Direction::kIncoming, pair.stored_in, sole_before, after_in_, sole_after);
}

absl::Status BulkLists::Unite(const PairRelation& relation, std::vector<PairRelation>* relations) {
  const auto place = std::lower_bound(
      relations->begin(), relations->end(), relation,
      [](const PairRelation& a, const PairRelation& b) { return TypeAndMode(a) < TypeAndMode(b); });
  if (place != relations->end() && TypeAndMode(*place) == TypeAndMode(relation)) {
    place->last_seen = std::max(place->last_seen, relation.last_seen);
    ASSIGN_OR_RETURN(place->visibility, United(place->visibility, relation.visibility));
    return absl::OkStatus();
  }
  if (relations->size() >= limits::kRelationsPerPairMax) {
    return TooManyRelations();
  }
  relations->insert(place, relation);
  return absl::OkStatus();
}

absl::Status BulkLists::EditLists(const Pair& pair, Direction direction,
                                  const std::vector<PairRelation>& before, bool sole_before,
                                  const std::vector<PairRelation>& after, bool sole_after) {
  const bool sole_stays = sole_before == sole_after;
  for (const PairRelation& relation : before) {
    if (sole_stays && HasSame(after, relation)) continue;
    RETURN_IF_ERROR(AddEdit(pair, direction, BulkListEdit::Kind::kRemove, relation, sole_before));
  }
  for (const PairRelation& relation : after) {
    if (sole_stays && HasSame(before, relation)) continue;
    RETURN_IF_ERROR(AddEdit(pair, direction, BulkListEdit::Kind::kInsert, relation, sole_after));
  }
  return absl::OkStatus();
}

absl::StatusOr<ClassId> BulkLists::United(ClassId a, ClassId b) {
  if (a == b) return a;
  const auto key = std::make_pair(static_cast<uint32_t>(a), static_cast<uint32_t>(b));
  const auto known = united_.find(key);
  if (known != united_.end()) return known->second;
  ASSIGN_OR_RETURN(const GroupSet* groups_a, context_.changes->Groups(a));
  ASSIGN_OR_RETURN(const GroupSet* groups_b, context_.changes->Groups(b));
  const GroupSet groups = UnitedGroups(*groups_a, *groups_b);
  ASSIGN_OR_RETURN(const ClassId united, context_.changes->Intern(groups));
  united_.emplace(key, united);
  return united;
}

absl::Status BulkLists::AddEdit(const Pair& pair, Direction direction, BulkListEdit::Kind kind,
                                const PairRelation& relation, bool sole) {
  if (pair.node != node_) {
    RETURN_IF_ERROR(FinishNode());
    node_ = pair.node;
  }
  BulkListEdit& edit = edits_.emplace_back();
  edit.visibility = relation.visibility;
  edit.label = relation.type;
  edit.last_seen = InstantOf(relation.last_seen);
  edit.neighbour = pair.neighbour;
  edit.neighbour_order = pair.neighbour_order;
  edit.direction = direction;
  edit.mode = relation.mode;
  edit.kind = kind;
  edit.sole = sole;
  return edits_.size() * sizeof(BulkListEdit) < context_.memory_bytes ? absl::OkStatus()
                                                                      : SpillEdits();
}

absl::Status BulkLists::SpillEdits() {
  if (spilled_ == nullptr) {
    spilled_ =
        std::make_unique<BulkSorter>(context_.scratch, context_.worker, context_.memory_bytes);
  }
  for (const BulkListEdit& edit : edits_) {
    std::string payload;
    PutBulkNode(edit.neighbour, payload);
    payload += edit.sole ? '\1' : '\0';
    RETURN_IF_ERROR(spilled_->Add(EditKey(edit), payload));
  }
  edits_.clear();
  return absl::OkStatus();
}

absl::Status BulkLists::FinishNode() {
  if (spilled_ == nullptr) {
    std::sort(edits_.begin(), edits_.end(), Precedes);
    for (const BulkListEdit& edit : edits_) RETURN_IF_ERROR(writer_.Add(node_, edit));
    edits_.clear();
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(SpillEdits());
  RETURN_IF_ERROR(spilled_->Finish());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, spilled_->Next());
    if (!more) break;
    BulkListEdit edit;
    if (!ParseEdit(spilled_->key(), spilled_->payload(), &edit)) return Damaged();
    RETURN_IF_ERROR(writer_.Add(node_, edit));
  }
  spilled_.reset();
  return absl::OkStatus();
}

}  // namespace relations
