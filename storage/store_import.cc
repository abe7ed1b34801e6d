#include "storage/store_import.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <tuple>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/varint.h"

namespace relations {
namespace {

// A flush costs one synced write; these bound what waits for it.
constexpr size_t kPendingEntitiesMax = 20'000;
constexpr size_t kPendingBytesMax = 32 << 20;
constexpr size_t kRelationsPerBatch = 100'000;
// Ends that are remembered between batches; more are read from the store again.
constexpr size_t kEndsMax = 500'000;

template <typename... Parts>
std::pair<uint64_t, uint64_t> FingerprintOf(const Parts&... parts) {
  return {absl::HashOf(uint64_t{0x9E3779B97F4A7C15}, parts...),
          absl::HashOf(uint64_t{0xC2B2AE3D27D4EB4F}, parts...)};
}

void PutText(absl::string_view text, std::string& out) {
  PutVarint(text.size(), out);
  out.append(text.data(), text.size());
}

bool GetText(absl::string_view* input, std::string* text) {
  uint64_t length = 0;
  if (!GetVarint(input, &length) || length > input->size()) return false;
  text->assign(input->data(), length);
  input->remove_prefix(length);
  return true;
}

absl::Status Errno(absl::string_view doing) {
  return absl::ErrnoToStatus(errno, absl::StrCat("import: ", doing));
}

}  // namespace

// Relations that wait for all entities to be known: a file without a name, written once, read once.
class StoreImport::Scratch {
 public:
  static absl::StatusOr<std::unique_ptr<Scratch>> Create(const std::string& directory) {
    std::string path = directory + "/import-XXXXXX";
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0) return Errno(absl::StrCat("creating a scratch file in ", directory));
    unlink(path.c_str());
    std::FILE* const file = fdopen(descriptor, "w+b");
    if (file == nullptr) {
      close(descriptor);
      return Errno("opening the scratch file");
    }
    return std::unique_ptr<Scratch>(new Scratch(file));
  }

  absl::Status Append(const ImportedRelation& relation, const ImportPosition& position) {
    std::string record;
    PutText(relation.source, record);
    PutText(relation.target, record);
    PutText(relation.type, record);
    record += static_cast<char>(relation.mode);
    record += relation.last_seen.has_value() ? '\1' : '\0';
    if (relation.last_seen.has_value()) {
      const google::protobuf::Timestamp time = TimestampOf(*relation.last_seen);
      PutVarint(static_cast<uint64_t>(time.seconds()), record);
      PutVarint(static_cast<uint64_t>(time.nanos()), record);
    }
    record += relation.visible_by.has_value() ? '\1' : '\0';
    if (relation.visible_by.has_value()) {
      PutVarint(relation.visible_by->size(), record);
      for (const std::string& group : *relation.visible_by) PutText(group, record);
    }
    // Files are few: each is written once and named by its number.
    if (files_.empty() || files_.back() != position.file) files_.push_back(position.file);
    PutVarint(files_.size() - 1, record);
    PutVarint(position.line, record);
    PutText(position.where, record);
    const uint64_t size = record.size();
    if (std::fwrite(&size, sizeof size, 1, file_.get()) != 1 ||
        std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) {
      return Errno("writing the scratch file");
    }
    return absl::OkStatus();
  }

  absl::Status Rewind() {
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) return Errno("reading the scratch file");
    return absl::OkStatus();
  }

  // The next record; nothing at the end.
  absl::StatusOr<std::optional<PendingRelation>> Next() {
    uint64_t size = 0;
    if (std::fread(&size, sizeof size, 1, file_.get()) != 1) {
      if (std::ferror(file_.get()) != 0) return Errno("reading the scratch file");
      return std::nullopt;
    }
    std::string record(size, '\0');
    if (std::fread(record.data(), 1, size, file_.get()) != size) {
      return Errno("reading the scratch file");
    }
    PendingRelation pending;
    if (!Parse(record, &pending)) return absl::DataLossError("import: the scratch file is damaged");
    return pending;
  }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  explicit Scratch(std::FILE* file) : file_(file) {}

  bool Parse(absl::string_view record, PendingRelation* pending) const {
    ImportedRelation& relation = pending->relation;
    const auto get_byte = [&](char* byte) {
      if (record.empty()) return false;
      *byte = record.front();
      record.remove_prefix(1);
      return true;
    };
    char byte = 0;
    if (!GetText(&record, &relation.source) || !GetText(&record, &relation.target) ||
        !GetText(&record, &relation.type) || !get_byte(&byte)) {
      return false;
    }
    relation.mode = static_cast<RelationMode>(byte);
    if (!get_byte(&byte)) return false;
    if (byte != 0) {
      uint64_t seconds = 0;
      uint64_t nanos = 0;
      if (!GetVarint(&record, &seconds) || !GetVarint(&record, &nanos)) return false;
      relation.last_seen = absl::FromUnixSeconds(static_cast<int64_t>(seconds)) +
                           absl::Nanoseconds(static_cast<int64_t>(nanos));
    }
    if (!get_byte(&byte)) return false;
    if (byte != 0) {
      uint64_t count = 0;
      if (!GetVarint(&record, &count) || count > record.size()) return false;
      GroupSet groups(count);
      for (std::string& group : groups) {
        if (!GetText(&record, &group)) return false;
      }
      relation.visible_by = std::move(groups);
    }
    uint64_t file = 0;
    if (!GetVarint(&record, &file) || file >= files_.size() ||
        !GetVarint(&record, &pending->position.line) ||
        !GetText(&record, &pending->position.where)) {
      return false;
    }
    pending->position.file = files_[file];
    return record.empty();
  }

  const std::unique_ptr<std::FILE, CloseFile> file_;
  std::vector<std::string> files_;
};

