#include "server/ctl/store_export.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/ctl/answer_json.h"
#include "server/ctl/json_object.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"

namespace relations {
namespace {

// Ids that are remembered; those of neighbours are asked for again and again. About 100 bytes each.
constexpr size_t kIdsMax = 1'000'000;

class Export {
 public:
  Export(const RocksDatabase* database, const std::function<absl::Status(absl::string_view)>* line)
      : database_(database), line_(line) {}

  absl::StatusOr<ExportCounts> Run() {
    RETURN_IF_ERROR(LoadTables());
    RETURN_IF_ERROR(database_->ForEach(
        Family::kEntities, {},
        [&](absl::string_view, absl::string_view value) { return WriteEntity(value); }));
    RETURN_IF_ERROR(database_->ForEach(Family::kRelations, {},
                                       [&](absl::string_view key, absl::string_view value) {
                                         return WriteRelations(key, value);
                                       }));
    return counts_;
  }

 private:
  absl::Status LoadTables() {
    classes_.emplace(0, GroupSet{"public"});
    RETURN_IF_ERROR(
        database_->ForEach(Family::kVisibility, {},
                           [&](absl::string_view key, absl::string_view value) -> absl::Status {
                             ASSIGN_OR_RETURN(const uint32_t number, NumberOfKey(key));
                             ASSIGN_OR_RETURN(classes_[number], DecodeGroups(value));
                             return absl::OkStatus();
                           }));
    return database_->ForEach(Family::kLabels, {},
                              [&](absl::string_view key, absl::string_view value) -> absl::Status {
                                ASSIGN_OR_RETURN(const uint32_t number, NumberOfKey(key));
                                labels_[number] = std::string(value);
                                return absl::OkStatus();
                              });
  }

  absl::StatusOr<const GroupSet*> GroupsOf(ClassId visibility) const {
    const auto found = classes_.find(static_cast<uint32_t>(visibility));
    if (found == classes_.end()) return absl::DataLossError("an unknown visibility class");
    return &found->second;
  }

  absl::Status WriteEntity(absl::string_view value) {
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(value));
    if (record.visibility == kNobodyClass) return absl::OkStatus();
    v1::Entity entity;
    if (!entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size()))) {
      return absl::DataLossError("an entity record does not parse");
    }
    ASSIGN_OR_RETURN(const GroupSet* const groups, GroupsOf(record.visibility));
    entity.mutable_visible_by()->Assign(groups->begin(), groups->end());
    ++counts_.entities;
    return (*line_)(EntityJson(entity));
  }

  absl::Status WriteRelations(absl::string_view key, absl::string_view value) {
    ASSIGN_OR_RETURN(const NodePair pair, PairOfKey(key));
    ASSIGN_OR_RETURN(const std::string source, IdOf(pair.source));
    ASSIGN_OR_RETURN(const std::string target, IdOf(pair.target));
    if (source.empty() || target.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<PairRelation> relations, DecodePairRelations(value));
    for (const PairRelation& relation : relations) {
      const auto label = labels_.find(static_cast<uint32_t>(relation.type));
      if (label == labels_.end()) return absl::DataLossError("an unknown label");
      ASSIGN_OR_RETURN(const GroupSet* const groups, GroupsOf(relation.visibility));
      ++counts_.relations;
      RETURN_IF_ERROR(
          (*line_)(JsonObject()
                       .AddString("source", source)
                       .AddString("target", target)
                       .AddString("type", label->second)
                       .AddString("mode", RelationModeName(relation.mode))
                       .AddString("lastSeen", TimestampText(TimestampOf(relation.last_seen)))
                       .AddJson("visibleBy", JsonStrings(*groups))
                       .Text()));
    }
    return absl::OkStatus();
  }

  // Empty for an entity that is being deleted.
  absl::StatusOr<std::string> IdOf(NodeId node) {
    if (const auto known = ids_.find(node); known != ids_.end()) return known->second;
    ASSIGN_OR_RETURN(const std::optional<std::string> value,
                     database_->Get(Family::kEntities, NodeKey(node)));
    if (!value.has_value()) return absl::DataLossError("a relation with an end without an entity");
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*value));
    ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
    std::string id(record.visibility == kNobodyClass ? absl::string_view() : head.id);
    if (ids_.size() >= kIdsMax) ids_.clear();
    ids_.emplace(node, id);
    return id;
  }

  const RocksDatabase* const database_;
  const std::function<absl::Status(absl::string_view)>* const line_;
  ExportCounts counts_;
  absl::flat_hash_map<uint32_t, GroupSet> classes_;
  absl::flat_hash_map<uint32_t, std::string> labels_;
  absl::flat_hash_map<NodeId, std::string> ids_;
};

}  // namespace

absl::StatusOr<ExportCounts> ExportStore(
    const RocksDatabase& database, const std::function<absl::Status(absl::string_view)>& line) {
  return Export(&database, &line).Run();
}

}  // namespace relations
