#include "gateway/router.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace relations::gateway {
namespace {

constexpr absl::string_view kRelationsPrefix = "/api/analytics/v1/entity/";
constexpr absl::string_view kRelationsSuffix = "/relations";
constexpr absl::string_view kReportEntityPath = "/api/ingest/v1/entity";
constexpr absl::string_view kReportAssociationPath = "/api/ingest/v1/association";
constexpr absl::string_view kReportBatchPath = "/api/ingest/v1/batch";
constexpr absl::string_view kOpenApiPath = "/openapi.json";
constexpr std::array<absl::string_view, 2> kSchemes = {"http://", "https://"};

// Leaves the origin form of an absolute target. False when it is neither.
bool ReduceToOriginForm(absl::string_view& target) {
  if (absl::StartsWith(target, "/")) {
    return true;
  }
  for (const absl::string_view scheme : kSchemes) {
    if (!absl::StartsWithIgnoreCase(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const size_t authority_end = target.find_first_of("/?");
    if (authority_end == 0) {
      return false;
    }
    // A target without a path names the root.
    if (authority_end == absl::string_view::npos) {
      target = "/";
    } else {
      target.remove_prefix(authority_end);
    }
    return true;
  }
  return false;
}

bool IsDotSegment(absl::string_view segment) { return segment == "." || segment == ".."; }

}  // namespace

Route MatchRoute(absl::string_view target) {
  Route route;
  if (target == "*") {
    route.kind = RouteKind::kServer;
    return route;
  }
  if (!ReduceToOriginForm(target)) {
    route.kind = RouteKind::kMalformed;
    return route;
  }
  const size_t question_mark = target.find('?');
  absl::string_view path = target.substr(0, question_mark);
  if (question_mark != absl::string_view::npos) {
    route.query = target.substr(question_mark + 1);
  }
  if (path.size() > 1) {
    absl::ConsumeSuffix(&path, "/");
  }
  if (path == "/healthz") {
    route.kind = RouteKind::kHealth;
  } else if (path == "/readyz") {
    route.kind = RouteKind::kReady;
  } else if (path == kOpenApiPath) {
    route.kind = RouteKind::kOpenApi;
  } else if (path == kReportEntityPath) {
    route.kind = RouteKind::kReportEntity;
  } else if (path == kReportAssociationPath) {
    route.kind = RouteKind::kReportAssociation;
  } else if (path == kReportBatchPath) {
    route.kind = RouteKind::kReportBatch;
  } else if (absl::ConsumePrefix(&path, kRelationsPrefix) &&
             absl::ConsumeSuffix(&path, kRelationsSuffix) && !path.empty() &&
             path.find('/') == absl::string_view::npos && !IsDotSegment(path)) {
    route.kind = RouteKind::kRelations;
    route.id = path;
  }
  return route;
}

bool IsIngest(RouteKind kind) {
  return kind == RouteKind::kReportEntity || kind == RouteKind::kReportAssociation ||
         kind == RouteKind::kReportBatch;
}

bool TakesBody(absl::string_view method, absl::string_view target) {
  return method == "POST" && IsIngest(MatchRoute(target).kind);
}

absl::string_view RouteTemplate(RouteKind kind) {
  switch (kind) {
    case RouteKind::kRelations:
      return "/api/analytics/v1/entity/{id}/relations";
    case RouteKind::kReportEntity:
      return kReportEntityPath;
    case RouteKind::kReportAssociation:
      return kReportAssociationPath;
    case RouteKind::kReportBatch:
      return kReportBatchPath;
    case RouteKind::kHealth:
      return "/healthz";
    case RouteKind::kReady:
      return "/readyz";
    case RouteKind::kOpenApi:
      return kOpenApiPath;
    case RouteKind::kServer:
      return "*";
    case RouteKind::kUnknown:
    case RouteKind::kMalformed:
      break;
  }
  return "none";
}

}  // namespace relations::gateway