StoreImport::StoreImport(GraphStore* store, Options options)
    : store_(store), options_(std::move(options)) {}

StoreImport::~StoreImport() = default;

absl::Status StoreImport::OnRejected(const ImportPosition& position, absl::string_view reason) {
  ++rejected_;
  if (options_.on_rejected) options_.on_rejected(position, reason);
  if (options_.strict) {
    return absl::InvalidArgumentError(
        position.line != 0 ? absl::StrCat(position.file, ":", position.line, ": ", reason)
                           : absl::StrCat(position.file, ": ", position.where, ": ", reason));
  }
  return absl::OkStatus();
}

void StoreImport::OnSkipped(absl::string_view kind) { ++skipped_[std::string(kind)]; }

absl::Status StoreImport::OnEntity(relations::v1::Entity entity, const ImportPosition& position) {
  const auto [place, is_new] = pending_index_.emplace(entity.id(), pending_.size());
  if (!is_new) {
    relations::v1::Entity merged = pending_[place->second].entity;
    const absl::Status status = MergeReport(entity, &merged);
    if (!status.ok()) return OnRejected(position, status.message());
    pending_[place->second].entity = std::move(merged);
    return absl::OkStatus();
  }
  pending_bytes_ += entity.ByteSizeLong();
  pending_.push_back({std::move(entity), position});
  if (pending_.size() < kPendingEntitiesMax && pending_bytes_ < kPendingBytesMax) {
    return absl::OkStatus();
  }
  return FlushEntities();
}

absl::Status StoreImport::OnRelation(ImportedRelation relation, const ImportPosition& position) {
  if (relation.source == relation.target) return absl::OkStatus();
  if (scratch_ == nullptr) {
    ASSIGN_OR_RETURN(scratch_, Scratch::Create(options_.scratch_directory));
  }
  return scratch_->Append(relation, position);
}

