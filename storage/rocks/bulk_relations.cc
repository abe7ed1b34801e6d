#include "storage/rocks/bulk_relations.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr uint8_t kMode = 1;
constexpr uint8_t kHasTime = 2;
constexpr uint8_t kHasGroups = 4;
constexpr size_t kEndsBytes = 2 * sizeof(Fingerprint);
constexpr size_t kReadBufferBytes = 1 << 20;
// Frames whose slots are fetched together: memory answers them at the same time.
constexpr size_t kPrefetched = 32;

absl::Status Damaged() { return absl::DataLossError("import: the spool of relations is damaged"); }

Fingerprint FingerprintAt(const char* bytes) {
  Fingerprint fingerprint;
  std::memcpy(&fingerprint, bytes, sizeof fingerprint);
  return fingerprint;
}

absl::Status Unknown() {
  return absl::InternalError("import: two ids share half a fingerprint; run the import again");
}

}  // namespace

absl::Status BulkRelations::Add(const ImportedRelation& relation, const ImportPosition& position) {
  if (relation.type.empty() || relation.type.size() > limits::kRelationTypeBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a relation's type must have 1 to ", limits::kRelationTypeBytesMax, " bytes"));
  }
  if (relation.last_seen.has_value() && !IsTimestamp(*relation.last_seen)) {
    return absl::InvalidArgumentError("lastSeen is out of range");
  }
  if (spool_ == nullptr) {
    ASSIGN_OR_RETURN(spool_, scratch_->NewFile());
  }
  RETURN_IF_ERROR(AddNames());
  const Fingerprint ends[] = {fingerprint_(relation.source), fingerprint_(relation.target)};
  names_[0].id = relation.source;
  names_[1].id = relation.target;
  for (size_t i = 0; i < names_.size(); ++i) {
    names_[i].fingerprint = ends[i];
    known_.Prefetch(ends[i]);
  }
  has_names_ = true;
  frame_.clear();
  frame_.append(reinterpret_cast<const char*>(ends), sizeof ends);
  frame_ += static_cast<char>((relation.mode == RelationMode::kAggregation ? kMode : 0) |
                              (relation.last_seen.has_value() ? kHasTime : 0) |
                              (relation.visible_by.has_value() ? kHasGroups : 0));
  PutVarint(types_.NumberOf(relation.type), frame_);
  if (relation.last_seen.has_value()) PutBulkTime(InstantOf(*relation.last_seen), frame_);
  if (relation.visible_by.has_value()) {
    PutVarint(entities_->group_sets().NumberOf(*relation.visible_by), frame_);
  }
  positions_->Put(position, frame_);
  return spool_->AppendFrame(frame_);
}

absl::Status BulkRelations::AddNames() {
  if (!has_names_) return absl::OkStatus();
  has_names_ = false;
  for (const Name& name : names_) {
    if (known_.Insert(name.fingerprint)) RETURN_IF_ERROR(entities_->AddMention(name.id));
  }
  return absl::OkStatus();
}

absl::Status BulkRelations::FinishNames() {
  RETURN_IF_ERROR(AddNames());
  known_.Clear();
  return absl::OkStatus();
}

