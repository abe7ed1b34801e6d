// From the raw request target to one of the routes of the front.
//
// The path is split at '/' as it came. Nothing is decoded before the split and nothing normalised:
// "//", "." and ".." are no route. One trailing slash is accepted.
#pragma once

#include "absl/strings/string_view.h"

namespace relations::gateway {

enum class RouteKind {
  kRelations,
  kReportEntity,
  kReportAssociation,
  kReportBatch,
  kHealth,
  kReady,
  kOpenApi,
  kServer,
  kUnknown,
  kMalformed
};

struct Route {
  RouteKind kind = RouteKind::kUnknown;
  // kRelations: the segment that holds the id, still percent-encoded. Points into the target.
  absl::string_view id;
  // What follows the first '?', still encoded. Points into the target.
  absl::string_view query;
};

// Accepts the origin form (`/path?query`), the absolute form (`http://host/path?query`) and `*`,
// which is kServer (the server as a whole). Any other target is kMalformed.
Route MatchRoute(absl::string_view target);

// True for the routes that take reports.
bool IsIngest(RouteKind kind);

// True for a request whose body has a use.
bool TakesBody(absl::string_view method, absl::string_view target);

// The route as logs and metrics name it, without ids: "/api/analytics/v1/entity/{id}/relations".
absl::string_view RouteTemplate(RouteKind kind);

}  // namespace relations::gateway
