#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/rocks/bulk_entities.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/varint.h"

namespace relations {
namespace {

// Ids that are looked up together.
constexpr size_t kBatchIds = 512;
constexpr size_t kBatchBytes = 8 << 20;
constexpr size_t kArrivalBytes = 8;

absl::Status Damaged() { return absl::DataLossError("import: a gathered entity is damaged"); }

// A report's fields; views into its bytes.
struct Report {
  ImportPosition position;
  Instant last_seen;
  uint32_t group_set = 0;
  size_t offset = 0;
  absl::string_view wire;
};

// Steps over a position without making strings of it.
bool SkipPosition(absl::string_view* input) {
  uint64_t number = 0;
  if (!GetVarint(input, &number) || !GetVarint(input, &number) || !GetVarint(input, &number) ||
      number > input->size()) {
    return false;
  }
  input->remove_prefix(number);
  return true;
}

bool ParseFields(absl::string_view bytes, Report* report) {
  uint64_t group_set = 0;
  uint64_t offset = 0;
  if (!GetBulkTime(&bytes, &report->last_seen) || !GetVarint(&bytes, &group_set) ||
      !GetVarint(&bytes, &offset) || offset > bytes.size()) {
    return false;
  }
  report->group_set = static_cast<uint32_t>(group_set);
  report->offset = offset;
  report->wire = bytes;
  return true;
}

// The field `id` in front of what a report keeps.
void PutIdField(absl::string_view id, std::string& out) {
  out += static_cast<char>((v1::Entity::kIdFieldNumber << 3) | 2);
  PutVarint(id.size(), out);
  out.append(id.data(), id.size());
}

// Reads many keys; `use(i, value)` for each that is there.
template <typename Use>
absl::Status ReadBatch(const RocksDatabase& database, Family family,
                       const std::vector<std::string>& keys, const Use& use) {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  database.db().MultiGet(options, database.family(family), keys.size(), slices.data(),
                         values.data(), statuses.data());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    RETURN_IF_ERROR(FromRocks(statuses[i], "reading for an import"));
    RETURN_IF_ERROR(use(i, absl::string_view(values[i].data(), values[i].size())));
  }
  return absl::OkStatus();
}

}  // namespace

BulkEntityMerge::BulkEntityMerge(BulkEntities* gathered, Context context)
    : gathered_(gathered),
      context_(std::move(context)),
      store_is_empty_(context_.changes->next_node() == NodeId{1}),
      batch_(kBatchIds),
      new_ids_(context_.scratch, context_.worker, context_.memory_bytes / 4),
      changed_(context_.scratch, context_.worker, context_.memory_bytes / 8) {}

absl::StatusOr<uint64_t> BulkEntityMerge::Run() {
  BulkSorter& sorter = gathered_->sorter_;
  RETURN_IF_ERROR(sorter.Finish());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, sorter.Next());
    if (!more) break;
    const absl::string_view key = sorter.key();
    const absl::string_view id = key.substr(0, key.size() - kArrivalBytes - 1);
    if (batch_size_ == 0 || batch_[batch_size_ - 1].id != id) {
      if (batch_size_ == kBatchIds || batch_bytes_ > kBatchBytes) RETURN_IF_ERROR(FlushBatch());
      Candidate& candidate = batch_[batch_size_++];
      candidate.id.assign(id.data(), id.size());
      candidate.report.clear();
      candidate.merged.reset();
      candidate.node = NodeId{0};
      candidate.stored.clear();
    }
    if (sorter.payload().empty()) continue;
    batch_bytes_ += sorter.payload().size();
    RETURN_IF_ERROR(AddReport(sorter.payload(), &batch_[batch_size_ - 1]));
  }
  RETURN_IF_ERROR(FlushBatch());
  for (const auto& [type, count] : types_) context_.changes->AddEntities(type, count);
  RETURN_IF_ERROR(WriteSorted());
  return entities_;
}

absl::Status BulkEntityMerge::AddReport(absl::string_view report, Candidate* candidate) const {
  if (candidate->report.empty()) {
    candidate->report.assign(report.data(), report.size());
    return absl::OkStatus();
  }
  if (!candidate->merged.has_value()) {
    ASSIGN_OR_RETURN(candidate->merged, ParseReport(candidate->id, candidate->report));
  }
  ASSIGN_OR_RETURN(const relations::v1::Entity again, ParseReport(candidate->id, report));
  relations::v1::Entity merged = *candidate->merged;
  const absl::Status status = MergeReport(again, &merged);
  if (status.ok()) {
    candidate->merged = std::move(merged);
    return absl::OkStatus();
  }
  ImportPosition position;
  if (!gathered_->positions_->Get(&report, &position)) return Damaged();
  return context_.reject(position, status.message());
}

