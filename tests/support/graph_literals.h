// Entities and relations as short literals for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "storage/consolidation.h"
#include "storage/graph_store.h"

namespace relations {

inline absl::Time TestTime(int64_t seconds) {
  return absl::FromUnixSeconds(1'600'000'000 + seconds);
}

inline v1::Entity TestEntity(const std::string& id, GroupSet visible_by = {"public"}) {
  v1::Entity entity;
  entity.set_id(id);
  entity.set_type(id.substr(0, id.find('-')));
  *entity.mutable_timestamp() = TimestampOf(TestTime(0));
  *entity.mutable_last_seen() = TimestampOf(TestTime(0));
  (*entity.mutable_attributes())[entity.type()].set_string_value("value of " + id);
  const GroupSet groups = CanonicalGroups(std::move(visible_by));
  entity.mutable_visible_by()->Assign(groups.begin(), groups.end());
  return entity;
}

inline PutRelation TestRelation(const std::string& source, const std::string& target,
                                int64_t seconds = 0, GroupSet visible_by = {"public"},
                                const std::string& type = "related-to") {
  return {source, target, type, RelationMode::kAssociation, TestTime(seconds),
          CanonicalGroups(std::move(visible_by))};
}

}  // namespace relations