absl::Status BulkJoin::Run() {
  if (gathered_->spool_ == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(gathered_->spool_->Flush());
  labels_.resize(gathered_->types_.size());
  const uint64_t parts = EndTable::PartsFor(context_.ends->count(), context_.memory_bytes);
  if (parts > 1) return JoinInParts(parts);
  ASSIGN_OR_RETURN(const std::unique_ptr<EndTable> table, EndTable::Load(*context_.ends, 0, 1));
  return JoinInOnePart(*table);
}

absl::Status BulkJoin::JoinInOnePart(const EndTable& table) {
  ScratchReader reader(gathered_->spool_.get(), kReadBufferBytes);
  std::vector<std::string> frames(kPrefetched);
  bool more = true;
  while (more) {
    size_t count = 0;
    while (count < kPrefetched) {
      absl::string_view frame;
      ASSIGN_OR_RETURN(more, reader.Next(&frame));
      if (!more) break;
      if (frame.size() < kEndsBytes) return Damaged();
      table.Prefetch(FingerprintAt(frame.data()));
      table.Prefetch(FingerprintAt(frame.data() + sizeof(Fingerprint)));
      frames[count++].assign(frame.data(), frame.size());
    }
    for (size_t i = 0; i < count; ++i) {
      const absl::string_view frame = frames[i];
      const End* const source = table.Find(FingerprintAt(frame.data()));
      const End* const target = table.Find(FingerprintAt(frame.data() + sizeof(Fingerprint)));
      if (source == nullptr || target == nullptr) return Unknown();
      RETURN_IF_ERROR(Resolve(*source, *target, frame.substr(kEndsBytes)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::unique_ptr<ScratchFile>>> BulkJoin::NewFiles(uint64_t count) const {
  std::vector<std::unique_ptr<ScratchFile>> files;
  for (uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(files.emplace_back(), context_.scratch->NewFile());
  }
  return files;
}

// Each frame goes to the part of its source, there its source becomes known, then to the part of
// its target.
absl::Status BulkJoin::JoinInParts(uint64_t parts) {
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<ScratchFile>> by_source, NewFiles(parts));
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<ScratchFile>> by_target, NewFiles(parts));
  const auto for_each = [](const ScratchFile& file, size_t head_bytes,
                           const auto& use) -> absl::Status {
    ScratchReader reader(&file, kReadBufferBytes);
    absl::string_view frame;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, reader.Next(&frame));
      if (!more) return absl::OkStatus();
      if (frame.size() < head_bytes) return Damaged();
      RETURN_IF_ERROR(use(frame));
    }
  };
  RETURN_IF_ERROR(for_each(*gathered_->spool_, kEndsBytes, [&](absl::string_view frame) {
    return by_source[EndTable::PartOf(FingerprintAt(frame.data()), parts)]->AppendFrame(frame);
  }));
  gathered_->spool_.reset();
  for (uint64_t part = 0; part < parts; ++part) {
    RETURN_IF_ERROR(by_source[part]->Flush());
    ASSIGN_OR_RETURN(const auto table, EndTable::Load(*context_.ends, part, parts));
    RETURN_IF_ERROR(for_each(*by_source[part], kEndsBytes, [&](absl::string_view frame) {
      const End* const source = table->Find(FingerprintAt(frame.data()));
      if (source == nullptr) return Unknown();
      const absl::string_view rest = frame.substr(sizeof(Fingerprint));
      return by_target[EndTable::PartOf(FingerprintAt(rest.data()), parts)]->AppendFrame(
          {reinterpret_cast<const char*>(source), sizeof *source}, rest);
    }));
    by_source[part].reset();
  }
  for (uint64_t part = 0; part < parts; ++part) {
    RETURN_IF_ERROR(by_target[part]->Flush());
    ASSIGN_OR_RETURN(const auto table, EndTable::Load(*context_.ends, part, parts));
    RETURN_IF_ERROR(
        for_each(*by_target[part], sizeof(End) + sizeof(Fingerprint), [&](absl::string_view frame) {
          End source;
          std::memcpy(static_cast<void*>(&source), frame.data(), sizeof source);
          const End* const target = table->Find(FingerprintAt(frame.data() + sizeof source));
          if (target == nullptr) return Unknown();
          return Resolve(source, *target, frame.substr(sizeof source + sizeof(Fingerprint)));
        }));
    by_target[part].reset();
  }
  return absl::OkStatus();
}

bool BulkJoin::ParseFact(absl::string_view bytes, Fact* fact) const {
  if (bytes.empty()) return false;
  const auto flags = static_cast<uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  fact->mode = (flags & kMode) != 0 ? RelationMode::kAggregation : RelationMode::kAssociation;
  uint64_t number = 0;
  if (!GetVarint(&bytes, &number) || number >= gathered_->types_.size()) return false;
  fact->type = static_cast<uint32_t>(number);
  if ((flags & kHasTime) != 0) {
    fact->last_seen.emplace();
    if (!GetBulkTime(&bytes, &*fact->last_seen)) return false;
  }
  if ((flags & kHasGroups) != 0) {
    if (!GetVarint(&bytes, &number) || number >= gathered_->entities_->group_sets().size()) {
      return false;
    }
    fact->group_set = static_cast<uint32_t>(number);
  }
  fact->position = bytes;
  return true;
}

absl::Status BulkJoin::Resolve(const End& source, const End& target, absl::string_view bytes) {
  Fact fact;
  if (!ParseFact(bytes, &fact)) return Damaged();
  if (source.missing() || target.missing()) {
    ASSIGN_OR_RETURN(const std::string id,
                     context_.ends->MissingId(source.missing() ? source : target));
    return Reject(fact, absl::StrCat("there is no entity ", id,
                                     " for this relation, neither stored nor in the import"));
  }
  // Never wider than either end: a relation that is visible has visible ends.
  std::optional<ClassId> visibility = source.visibility;
  if (source.visibility != target.visibility) {
    ASSIGN_OR_RETURN(visibility, Shared(source.visibility, target.visibility));
  }
  if (visibility.has_value() && fact.group_set.has_value()) {
    ASSIGN_OR_RETURN(visibility, Narrowed(*visibility, *fact.group_set));
  }
  if (!visibility.has_value()) {
    return Reject(fact, fact.group_set.has_value()
                            ? "nobody could see the relation: visibleBy names no group that both "
                              "of its entities share"
                            : "nobody could see the relation: its entities share no group");
  }
  std::optional<LabelId>& label = labels_[fact.type];
  if (!label.has_value()) {
    ASSIGN_OR_RETURN(label, context_.changes->InternLabel(gathered_->types_.value(fact.type)));
  }
  BulkListEntry entry;
  entry.node = source.node;
  entry.neighbour = target.node;
  entry.neighbour_order = target.order;
  entry.direction = Direction::kOutgoing;
  entry.label = *label;
  entry.mode = fact.mode;
  entry.visibility = *visibility;
  entry.last_seen = fact.last_seen.value_or(std::min(source.last_seen, target.last_seen));
  RETURN_IF_ERROR(context_.entries->Add(entry));
  std::swap(entry.node, entry.neighbour);
  entry.neighbour_order = source.order;
  entry.direction = Direction::kIncoming;
  return context_.entries->Add(entry);
}

absl::Status BulkJoin::Reject(const Fact& fact, absl::string_view reason) const {
  ImportPosition position;
  absl::string_view bytes = fact.position;
  if (!gathered_->positions_->Get(&bytes, &position)) return Damaged();
  return context_.reject(position, reason);
}

absl::StatusOr<std::optional<ClassId>> BulkJoin::Shared(ClassId a, ClassId b) {
  const auto [place, is_new] = shared_.emplace(
      std::make_pair(static_cast<uint32_t>(a), static_cast<uint32_t>(b)), std::nullopt);
  if (!is_new) return place->second;
  ASSIGN_OR_RETURN(const GroupSet* groups_a, context_.changes->Groups(a));
  ASSIGN_OR_RETURN(const GroupSet* groups_b, context_.changes->Groups(b));
  const GroupSet groups = SharedGroups(*groups_a, *groups_b);
  if (groups.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(place->second, context_.changes->Intern(groups));
  return place->second;
}

absl::StatusOr<std::optional<ClassId>> BulkJoin::Narrowed(ClassId shared, uint32_t group_set) {
  const auto [place, is_new] =
      narrowed_.emplace(std::make_pair(static_cast<uint32_t>(shared), group_set), std::nullopt);
  if (!is_new) return place->second;
  ASSIGN_OR_RETURN(const GroupSet* groups_shared, context_.changes->Groups(shared));
  const GroupSet groups =
      SharedGroups(*groups_shared, gathered_->entities_->group_sets().value(group_set));
  if (groups.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(place->second, context_.changes->Intern(groups));
  return place->second;
}

}  // namespace relations
