// How repeated reports of one entity or relation become one record (contract, section 6):
// attributes merge, the newest wins; tags and visibleBy unite; lastSeen and @timestamp move
// forward; reputation is the newest, best and worst the extremes; accuracy the highest reported.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_types.h"

namespace relations {

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
// REQUIRES: IsTimestamp(time).
google::protobuf::Timestamp TimestampOf(absl::Time time);

// Merges `report` into `entity`, both of the same id. A report that is older than the record (by
// lastSeen) adds what the record lacks and overrides nothing. INVALID_ARGUMENT, with `*entity`
// unspecified, when the result would break a limit of limits.h.
absl::Status MergeReport(const relations::v1::Entity& report, relations::v1::Entity* entity);

// The groups that two sets share.
GroupSet SharedGroups(const GroupSet& a, const GroupSet& b);
GroupSet UnitedGroups(const GroupSet& a, const GroupSet& b);

}  // namespace relations
