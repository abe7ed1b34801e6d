#include "tests/bench/synthetic_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"

namespace relations::bench {
namespace {

constexpr uint32_t kPublic = 1;
// 2024-01-01T00:00:00Z and the seconds of that year.
constexpr int64_t kFirstSecond = 1'704'067'200;
constexpr uint64_t kSeconds = 366 * 86'400;

constexpr uint64_t kTypeStream = 1;
constexpr uint64_t kGroupStream = 2;
constexpr uint64_t kFieldStream = 3;
constexpr uint64_t kRelationStream = 4;

absl::Time At(uint64_t second) {
  return absl::FromUnixSeconds(kFirstSecond + static_cast<int64_t>(second));
}

uint64_t GeneralsOf(const GraphParams& params) {
  return std::max<uint64_t>(2, params.entities / 50);
}

absl::Status Check(const GraphParams& params) {
  const uint64_t hubs = params.hubs.size();
  if (hubs > kHubsMax)
    return absl::InvalidArgumentError(absl::StrCat("at most ", kHubsMax, " hubs"));
  if (params.entities >= uint64_t{1} << 30 || params.entities < hubs + GeneralsOf(params)) {
    return absl::InvalidArgumentError("entities: from a few beside the hubs to 2^30");
  }
  for (const uint64_t degree : params.hubs) {
    if (degree > params.entities - hubs) {
      return absl::InvalidArgumentError(
          absl::StrCat("a hub of ", degree, " relations needs as many other entities"));
    }
  }
  if (params.groups > kTenantsMax) {
    return absl::InvalidArgumentError(absl::StrCat("at most ", kTenantsMax, " groups"));
  }
  if (!(params.private_share >= 0 && params.private_share <= 1)) {
    return absl::InvalidArgumentError("the private share is 0 to 1");
  }
  if (!(params.skew >= 0 && params.skew < 1)) {
    return absl::InvalidArgumentError("the skew is 0 to less than 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SyntheticGraph>> SyntheticGraph::Create(GraphParams params) {
  RETURN_IF_ERROR(Check(params));
  std::unique_ptr<SyntheticGraph> graph(new SyntheticGraph(std::move(params)));
  if (graph->entity_count() <= kHashesKeptMax) {
    std::vector<Hash> hashes(graph->entity_count());
    for (uint64_t entity = 0; entity < hashes.size(); ++entity) {
      const std::string id = graph->IdOf(entity);
      const std::string bytes =
          absl::HexStringToBytes(absl::string_view(id).substr(graph->TypeOf(entity).size() + 1));
      std::copy(bytes.begin(), bytes.end(), hashes[entity].begin());
    }
    graph->hashes_ = std::move(hashes);
  }
  return graph;
}

SyntheticGraph::SyntheticGraph(GraphParams params)
    : params_(std::move(params)),
      generals_(GeneralsOf(params_)),
      ranks_(params_.entities - params_.hubs.size(), params_.skew),
      order_(params_.entities, params_.seed) {
  for (const uint64_t degree : params_.hubs) {
    hub_orders_.emplace_back(params_.entities - hubs(), params_.seed + hub_orders_.size());
    hub_relations_ += degree;
  }
}

EntityRole SyntheticGraph::RoleOf(uint64_t entity) const {
  if (entity < hubs()) return EntityRole::kHub;
  return entity < hubs() + generals_ ? EntityRole::kGeneral : EntityRole::kIndicator;
}

absl::string_view SyntheticGraph::TypeOf(uint64_t entity) const {
  return SyntheticType(RoleOf(entity), Draw(params_.seed, kTypeStream, entity).Next());
}

std::string SyntheticGraph::IdOf(uint64_t entity) const {
  const absl::string_view type = TypeOf(entity);
  if (hashes_.empty()) {
    return MakeEntityId(type, SyntheticValue(type, static_cast<uint32_t>(entity)));
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  id.reserve(type.size() + 1 + 2 * sizeof(Hash));
  id.append(type.data(), type.size());
  id += '-';
  for (const char byte : hashes_[entity]) {
    id += kHex[static_cast<uint8_t>(byte) >> 4];
    id += kHex[static_cast<uint8_t>(byte) & 15];
  }
  return id;
}

SyntheticGraph::Groups SyntheticGraph::GroupsOf(uint64_t entity) const {
  const Groups everybody = static_cast<Groups>((uint64_t{1} << (params_.groups + 1)) - 1);
  if (RoleOf(entity) != EntityRole::kIndicator) return everybody;
  Draw draw(params_.seed, kGroupStream, entity);
  if (params_.groups == 0 || !draw.Chance(params_.private_share)) return kPublic;
  Groups groups = Groups{2} << draw.Below(params_.groups);
  if (draw.Chance(0.25)) groups |= Groups{2} << draw.Below(params_.groups);
  return groups;
}

GroupSet SyntheticGraph::NamesOf(Groups groups) const {
  GroupSet names;
  for (uint32_t tenant = 1; tenant <= params_.groups; ++tenant) {
    if ((groups >> tenant & 1) != 0) names.push_back(absl::StrCat("g", tenant));
  }
  if ((groups & kPublic) != 0) names.push_back("public");
  return CanonicalGroups(std::move(names));
}

relations::v1::Entity SyntheticGraph::Entity(uint64_t entity) const {
  relations::v1::Entity record;
  record.set_id(IdOf(entity));
  const absl::string_view type = TypeOf(entity);
  record.set_type(type.data(), type.size());
  Draw draw(params_.seed, kFieldStream, entity);
  const uint64_t reported = draw.Below(kSeconds);
  *record.mutable_timestamp() = TimestampOf(At(reported));
  *record.mutable_last_seen() = TimestampOf(At(reported + draw.Below(kSeconds - reported)));
  FillSyntheticFields(draw.Next(), SyntheticValue(type, static_cast<uint32_t>(entity)), record);
  const GroupSet groups = NamesOf(GroupsOf(entity));
  record.mutable_visible_by()->Assign(groups.begin(), groups.end());
  return record;
}

uint64_t SyntheticGraph::PopularEntity(double share) const { return hubs() + ranks_.Of(share); }

void SyntheticGraph::HubEnds(uint64_t relation, uint64_t* source, uint64_t* target) const {
  uint64_t hub = 0;
  while (relation >= params_.hubs[hub]) relation -= params_.hubs[hub++];
  *source = hubs() + hub_orders_[hub].At(relation);
  *target = hub;
}

void SyntheticGraph::DrawEnds(Draw& draw, uint64_t* source, uint64_t* target) const {
  const uint64_t others = params_.entities - hubs();
  *source = hubs() + draw.Below(others);
  *target = PopularEntity(draw.Share());
  // The general entities share something with every other one.
  if ((GroupsOf(*source) & GroupsOf(*target)) == 0) {
    *target = hubs() + (*target - hubs()) % generals_;
  }
  if (*source == *target) *target = *target == hubs() ? hubs() + 1 : hubs();
}

ImportedRelation SyntheticGraph::Relation(uint64_t relation) const {
  Draw draw(params_.seed, kRelationStream, relation);
  uint64_t source = 0;
  uint64_t target = 0;
  if (relation < hub_relations_) {
    HubEnds(relation, &source, &target);
  } else {
    DrawEnds(draw, &source, &target);
  }
  Groups groups = GroupsOf(source) & GroupsOf(target);
  if ((groups & kPublic) != 0) {
    const bool is_private = groups != kPublic && draw.Chance(params_.private_share);
    groups = is_private ? Groups{2} << draw.Below(params_.groups) : kPublic;
  }
  ImportedRelation record;
  record.source = IdOf(source);
  record.target = IdOf(target);
  record.type = std::string(SyntheticRelationType(TypeOf(target), draw.Next()));
  record.mode = draw.Chance(0.1) ? RelationMode::kAggregation : RelationMode::kAssociation;
  record.last_seen = At(draw.Below(kSeconds));
  record.visible_by = NamesOf(groups);
  return record;
}

absl::Status SyntheticGraph::Feed(ImportSink& sink) const {
  ImportPosition position{"synthetic", 0, ""};
  for (uint64_t i = 0; i < entity_count(); ++i) {
    ++position.line;
    RETURN_IF_ERROR(sink.OnEntity(Entity(order_.At(i)), position));
  }
  for (uint64_t i = 0; i < relation_count(); ++i) {
    ++position.line;
    RETURN_IF_ERROR(sink.OnRelation(Relation(i), position));
  }
  return absl::OkStatus();
}

}  // namespace relations::bench
