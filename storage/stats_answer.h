// The statistics of a store as the message that operators get, from a server or a directory.
#pragma once

#include "relations/v1/admin.pb.h"
#include "storage/graph_store.h"

namespace relations {

relations::v1::GetStatsResponse StatsAnswer(const GraphStats& stats);

}  // namespace relations
