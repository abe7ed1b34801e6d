#include "tests/bench/bound_shapes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"
#include "tests/bench/draw.h"

namespace relations::bench {
namespace {

constexpr uint64_t kTenants = 20;
constexpr uint64_t kSmallVisibleNeighbours = 60;
constexpr uint64_t kVisibleOfHidden = 10;
constexpr uint64_t kRingSize = 100;
constexpr uint64_t kRingHubs = 5;
// Seconds since the epoch: what is old stands behind all that is new in a list.
constexpr uint64_t kOld = 1'600'000'000;
constexpr uint64_t kNew = 1'704'067'200;
constexpr uint64_t kNewSeconds = 31'000'000;

std::string TenantName(uint64_t tenant) { return absl::StrCat("tenant", 10 + tenant); }

// {a}, or {a, b}: 210 sets.
GroupSet TenantSet(Draw& draw) {
  return CanonicalGroups({TenantName(draw.Below(kTenants)), TenantName(draw.Below(kTenants))});
}

std::string IdOf(absl::string_view name) { return MakeEntityId("x-shape", name); }
std::string LeafName(uint64_t leaf) { return absl::StrCat("leaf ", leaf); }
std::string OldLeafName(uint64_t leaf) { return absl::StrCat("old leaf ", leaf); }
std::string RingName(absl::string_view root, uint64_t place) {
  return absl::StrCat(root, " ", place);
}

absl::Status GiveEntity(const std::string& name, ImportSink& sink) {
  relations::v1::Entity entity;
  entity.set_id(IdOf(name));
  entity.set_type("x-shape");
  *entity.mutable_timestamp() = TimestampOf(absl::FromUnixSeconds(kNew));
  *entity.mutable_last_seen() = TimestampOf(absl::FromUnixSeconds(kNew));
  entity.add_tags("botnet");
  // Canonical: "public" comes before "tenant..".
  entity.add_visible_by("public");
  for (uint64_t tenant = 0; tenant < kTenants; ++tenant) entity.add_visible_by(TenantName(tenant));
  (*entity.mutable_attributes())["x-shape"].set_string_value(name);
  return sink.OnEntity(std::move(entity), {name, 0, ""});
}

absl::Status GiveRelation(const std::string& source, const std::string& target, uint64_t seconds,
                          GroupSet visible_by, ImportSink& sink) {
  ImportedRelation relation;
  relation.source = IdOf(source);
  relation.target = IdOf(target);
  relation.type = "related-to";
  relation.last_seen = absl::FromUnixSeconds(static_cast<int64_t>(seconds));
  relation.visible_by = std::move(visible_by);
  return sink.OnRelation(std::move(relation), {source, 0, ""});
}

}  // namespace

std::string BoundShapes::RootId(absl::string_view name) { return IdOf(name); }

absl::Status BoundShapes::Feed(ImportSink& sink) const {
  for (const char* name :
       {kVisibleHub, kSmallVisible, kHiddenHub, kSmallHidden, kHubRing, kPlainRing}) {
    RETURN_IF_ERROR(GiveEntity(name, sink));
  }
  for (uint64_t leaf = 0; leaf < leaves_; ++leaf) {
    RETURN_IF_ERROR(GiveEntity(LeafName(leaf), sink));
  }
  for (uint64_t leaf = 0; leaf < kSmallVisibleNeighbours; ++leaf) {
    RETURN_IF_ERROR(GiveEntity(OldLeafName(leaf), sink));
  }
  for (uint64_t place = 0; place < kRingSize; ++place) {
    RETURN_IF_ERROR(GiveEntity(RingName(kHubRing, place), sink));
    RETURN_IF_ERROR(GiveEntity(RingName(kPlainRing, place), sink));
  }
  RETURN_IF_ERROR(FeedHubs(sink));
  RETURN_IF_ERROR(FeedRing(kHubRing, true, sink));
  return FeedRing(kPlainRing, false, sink);
}

absl::Status BoundShapes::FeedHubs(ImportSink& sink) const {
  for (uint64_t leaf = 0; leaf < leaves_; ++leaf) {
    Draw draw(0, 1, leaf);
    RETURN_IF_ERROR(GiveRelation(LeafName(leaf), kVisibleHub, kNew + draw.Below(kNewSeconds),
                                 {"public"}, sink));
    RETURN_IF_ERROR(GiveRelation(LeafName(leaf), kHiddenHub, kNew + draw.Below(kNewSeconds),
                                 TenantSet(draw), sink));
  }
  for (uint64_t leaf = 0; leaf < kSmallVisibleNeighbours; ++leaf) {
    RETURN_IF_ERROR(GiveRelation(OldLeafName(leaf), kSmallVisible, kOld + leaf, {"public"}, sink));
  }
  for (uint64_t leaf = 0; leaf < kVisibleOfHidden; ++leaf) {
    RETURN_IF_ERROR(GiveRelation(OldLeafName(leaf), kHiddenHub, kOld + leaf, {"public"}, sink));
    RETURN_IF_ERROR(GiveRelation(OldLeafName(leaf), kSmallHidden, kOld + leaf, {"public"}, sink));
  }
  return absl::OkStatus();
}

absl::Status BoundShapes::FeedRing(absl::string_view root, bool has_hubs, ImportSink& sink) const {
  uint64_t seconds = kOld;
  for (uint64_t place = 0; place < kRingSize; ++place) {
    const std::string name = RingName(root, place);
    RETURN_IF_ERROR(GiveRelation(std::string(root), name, ++seconds, {"public"}, sink));
    RETURN_IF_ERROR(
        GiveRelation(name, RingName(root, (place + 1) % kRingSize), ++seconds, {"public"}, sink));
  }
  for (uint64_t hub = 0; hub < kRingHubs; ++hub) {
    const std::string name = RingName(root, hub * (kRingSize / kRingHubs));
    for (uint64_t place = 2; place < kRingSize; place += kRingHubs) {
      RETURN_IF_ERROR(GiveRelation(name, RingName(root, place), ++seconds, {"public"}, sink));
    }
    RETURN_IF_ERROR(GiveRelation(name,
                                 RingName(root, (hub + 1) % kRingHubs * (kRingSize / kRingHubs)),
                                 ++seconds, {"public"}, sink));
    for (uint64_t leaf = 0; has_hubs && leaf < leaves_ / kRingHubs; ++leaf) {
      Draw draw(0, 2 + hub, leaf);
      RETURN_IF_ERROR(
          GiveRelation(LeafName(leaf), name, kNew + draw.Below(kNewSeconds), {"public"}, sink));
    }
  }
  return absl::OkStatus();
}

}  // namespace relations::bench
