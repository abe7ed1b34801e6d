#include "storage/consolidation.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

void MergeAttributes(const relations::v1::Entity& report, bool report_is_newer,
                     relations::v1::Entity* entity) {
  for (const auto& [name, value] : report.attributes()) {
    if (report_is_newer || !entity->attributes().contains(name)) {
      (*entity->mutable_attributes())[name] = value;
    }
  }
}

void MergeTags(const relations::v1::Entity& report, relations::v1::Entity* entity) {
  for (const std::string& tag : report.tags()) {
    if (std::find(entity->tags().begin(), entity->tags().end(), tag) == entity->tags().end()) {
      entity->add_tags(tag);
    }
  }
}

}  // namespace

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

absl::Status MergeReport(const relations::v1::Entity& report, relations::v1::Entity* entity) {
  const bool newer = TimeOf(report.last_seen()) >= TimeOf(entity->last_seen());
  MergeAttributes(report, newer, entity);
  MergeTags(report, entity);
  if (newer) {
    entity->set_type(report.type());
    entity->set_reputation(report.reputation());
    *entity->mutable_last_seen() = report.last_seen();
  }
  if (TimeOf(report.timestamp()) > TimeOf(entity->timestamp())) {
    *entity->mutable_timestamp() = report.timestamp();
  }
  entity->set_best_reputation(std::max(entity->best_reputation(), report.best_reputation()));
  entity->set_worst_reputation(std::min(entity->worst_reputation(), report.worst_reputation()));
  entity->set_accuracy(std::max(entity->accuracy(), report.accuracy()));
  const GroupSet groups = UnitedGroups({entity->visible_by().begin(), entity->visible_by().end()},
                                       {report.visible_by().begin(), report.visible_by().end()});
  entity->mutable_visible_by()->Assign(groups.begin(), groups.end());

  const auto check = [&](absl::string_view what, size_t count, size_t most) {
    if (count <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("together with what is known already, ",
                                                   entity->id(), " would have ", count, " ", what,
                                                   "; at most ", most, " are accepted"));
  };
  RETURN_IF_ERROR(check("tags", static_cast<size_t>(entity->tags_size()), limits::kTagsMax));
  RETURN_IF_ERROR(check("groups in visibleBy", groups.size(), limits::kVisibleByMax));
  return check("attributes", entity->attributes().size(), limits::kAttributesMax);
}

GroupSet SharedGroups(const GroupSet& a, const GroupSet& b) {
  GroupSet shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return shared;
}

GroupSet UnitedGroups(const GroupSet& a, const GroupSet& b) {
  GroupSet united;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(united));
  return united;
}

}  // namespace relations
