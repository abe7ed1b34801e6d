#include "storage/import/graph_draft.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/json_text.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"
#include "storage/import/thing.h"
#include "storage/import/timestamp_text.h"

namespace relations {
namespace {

// Absent is earlier than every time.
void Advance(std::optional<absl::Time>& latest, const std::optional<absl::Time>& time) {
  latest = std::max(latest, time);
}

bool IsTag(absl::string_view tag) {
  return !tag.empty() && tag.size() <= limits::kTagBytesMax && IsValidUtf8(tag) &&
         std::none_of(tag.begin(), tag.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

uint32_t GraphDraft::FileNumber(const std::string& file) {
  const auto [entry, is_new] =
      file_numbers_.try_emplace(file, static_cast<uint32_t>(files_.size()));
  if (is_new) {
    files_.push_back(file);
  }
  return entry->second;
}

GraphDraft::Node GraphDraft::AddEntity(const TypedValue& value, const Mention& mention,
                                       const ImportPosition& position) {
  const uint32_t file = FileNumber(position.file);
  const auto [entry, is_new] = nodes_.try_emplace(absl::StrCat(value.type, ":", value.value),
                                                  static_cast<Node>(entities_.size()));
  const Node node = entry->second;
  if (is_new) {
    EntityDraft draft;
    draft.value = value;
    draft.place = {file, position.where};
    entities_.push_back(std::move(draft));
  }
  EntityDraft& draft = entities_[node];
  Advance(draft.timestamp, mention.timestamp);
  Advance(draft.last_seen, mention.last_seen.has_value() ? mention.last_seen : mention.timestamp);
  for (const std::string& tag : mention.tags) {
    if (IsTag(tag)) {
      draft.tags.insert(tag);
      if (draft.tags.size() > limits::kTagsMax) {
        draft.tags.erase(std::prev(draft.tags.end()));
      }
    }
  }
  // Of several places the least by name: which file came first must not matter.
  if (std::tie(position.file, position.where) <
      std::tie(files_[draft.place.file], draft.place.where)) {
    draft.place = {file, position.where};
  }
  if (value.type == "url") {
    std::optional<TypedValue> host;
    if (is_new) {
      host = HostOfUrl(value.value);
    } else if (draft.host.has_value()) {
      host = entities_[*draft.host].value;
    }
    if (host.has_value()) {
      const Mention host_mention = {mention.timestamp, mention.last_seen, {}};
      const Node host_node = AddEntity(*host, host_mention, position);
      entities_[node].host = host_node;
      PutRelation(node, host_node, "hosted-on", std::nullopt, file);
    }
  }
  return node;
}

absl::Status GraphDraft::AddRelation(Node source, Node target, absl::string_view type,
                                     std::optional<absl::Time> last_seen,
                                     const ImportPosition& position) {
  if (source == target) {
    return absl::OkStatus();
  }
  if (relations_.size() >= limits::kImportDraftRelationsMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat(PositionText(position), "more than ", limits::kImportDraftRelationsMax,
                     " relations in one import of STIX objects or one MISP document"));
  }
  PutRelation(source, target, type, last_seen, FileNumber(position.file));
  return absl::OkStatus();
}

void GraphDraft::PutRelation(Node source, Node target, absl::string_view type,
                             std::optional<absl::Time> last_seen, uint32_t file) {
  const auto [type_entry, is_new_type] =
      type_numbers_.try_emplace(std::string(type), static_cast<uint32_t>(types_.size()));
  if (is_new_type) {
    types_.emplace_back(type);
  }
  RelationDraft& draft =
      relations_.try_emplace({source, target, type_entry->second}, RelationDraft{{}, file})
          .first->second;
  Advance(draft.last_seen, last_seen);
  if (files_[file] < files_[draft.file]) {
    draft.file = file;
  }
}

GraphDraft::Node GraphDraft::AnchorOf(absl::Span<const Node> parts) const {
  return *std::min_element(parts.begin(), parts.end(), [this](Node a, Node b) {
    return AnchorRank(entities_[a].value.type) < AnchorRank(entities_[b].value.type);
  });
}

absl::Status GraphDraft::RelateParts(absl::Span<const Node> parts,
                                     std::optional<absl::Time> last_seen,
                                     const ImportPosition& position) {
  if (parts.size() < 2) {
    return absl::OkStatus();
  }
  const Node anchor = AnchorOf(parts);
  for (const Node part : parts) {
    RETURN_IF_ERROR(AddRelation(
        anchor, part, PartRelationType(entities_[anchor].value.type, entities_[part].value.type),
        last_seen, position));
  }
  return absl::OkStatus();
}

relations::v1::Entity GraphDraft::MakeEntity(const EntityDraft& draft, std::string id,
                                             const ImportOptions& options) const {
  relations::v1::Entity entity;
  entity.set_id(std::move(id));
  entity.set_type(draft.value.type);
  const absl::Time timestamp = draft.timestamp.value_or(draft.last_seen.value_or(options.now));
  *entity.mutable_timestamp() = ToTimestamp(timestamp);
  *entity.mutable_last_seen() = ToTimestamp(draft.last_seen.value_or(timestamp));
  // One source, which says nothing that fits a scale of reputations.
  entity.set_accuracy(1);
  for (const std::string& tag : draft.tags) {
    entity.add_tags(tag);
  }
  for (const std::string& group : options.visible_by) {
    entity.add_visible_by(group);
  }
  (*entity.mutable_attributes())[draft.value.type] =
      AttributeOf(draft.value.type, draft.value.value);
  return entity;
}

absl::Status GraphDraft::Emit(ImportRun& run) const {
  std::vector<std::string> ids;
  ids.reserve(entities_.size());
  for (const EntityDraft& draft : entities_) {
    ids.push_back(MakeEntityId(draft.value.type, draft.value.value));
  }
  std::vector<Node> order(entities_.size());
  std::iota(order.begin(), order.end(), Node{0});
  std::sort(order.begin(), order.end(), [&ids](Node a, Node b) { return ids[a] < ids[b]; });
  for (const Node node : order) {
    const EntityDraft& draft = entities_[node];
    RETURN_IF_ERROR(run.Entity(MakeEntity(draft, ids[node], run.options()),
                               {files_[draft.place.file], 0, draft.place.where}));
  }
  std::vector<std::pair<RelationKey, RelationDraft>> sorted(relations_.begin(), relations_.end());
  std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
    return std::tie(ids[a.first.source], ids[a.first.target], types_[a.first.type]) <
           std::tie(ids[b.first.source], ids[b.first.target], types_[b.first.type]);
  });
  for (const auto& [key, draft] : sorted) {
    ImportedRelation relation;
    relation.source = ids[key.source];
    relation.target = ids[key.target];
    relation.type = types_[key.type];
    relation.last_seen = draft.last_seen;
    RETURN_IF_ERROR(run.Relation(std::move(relation), {files_[draft.file], 0,
                                                       absl::StrCat("relation ", ids[key.source],
                                                                    " to ", ids[key.target])}));
  }
  return absl::OkStatus();
}

}  // namespace relations
