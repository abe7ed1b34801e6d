#include "gateway/openapi.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/json_pieces.h"
#include "gateway/openapi_schemas.h"
#include "gateway/router.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr char kUuid[] = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
constexpr char kEntityId[] = "^[A-Za-z0-9][A-Za-z0-9-]*-[A-Za-z0-9-]*[A-Za-z0-9]$";
constexpr char kJson[] = "application/json";

struct Error {
  int status;
  const char* description;
  const char* severity;
  std::vector<std::string> codes;
};

const std::vector<Error>& Errors() {
  static const std::vector<Error> errors = {
      {400,
       "What was asked is not valid; nothing was looked up.",
       "WARNING",
       {reason::kInvalidId, reason::kInvalidLimit, reason::kInvalidLevels, reason::kInvalidTypes,
        reason::kInvalidDetails, reason::kInvalidArgument, reason::kInvalidReport,
        reason::kInvalidJson, reason::kInvalidEscape, reason::kRepeatedParameter,
        reason::kMalformedRequest}},
      {401, "Valid credentials are needed.", "WARNING", {reason::kUnauthenticated}},
      {403, "The credentials do not allow this.", "WARNING", {reason::kPermissionDenied}},
      {404,
       "No such entity, or none that the caller may see; no such route.",
       "WARNING",
       {reason::kNotFound, reason::kRouteNotFound}},
      {405, "The method is not allowed here.", "WARNING", {reason::kMethodNotAllowed}},
      {413, "The body is too large.", "WARNING", {reason::kBodyTooLarge}},
      {414, "The target is too long.", "WARNING", {reason::kUriTooLong}},
      {429, "Too many requests, or failed authentications.", "WARNING", {reason::kRateLimited}},
      {431, "The header is too large.", "WARNING", {reason::kHeadersTooLarge}},
      {500, "A fault of the service.", "ERROR", {reason::kInternal}},
      {503, "Not now; try again.", "CRITICAL", {reason::kUnavailable}},
      {504, "The answer took too long.", "CRITICAL", {reason::kDeadlineExceeded}}};
  return errors;
}

std::string Text(const JsonMembers& more = {}) {
  JsonMembers schema = {{"type", JsonText("string")}};
  schema.insert(schema.end(), more.begin(), more.end());
  return JsonObject(schema);
}

std::string Integer(const JsonMembers& more) {
  JsonMembers schema = {{"type", JsonText("integer")}};
  schema.insert(schema.end(), more.begin(), more.end());
  return JsonObject(schema);
}

std::string Uuid() { return Text({{"pattern", JsonText(kUuid)}}); }

std::string Header(const char* description, const std::string& schema, bool required = true) {
  return JsonObject({{"description", JsonText(description)},
                     {"required", required ? "true" : "false"},
                     {"schema", schema}});
}

std::string RequestIdHeader() {
  return Header("The client's, or one that was made.", Text({{"minLength", "1"}}));
}

void AddRateLimit(JsonMembers& headers) {
  const std::string count = Integer({{"minimum", "0"}});
  headers.emplace_back("RateLimit-Limit", Header("Requests that may come at once.", count, false));
  headers.emplace_back("RateLimit-Remaining", Header("Those that are left.", count, false));
  headers.emplace_back("RateLimit-Reset", Header("Seconds until all are back.", count, false));
}

std::string Content(const char* type, const std::string& schema) {
  return JsonObject({{type, JsonObject({{"schema", schema}})}});
}

std::string Response(const char* description, const JsonMembers& headers,
                     const std::string& content = "") {
  JsonMembers response = {{"description", JsonText(description)}, {"headers", JsonObject(headers)}};
  if (!content.empty()) response.emplace_back("content", content);
  return JsonObject(response);
}

std::string ErrorSchema(const Error& error) {
  const JsonMembers properties = {
      {"message", Text({{"maxLength", absl::StrCat(limits::kErrorMessageBytesMax)}})},
      {"type", JsonObject({{"const", JsonText(error.severity)}})},
      {"code", JsonObject({{"enum", JsonTexts(error.codes)}})},
      {"error_id", Uuid()},
      {"param", Text()}};
  const std::string body =
      JsonObject({{"type", JsonText("object")},
                  {"properties", JsonObject(properties)},
                  {"required", JsonTexts({"message", "type", "code", "error_id"})},
                  {"additionalProperties", "false"}});
  return JsonObject({{"type", JsonText("object")},
                     {"properties", JsonObject({{"error", body}})},
                     {"required", JsonTexts({"error"})},
                     {"additionalProperties", "false"}});
}

