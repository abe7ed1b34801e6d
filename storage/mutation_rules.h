// What every engine judges of mutations alike, so that all refuse the same requests with the same
// words. Stateless and thread-safe. Errors that a reporter can cause are public ones
// (base/public_error.h).
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_types.h"
#include "storage/mutations.h"

namespace relations {

// INVALID_ARGUMENT names the rule that is broken; FAILED_PRECONDITION: a relation to itself.
absl::Status CheckEntity(const relations::v1::Entity& entity);
absl::Status CheckRelation(const PutRelation& relation);
absl::Status CheckRecordSize(absl::string_view id, size_t bytes);
absl::Status TooManyRelations(absl::string_view whose);

// MergeReport with errors for the reporter, who learns nothing of what others reported.
absl::Status MergeForReporter(const relations::v1::Entity& report, relations::v1::Entity* entity);

// The tag of entities that are known to be harmless.
inline constexpr char kWellKnownTag[] = "well-known";

// What the store itself says of an entity: its accuracy, by the number of its reporters, and that
// no harmless one has a reputation below 0.
void Assess(size_t reporters, relations::v1::Entity* entity);

// The groups that a report makes its relation visible to. `source` and `target` are the groups of
// the two ends; null where there is no such entity. NOT_FOUND, INVALID_ARGUMENT as ReportRelation
// says.
absl::StatusOr<GroupSet> GroupsOfReport(const ReportRelation& report, const GroupSet* source,
                                        const GroupSet* target);

// NOT_FOUND for what an administrator named.
absl::Status NoSuchEntity();
absl::Status NoSuchRelation();
// INVALID_ARGUMENT when `keep` is empty or not a part of `groups`.
absl::Status CheckNarrowing(const GroupSet& keep, const GroupSet& groups);

}  // namespace relations