absl::Status BulkEntityMerge::FlushBatch() {
  if (!store_is_empty_) RETURN_IF_ERROR(LookUp());
  for (size_t i = 0; i < batch_size_; ++i) RETURN_IF_ERROR(Emit(batch_[i]));
  batch_size_ = 0;
  batch_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status BulkEntityMerge::LookUp() {
  std::vector<std::string> keys;
  keys.reserve(batch_size_);
  for (size_t i = 0; i < batch_size_; ++i) keys.push_back(IdKey(batch_[i].id));
  std::vector<Candidate*> found;
  RETURN_IF_ERROR(ReadBatch(*context_.database, Family::kIds, keys,
                            [&](size_t i, absl::string_view value) -> absl::Status {
                              ASSIGN_OR_RETURN(batch_[i].node, NodeOfKey(value));
                              found.push_back(&batch_[i]);
                              return absl::OkStatus();
                            }));
  keys.clear();
  for (const Candidate* candidate : found) keys.push_back(NodeKey(candidate->node));
  RETURN_IF_ERROR(ReadBatch(*context_.database, Family::kEntities, keys,
                            [&](size_t i, absl::string_view value) {
                              found[i]->stored.assign(value.data(), value.size());
                              return absl::OkStatus();
                            }));
  for (const Candidate* candidate : found) {
    if (candidate->stored.empty()) {
      return absl::DataLossError(absl::StrCat(candidate->id, " has a node but no record"));
    }
  }
  return absl::OkStatus();
}

absl::Status BulkEntityMerge::Emit(Candidate& candidate) {
  if (candidate.node != NodeId{0}) return EmitStored(candidate);
  if (!candidate.report.empty()) return EmitNew(candidate);
  return context_.ends->AddMissing((*context_.fingerprint)(candidate.id), candidate.id);
}

absl::Status BulkEntityMerge::EmitNew(Candidate& candidate) {
  ClassId visibility{};
  Instant last_seen;
  if (candidate.merged.has_value()) {
    ASSIGN_OR_RETURN(visibility, ClassOf(*candidate.merged));
    record_ = EncodeEntityRecord(*candidate.merged, visibility);
    if (record_.size() > limits::kEntityRecordBytesMax) {
      return RejectFirst(
          candidate, absl::StrCat("together, the reports of ", candidate.id, " are larger than ",
                                  limits::kEntityRecordBytesMax, " bytes"));
    }
    last_seen = InstantOf(TimeOf(candidate.merged->last_seen()));
  } else {
    absl::string_view bytes = candidate.report;
    Report report;
    if (!SkipPosition(&bytes) || !ParseFields(bytes, &report)) return Damaged();
    ASSIGN_OR_RETURN(visibility, ClassOf(report.group_set));
    last_seen = report.last_seen;
    std::string& id_field = candidate.report;
    std::string wire(report.wire);
    const size_t offset = report.offset;
    id_field.clear();
    PutIdField(candidate.id, id_field);
    record_.clear();
    PutVarint(static_cast<uint32_t>(visibility), record_);
    PutVarint(id_field.size() + offset, record_);
    record_ += id_field;
    record_ += wire;
  }
  const NodeId node = context_.changes->NewNode();
  if (static_cast<uint64_t>(node) - static_cast<uint64_t>(context_.node_ids->first_new()) >=
          kNewNodesMax ||
      static_cast<uint64_t>(node) >= kBulkNodesMax) {
    return absl::ResourceExhaustedError("more new entities than one import can take");
  }
  RETURN_IF_ERROR(context_.entity_output->Put(NodeKey(node), record_));
  RETURN_IF_ERROR(context_.node_ids->Add(candidate.id));
  std::string number;
  PutBulkNode(node, number);
  RETURN_IF_ERROR(new_ids_.Add(IdKey(candidate.id), number));
  ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(record_));
  ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
  ++types_[head.type];
  ++entities_;
  return AddEnd(candidate.id, node, last_seen, visibility);
}

