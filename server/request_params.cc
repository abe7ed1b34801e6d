#include "server/request_params.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/entity_id.h"

namespace relations {
namespace {

absl::Status Invalid(absl::string_view reason, absl::string_view param, absl::string_view message) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason, message, param);
}

bool IsTypeName(absl::string_view type) {
  return !type.empty() && type.size() <= limits::kTypeBytesMax &&
         std::all_of(type.begin(), type.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

}  // namespace

absl::StatusOr<ExpandParams> JudgeRequest(const relations::v1::GetRelationsRequest& request) {
  if (!IsEntityId(request.id())) {
    return Invalid(
        reason::kInvalidId, "id",
        absl::StrCat("id must be ", limits::kEntityIdBytesMin, " to ", limits::kEntityIdBytesMax,
                     " characters of A-Z a-z 0-9 and '-', with at least one '-' and "
                     "none at either end"));
  }
  if (request.limit() < 0) {
    return Invalid(reason::kInvalidLimit, "limit", "limit must be a positive integer");
  }
  if (request.levels() < 0) {
    return Invalid(reason::kInvalidLevels, "levels", "levels must be a positive integer");
  }
  if (static_cast<size_t>(request.types_size()) > limits::kTypesMax) {
    return Invalid(reason::kInvalidTypes, "types",
                   absl::StrCat("types must be at most ", limits::kTypesMax, " entity types"));
  }
  ExpandParams params;
  for (const std::string& type : request.types()) {
    if (!IsTypeName(type)) {
      return Invalid(reason::kInvalidTypes, "types",
                     absl::StrCat("each of types must be 1 to ", limits::kTypeBytesMax,
                                  " characters of a-z 0-9 and '-'"));
    }
    params.types.insert(type);
  }
  params.root_id = request.id();
  params.limit = request.limit() == 0 ? limits::kRelatedEntitiesDefault
                                      : std::min(request.limit(), limits::kRelatedEntitiesMax);
  params.levels = request.levels() == 0 ? limits::kLevelsDefault
                                        : std::min(request.levels(), limits::kLevelsMax);
  return params;
}

}  // namespace relations
