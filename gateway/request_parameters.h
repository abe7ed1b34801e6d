// The parameters of `GET /api/analytics/v1/entity/{id}/relations`, checked as strictly as the API
// promises. Pure functions of their input.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/answer_writer.h"

namespace relations::gateway {

struct RelationsQuestion {
  std::string id;
  // 0 where the client said nothing: the server's default holds.
  int limit = 0;
  int levels = 0;
  std::vector<std::string> types;
  RelationDetails details = RelationDetails::kLeaveOut;
};

// Reads the encoded id of the path and the encoded query. An error is a public one of kind
// INVALID_ARGUMENT (storage/base/public_error.h) with reason and parameter; its message never
// repeats what the client sent. Of several faults the first in this order is told: the id; a
// repeated parameter or bad escape in one of ours, as they come; limit; levels; types; details.
absl::StatusOr<RelationsQuestion> ParseRelationsQuestion(absl::string_view encoded_id,
                                                         absl::string_view query);

}  // namespace relations::gateway
