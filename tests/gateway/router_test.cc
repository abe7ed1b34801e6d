// The router: every form of path that the API promises to accept or refuse.
#include "gateway/router.h"

#include <string>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

std::string Text(absl::string_view view) { return std::string(view); }

const std::string kBase = "/api/analytics/v1/entity/";

TEST_CASE("The relations route gives the raw id and the raw query") {
  struct Row {
    const char* target;
    const char* id;
    const char* query;
  };
  const Row rows[] = {
      {"/api/analytics/v1/entity/ip-1/relations", "ip-1", ""},
      {"/api/analytics/v1/entity/ip-1/relations/", "ip-1", ""},
      {"/api/analytics/v1/entity/ip-1/relations?limit=3&levels=2", "ip-1", "limit=3&levels=2"},
      {"/api/analytics/v1/entity/ip-1/relations/?a?b", "ip-1", "a?b"},
      {"/api/analytics/v1/entity/ip-1/relations?", "ip-1", ""},
      {"/api/analytics/v1/entity/%69p-1%2F/relations", "%69p-1%2F", ""},
      {"/api/analytics/v1/entity/%2e%2e/relations", "%2e%2e", ""},
      {"/api/analytics/v1/entity/relations/relations", "relations", ""},
      {"http://any.example:8080/api/analytics/v1/entity/ip-1/relations?x", "ip-1", "x"},
      {"HTTPS://h/api/analytics/v1/entity/ip-1/relations", "ip-1", ""},
  };
  for (const Row& row : rows) {
    INFO(row.target);
    const Route route = MatchRoute(row.target);
    CHECK(route.kind == RouteKind::kRelations);
    CHECK(Text(route.id) == row.id);
    CHECK(Text(route.query) == row.query);
  }
}

TEST_CASE("What differs from a route in any byte is no route") {
  const std::string targets[] = {
      "/",
      "//",
      "/api",
      "/api/analytics/v1/entity",
      kBase,
      kBase + "ip-1",
      kBase + "ip-1/",
      kBase + "ip-1/relation",
      kBase + "ip-1/relations//",
      kBase + "ip-1//relations",
      kBase + "/relations",
      kBase + "relations",
      kBase + "./relations",
      kBase + "../relations",
      kBase + "a/../ip-1/relations",
      kBase + "ip-1/relations/x",
      kBase + "ip-1/Relations",
      "/api//analytics/v1/entity/ip-1/relations",
      "/api/./analytics/v1/entity/ip-1/relations",
      "/api/analytics/v2/entity/ip-1/relations",
      "/API/analytics/v1/entity/ip-1/relations",
      "/api/%61nalytics/v1/entity/ip-1/relations",
      "//api/analytics/v1/entity/ip-1/relations",
      "/healthz//",
      "/healthz/x",
      "/Healthz",
      "/ready",
      "http://host",
      "http://host?x",
  };
  for (const std::string& target : targets) {
    INFO(target);
    CHECK(MatchRoute(target).kind == RouteKind::kUnknown);
  }
}

TEST_CASE("Targets that are no path are malformed") {
  for (const char* target : {"", "api", "host:443", "ftp://host/x", "http:///x", "?x", "**"}) {
    INFO(target);
    CHECK(MatchRoute(target).kind == RouteKind::kMalformed);
  }
}

TEST_CASE("The probes and the server as a whole have their routes") {
  CHECK(MatchRoute("/healthz").kind == RouteKind::kHealth);
  CHECK(MatchRoute("/healthz/?x=1").kind == RouteKind::kHealth);
  CHECK(MatchRoute("/readyz").kind == RouteKind::kReady);
  CHECK(MatchRoute("/openapi.json").kind == RouteKind::kOpenApi);
  CHECK(MatchRoute("*").kind == RouteKind::kServer);
}

TEST_CASE("Route templates hold no id") {
  CHECK(Text(RouteTemplate(RouteKind::kRelations)) == "/api/analytics/v1/entity/{id}/relations");
  CHECK(Text(RouteTemplate(RouteKind::kUnknown)) == "none");
}

}  // namespace
}  // namespace relations::gateway