std::string ErrorResponse(const Error& error) {
  JsonMembers headers = {
      {"x-error", Header("The message of the body.",
                         Text({{"maxLength", absl::StrCat(limits::kErrorMessageBytesMax)}}))},
      {"x-error-id", Header("Also in the service's log.", Uuid())},
      {"x-request-id", RequestIdHeader()}};
  if (error.status == 401) {
    headers.emplace_back("WWW-Authenticate", Header("", JsonObject({{"const", "\"Bearer\""}})));
  }
  if (error.status == 405) headers.emplace_back("Allow", Header("Methods that are.", Text()));
  if (error.status == 429 || error.status == 503) {
    headers.emplace_back("Retry-After",
                         Header("Seconds to wait at least.", Integer({{"minimum", "1"}})));
  }
  AddRateLimit(headers);
  return Response(error.description, headers, Content(kJson, ErrorSchema(error)));
}

std::string ErrorName(int status) { return absl::StrCat("Error", status); }

// The responses of an operation: `success`, and those of the errors.
std::string Responses(JsonMembers success, const std::vector<int>& errors) {
  for (const int status : errors) {
    success.emplace_back(
        absl::StrCat(status),
        JsonObject(
            {{"$ref", JsonText(absl::StrCat("#/components/responses/", ErrorName(status)))}}));
  }
  return JsonObject(success);
}

std::string Parameter(const char* name, const char* place, const char* description,
                      const std::string& schema, const JsonMembers& more = {}) {
  JsonMembers parameter = {{"name", JsonText(name)},
                           {"in", JsonText(place)},
                           {"description", JsonText(description)},
                           {"schema", schema}};
  parameter.insert(parameter.end(), more.begin(), more.end());
  return JsonObject(parameter);
}

std::string CountSchema(int preset) {
  return Integer({{"minimum", "1"}, {"default", absl::StrCat(preset)}});
}

std::string RelationsParameters() {
  const std::string types = JsonObject({{"type", JsonText("array")},
                                        {"items", Text()},
                                        {"maxItems", absl::StrCat(limits::kTypesMax)}});
  const std::string levels = absl::StrCat("Hops; more than ", limits::kLevelsMax, " means that.");
  const std::string limit = absl::StrCat("Most related entities, the root not counted; more than ",
                                         limits::kRelatedEntitiesMax, " means that.");
  return JsonList(
      {Parameter("id", "path", "The entity's id, compared exactly.",
                 Text({{"minLength", absl::StrCat(limits::kEntityIdBytesMin)},
                       {"maxLength", absl::StrCat(limits::kEntityIdBytesMax)},
                       {"pattern", JsonText(kEntityId)}}),
                 {{"required", "true"}}),
       Parameter("limit", "query", limit.c_str(), CountSchema(limits::kRelatedEntitiesDefault)),
       Parameter("levels", "query", levels.c_str(), CountSchema(limits::kLevelsDefault)),
       Parameter("depth", "query", "Another name of `levels`, which wins.",
                 CountSchema(limits::kLevelsDefault), {{"deprecated", "true"}}),
       Parameter("types", "query", "Only entities of these types, and the root.", types,
                 {{"style", JsonText("form")}, {"explode", "false"}}),
       Parameter("details", "query", "Relations with type, mode and lastSeen.",
                 JsonObject({{"type", JsonText("boolean")}, {"default", "false"}}))});
}

std::string RelationsOperation() {
  JsonMembers headers = {
      {"x-stop-reason", Header("Whether more exists than `limit` let in.",
                               JsonObject({{"enum", JsonTexts(StopReasons())}}))},
      {"ETag", Header("For If-None-Match.", Text({{"pattern", JsonText("^\".+\"$")}}))},
      {"x-request-id", RequestIdHeader()}};
  AddRateLimit(headers);
  const JsonMembers success = {
      {"200", Response("The entity, those around it, and the relations among them.", headers,
                       Content(kJson, SchemaReference("RelationsAnswer")))},
      {"304", Response("The client has this answer.", headers)}};
  return JsonObject({{"operationId", JsonText("getRelations")},
                     {"summary", JsonText("What is this entity related to?")},
                     {"parameters", RelationsParameters()},
                     {"responses", Responses(success, {400, 401, 403, 404, 405, 413, 414, 429, 431,
                                                       500, 503, 504})}});
}