absl::Status BulkEntityMerge::EmitStored(Candidate& candidate) {
  ASSIGN_OR_RETURN(const EntityRecord before, DecodeEntityRecord(candidate.stored));
  ASSIGN_OR_RETURN(relations::v1::Entity entity, ParseStored(candidate.stored));
  ClassId visibility = before.visibility;
  if (!candidate.report.empty()) {
    if (!candidate.merged.has_value()) {
      ASSIGN_OR_RETURN(candidate.merged, ParseReport(candidate.id, candidate.report));
    }
    relations::v1::Entity merged = entity;
    absl::Status status = MergeReport(*candidate.merged, &merged);
    if (status.ok()) {
      ASSIGN_OR_RETURN(visibility, ClassOf(merged));
      record_ = EncodeEntityRecord(merged, visibility, before.reporters);
      if (record_.size() > limits::kEntityRecordBytesMax) {
        status = absl::InvalidArgumentError(absl::StrCat("together with what is known already, ",
                                                         candidate.id, " is larger than ",
                                                         limits::kEntityRecordBytesMax, " bytes"));
      }
    }
    if (status.ok()) {
      ++entities_;
      if (merged.type() != entity.type()) {
        --types_[entity.type()];
        ++types_[merged.type()];
      }
      if (record_ != candidate.stored) {
        std::string number;
        PutBulkNode(candidate.node, number);
        RETURN_IF_ERROR(changed_.Add(number, record_));
      }
      entity = std::move(merged);
    } else {
      visibility = before.visibility;
      RETURN_IF_ERROR(RejectFirst(candidate, status.message()));
    }
  }
  return AddEnd(candidate.id, candidate.node, InstantOf(TimeOf(entity.last_seen())), visibility);
}

absl::Status BulkEntityMerge::AddEnd(absl::string_view id, NodeId node, const Instant& last_seen,
                                     ClassId visibility) {
  End end;
  end.node = node;
  end.last_seen = last_seen;
  end.visibility = visibility;
  if (context_.node_ids->IsNew(node)) {
    end.order = OrderOfNew(node, context_.node_ids->first_new());
    order_before_ = end.order + (uint64_t{1} << 32);
    stored_since_ = 0;
  } else {
    if (stored_since_ > UINT32_MAX) {
      return absl::ResourceExhaustedError("more stored entities than one import can touch");
    }
    end.order = order_before_ + stored_since_++;
  }
  return context_.ends->Add((*context_.fingerprint)(id), end);
}

absl::StatusOr<relations::v1::Entity> BulkEntityMerge::ParseReport(absl::string_view id,
                                                                   absl::string_view bytes) const {
  Report report;
  relations::v1::Entity entity;
  if (!SkipPosition(&bytes) || !ParseFields(bytes, &report) ||
      report.group_set >= gathered_->group_sets_.size() ||
      !entity.ParseFromArray(report.wire.data(), static_cast<int>(report.wire.size()))) {
    return Damaged();
  }
  entity.set_id(std::string(id));
  const GroupSet& groups = gathered_->group_sets_.value(report.group_set);
  entity.mutable_visible_by()->Assign(groups.begin(), groups.end());
  return entity;
}

absl::StatusOr<relations::v1::Entity> BulkEntityMerge::ParseStored(
    const std::string& record) const {
  ASSIGN_OR_RETURN(const EntityRecord stored, DecodeEntityRecord(record));
  ASSIGN_OR_RETURN(const GroupSet* groups, context_.changes->Groups(stored.visibility));
  relations::v1::Entity entity;
  if (!entity.ParseFromArray(stored.wire.data(), static_cast<int>(stored.wire.size()))) {
    return absl::DataLossError("an entity record does not parse");
  }
  entity.mutable_visible_by()->Assign(groups->begin(), groups->end());
  return entity;
}

absl::StatusOr<ClassId> BulkEntityMerge::ClassOf(uint32_t group_set) {
  if (group_set >= gathered_->group_sets_.size()) return Damaged();
  if (group_set >= classes_.size()) classes_.resize(gathered_->group_sets_.size());
  std::optional<ClassId>& known = classes_[group_set];
  if (!known.has_value()) {
    ASSIGN_OR_RETURN(known, context_.changes->Intern(gathered_->group_sets_.value(group_set)));
  }
  return *known;
}

absl::StatusOr<ClassId> BulkEntityMerge::ClassOf(const relations::v1::Entity& entity) const {
  return context_.changes->Intern(GroupSet(entity.visible_by().begin(), entity.visible_by().end()));
}

absl::Status BulkEntityMerge::RejectFirst(const Candidate& candidate,
                                          absl::string_view reason) const {
  absl::string_view report = candidate.report;
  ImportPosition position;
  if (!gathered_->positions_->Get(&report, &position)) return Damaged();
  return context_.reject(position, reason);
}

absl::Status BulkEntityMerge::WriteSorted() {
  RETURN_IF_ERROR(context_.entity_output->Finish());
  RETURN_IF_ERROR(changed_.Finish());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed_.Next());
    if (!more) break;
    RETURN_IF_ERROR(context_.entity_output->Put(NodeKey(BulkNodeAt(changed_.key().data())),
                                                changed_.payload()));
  }
  RETURN_IF_ERROR(context_.entity_output->Finish());
  RETURN_IF_ERROR(new_ids_.Finish());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, new_ids_.Next());
    if (!more) break;
    RETURN_IF_ERROR(
        context_.id_output->Put(new_ids_.key(), NodeKey(BulkNodeAt(new_ids_.payload().data()))));
  }
  return context_.id_output->Finish();
}

}  // namespace relations
