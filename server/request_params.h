// The parameters of GetRelations, judged: id grammar, limit, levels, types, in this order.
#pragma once

#include "absl/status/statusor.h"
#include "relations/v1/relations.pb.h"
#include "storage/traversal.h"

namespace relations {

// The walk that `request` asks for, with defaults filled in and too large numbers brought down to
// the maximum; `groups` and `check_alive` are left for the caller. INVALID_ARGUMENT, made for
// clients, names the first parameter at fault.
absl::StatusOr<ExpandParams> JudgeRequest(const relations::v1::GetRelationsRequest& request);

}  // namespace relations