std::string ReportOperation(const char* id, const char* summary, const std::string& content) {
  JsonMembers headers = {{"x-request-id", RequestIdHeader()}};
  AddRateLimit(headers);
  const std::string acknowledged = JsonObject(
      {{"type", JsonText("object")},
       {"properties", JsonObject({{"message", JsonObject({{"const", "\"acknowledged\""}})}})},
       {"required", JsonTexts({"message"})},
       {"additionalProperties", "false"}});
  return JsonObject(
      {{"operationId", JsonText(id)},
       {"summary", JsonText(summary)},
       {"requestBody", JsonObject({{"required", "true"}, {"content", content}})},
       {"responses",
        Responses({{"202", Response("It is on disk.", headers, Content(kJson, acknowledged))}},
                  {400, 401, 403, 404, 405, 413, 414, 429, 431, 500, 503, 504})}});
}

// A route that needs no credentials.
std::string OpenOperation(const char* id, const char* summary, const std::string& content,
                          const std::vector<int>& errors, const JsonMembers& more_headers = {}) {
  JsonMembers headers = {{"x-request-id", RequestIdHeader()}};
  headers.insert(headers.end(), more_headers.begin(), more_headers.end());
  JsonMembers success = {{"200", Response("Yes.", headers, content)}};
  if (!more_headers.empty()) {
    success.emplace_back("304", Response("The client has this answer.", headers));
  }
  return JsonObject({{"operationId", JsonText(id)},
                     {"summary", JsonText(summary)},
                     {"security", "[]"},
                     {"responses", Responses(success, errors)}});
}

std::string Paths() {
  const std::string text = Content("text/plain", Text());
  const std::string lines = Text({{"description", JsonText("An EntityReport or an "
                                                           "AssociationReport a line.")}});
  JsonMembers paths;
  const auto add = [&paths](RouteKind route, const char* method, const std::string& operation) {
    paths.emplace_back(std::string(RouteTemplate(route)), JsonObject({{method, operation}}));
  };
  add(RouteKind::kRelations, "get", RelationsOperation());
  add(RouteKind::kReportEntity, "post",
      ReportOperation("reportEntity", "Reports an entity and those that it is related to.",
                      Content(kJson, SchemaReference("EntityReport"))));
  add(RouteKind::kReportAssociation, "post",
      ReportOperation("reportAssociation", "Relates two entities that exist.",
                      Content(kJson, SchemaReference("AssociationReport"))));
  add(RouteKind::kReportBatch, "post",
      ReportOperation("reportBatch", "Reports all of the lines, or none.",
                      Content("application/x-ndjson", lines)));
  add(RouteKind::kHealth, "get",
      OpenOperation("getHealth", "Is the process there?", text, {405, 413, 414, 431}));
  add(RouteKind::kReady, "get",
      OpenOperation("getReadiness", "Does its server serve?", text, {405, 413, 414, 431, 503}));
  add(RouteKind::kOpenApi, "get",
      OpenOperation("getDescription", "This document.",
                    Content(kJson, JsonObject({{"type", JsonText("object")}})),
                    {405, 413, 414, 431}, {{"ETag", Header("For If-None-Match.", Text())}}));
  return JsonObject(paths);
}

std::string SecuritySchemes() {
  const auto key = [](const char* name) {
    return JsonObject(
        {{"type", JsonText("apiKey")}, {"in", JsonText("header")}, {"name", JsonText(name)}});
  };
  return JsonObject(
      {{"bearer", JsonObject({{"type", JsonText("http")}, {"scheme", JsonText("bearer")}})},
       {"apiKey", key("api-key")},
       {"apiSecret", key("api-secret")}});
}

}  // namespace

absl::StatusOr<std::string> MakeOpenApi() {
  ASSIGN_OR_RETURN(const JsonMembers schemas, MessageSchemas());
  JsonMembers errors;
  for (const Error& error : Errors()) {
    errors.emplace_back(ErrorName(error.status), ErrorResponse(error));
  }
  const std::string info = JsonObject(
      {{"title", JsonText("Threat-graph relations")},
       {"version", JsonText(RELATIONS_VERSION)},
       {"description", JsonText("What is this indicator connected to? HEAD answers as GET without "
                                "a body, OPTIONS with 204.")},
       {"license",
        JsonObject({{"name", JsonText("Apache-2.0")}, {"identifier", JsonText("Apache-2.0")}})}});
  return JsonObject({{"openapi", JsonText("3.1.0")},
                     {"info", info},
                     {"servers", JsonList({JsonObject({{"url", JsonText("/")}})})},
                     {"security", R"([{"bearer":[]},{"apiKey":[],"apiSecret":[]}])"},
                     {"paths", Paths()},
                     {"components", JsonObject({{"schemas", JsonObject(schemas)},
                                                {"responses", JsonObject(errors)},
                                                {"securitySchemes", SecuritySchemes()}})}});
}

}  // namespace relations::gateway