absl::Status StoreImport::FlushEntities() {
  if (pending_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphView> view, store_->View());
  Mutations mutations;
  for (PendingEntity& pending : pending_) {
    ASSIGN_OR_RETURN(std::optional<relations::v1::Entity> stored,
                     LoadEntity(*view, pending.entity.id()));
    const bool is_known = stored.has_value();
    if (is_known) {
      const absl::Status status = MergeReport(pending.entity, &*stored);
      if (!status.ok()) {
        RETURN_IF_ERROR(OnRejected(pending.position, status.message()));
        continue;
      }
    }
    mutations.entities.push_back({is_known ? *std::move(stored) : std::move(pending.entity)});
  }
  RETURN_IF_ERROR(store_->Apply(mutations));
  for (const PutEntity& put : mutations.entities) {
    seen_entities_.insert(FingerprintOf(put.entity.id()));
    // What was remembered of the entity before is out of date now.
    ends_.erase(put.entity.id());
    if (ends_.size() < kEndsMax) {
      ends_.emplace(put.entity.id(),
                    End{TimeOf(put.entity.last_seen()),
                        {put.entity.visible_by().begin(), put.entity.visible_by().end()}});
    }
  }
  pending_.clear();
  pending_index_.clear();
  pending_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<StoreImport::Counts> StoreImport::Finish() {
  RETURN_IF_ERROR(FlushEntities());
  if (scratch_ != nullptr) {
    RETURN_IF_ERROR(scratch_->Rewind());
    std::vector<PendingRelation> batch;
    while (true) {
      ASSIGN_OR_RETURN(std::optional<PendingRelation> pending, scratch_->Next());
      if (!pending.has_value()) break;
      batch.push_back(*std::move(pending));
      if (batch.size() == kRelationsPerBatch) {
        RETURN_IF_ERROR(FlushRelations(std::exchange(batch, {})));
      }
    }
    RETURN_IF_ERROR(FlushRelations(std::move(batch)));
  }
  return Counts{seen_entities_.size(), seen_relations_.size(), rejected_};
}

absl::StatusOr<const StoreImport::End*> StoreImport::FindEnd(GraphView& view,
                                                             const std::string& id) {
  const auto known = ends_.find(id);
  if (known != ends_.end()) return &known->second;
  ASSIGN_OR_RETURN(const std::optional<relations::v1::Entity> stored, LoadEntity(view, id));
  if (!stored.has_value()) return nullptr;
  if (ends_.size() >= kEndsMax) ends_.clear();
  return &ends_
              .emplace(id, End{TimeOf(stored->last_seen()),
                               {stored->visible_by().begin(), stored->visible_by().end()}})
              .first->second;
}

namespace {

using RelationKey = std::tuple<std::string, std::string, std::string, RelationMode>;

// Unites the relations of a batch with what is stored of them.
class StoredRelations : public PairSink {
 public:
  StoredRelations(GraphView* view, std::map<RelationKey, PutRelation>* relations)
      : view_(view), relations_(relations) {}

  absl::Status Merge() {
    std::vector<NodePair> pairs;
    const std::pair<std::string, std::string>* last = nullptr;
    for (const auto& [key, put] : *relations_) {
      if (last != nullptr && last->first == put.source && last->second == put.target) continue;
      ASSIGN_OR_RETURN(const NodeId source, NodeOf(put.source));
      ASSIGN_OR_RETURN(const NodeId target, NodeOf(put.target));
      pairs.push_back({source, target});
      ends_.emplace_back(put.source, put.target);
      last = &ends_.back();
    }
    RETURN_IF_ERROR(view_->GetPairs(pairs, *this));
    return status_;
  }

  void OnPair(size_t index, absl::Span<const PairRelation> relations) override {
    for (const PairRelation& stored : relations) {
      if (status_.ok()) status_ = MergeOne(index, stored);
    }
  }

 private:
  absl::Status MergeOne(size_t index, const PairRelation& stored) {
    ASSIGN_OR_RETURN(const std::string type, view_->LabelText(stored.type));
    const auto found = relations_->find(
        RelationKey{ends_[index].first, ends_[index].second, type, stored.mode});
    if (found == relations_->end()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const GroupSet* groups, view_->ClassGroups(stored.visibility));
    found->second.last_seen = std::max(found->second.last_seen, stored.last_seen);
    found->second.visible_by = UnitedGroups(found->second.visible_by, *groups);
    return absl::OkStatus();
  }

  absl::StatusOr<NodeId> NodeOf(const std::string& id) {
    const auto known = nodes_.find(id);
    if (known != nodes_.end()) return known->second;
    ASSIGN_OR_RETURN(const std::optional<NodeId> node, view_->Resolve(id));
    return nodes_.emplace(id, node.value_or(NodeId{0})).first->second;
  }

  GraphView* const view_;
  std::map<RelationKey, PutRelation>* const relations_;
  std::vector<std::pair<std::string, std::string>> ends_;
  absl::flat_hash_map<std::string, NodeId> nodes_;
  absl::Status status_;
};

}  // namespace

absl::Status StoreImport::FlushRelations(std::vector<PendingRelation> pending) {
  if (pending.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<GraphView> view, store_->View());
  std::map<RelationKey, PutRelation> relations;
  for (PendingRelation& item : pending) {
    ImportedRelation& relation = item.relation;
    ASSIGN_OR_RETURN(const End* found, FindEnd(*view, relation.source));
    // Copied: the next look-up may move it.
    const std::optional<End> source = found == nullptr ? std::nullopt : std::optional<End>(*found);
    ASSIGN_OR_RETURN(const End* target, FindEnd(*view, relation.target));
    if (!source.has_value() || target == nullptr) {
      RETURN_IF_ERROR(OnRejected(
          item.position, absl::StrCat("there is no entity ",
                                      source.has_value() ? relation.target : relation.source,
                                      " for this relation, neither stored nor in the import")));
      continue;
    }
    // Never wider than either end: a relation that is visible has visible ends.
    GroupSet groups = SharedGroups(source->visible_by, target->visible_by);
    if (relation.visible_by.has_value()) groups = SharedGroups(groups, *relation.visible_by);
    if (groups.empty()) {
      RETURN_IF_ERROR(OnRejected(
          item.position, relation.visible_by.has_value()
                             ? "nobody could see the relation: visibleBy names no group that both "
                               "of its entities share"
                             : "nobody could see the relation: its entities share no group"));
      continue;
    }
    const absl::Time last_seen =
        relation.last_seen.value_or(std::min(source->last_seen, target->last_seen));
    RelationKey key{relation.source, relation.target, relation.type, relation.mode};
    seen_relations_.insert(FingerprintOf(relation.source, relation.target, relation.type,
                                         static_cast<uint8_t>(relation.mode)));
    const auto [place, is_new] = relations.try_emplace(std::move(key));
    PutRelation& put = place->second;
    if (is_new) {
      put = PutRelation{std::move(relation.source), std::move(relation.target),
                        std::move(relation.type),   relation.mode,
                        last_seen,                  std::move(groups)};
    } else {
      put.last_seen = std::max(put.last_seen, last_seen);
      put.visible_by = UnitedGroups(put.visible_by, groups);
    }
  }
  RETURN_IF_ERROR(StoredRelations(view.get(), &relations).Merge());
  Mutations mutations;
  for (auto& [key, put] : relations) mutations.relations.push_back(std::move(put));
  return store_->Apply(mutations);
}

}  // namespace relations
