#include "tests/scenarios/served_scenarios.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "relations/v1/admin.pb.h"
#include "simdjson.h"
#include "storage/consolidation.h"

namespace relations {
namespace {

constexpr char kUser[] = "7e57e57e-0000-4000-8000-000000000002";

enum class RelationForm { kPlain, kDetailed };

std::string Time(int day) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", ScenarioDay(day), absl::UTCTimeZone());
}

std::string Quoted(const GroupSet& groups) {
  return "[\"" + absl::StrJoin(groups, "\",\"") + "\"]";
}

std::string JsonLines(const std::vector<Scenario>& scenarios) {
  std::string text;
  for (const Scenario& scenario : scenarios) {
    for (const ScenarioEntity& entity : scenario.entities) {
      absl::StrAppend(&text, R"({"id":")", entity.id, R"(","type":")",
                      entity.id.substr(0, entity.id.find('-')), R"(","visibleBy":)",
                      Quoted(entity.groups), R"(,"attributes":{}})", "\n");
    }
    for (const ScenarioRelation& relation : scenario.relations) {
      absl::StrAppend(&text, R"({"source":")", relation.source, R"(","target":")", relation.target,
                      R"(","type":")", relation.type, R"(","mode":")",
                      std::string(RelationModeName(relation.mode)), R"(","lastSeen":")",
                      Time(relation.day), "\"");
      if (!relation.default_groups) {
        absl::StrAppend(&text, R"(,"visibleBy":)", Quoted(relation.groups));
      }
      text += "}\n";
    }
  }
  return text;
}

std::string Text(const simdjson::dom::element& object, const char* key) {
  std::string_view text;
  if (object[key].get_string().get(text) != simdjson::SUCCESS) {
    throw std::runtime_error(absl::StrCat("no text ", key));
  }
  return std::string(text);
}

// The text of a REST answer.
std::string Read(const RawAnswer& answer, RelationForm form) {
  if (answer.status == 404) return AnswerText::NotFound();
  if (answer.status != 200) return absl::StrCat(answer.status_line, "\n", answer.body);
  AnswerText text(answer.field("x-stop-reason") == "limit");
  simdjson::dom::parser parser;
  const simdjson::dom::element document = parser.parse(answer.body);
  for (const simdjson::dom::element node : document["nodes"].get_array()) {
    GroupSet groups;
    for (const simdjson::dom::element group : node["visibleBy"].get_array()) {
      groups.emplace_back(std::string_view(group));
    }
    text.AddEntity(Text(node, "id"), groups);
  }
  for (const simdjson::dom::element relation : document["relations"].get_array()) {
    ReferenceRelation read;
    read.source = Text(relation, "source");
    read.target = Text(relation, "target");
    if (form == RelationForm::kPlain) {
      text.AddPair(read.source, read.target);
      continue;
    }
    read.type = Text(relation, "type");
    if (!ParseRelationMode(Text(relation, "mode"), &read.mode) ||
        !absl::ParseTime(absl::RFC3339_full, Text(relation, "lastSeen"), &read.last_seen,
                         nullptr)) {
      return answer.body;
    }
    text.AddRelation(read);
  }
  return text.text();
}

}  // namespace

ServedScenarios::ServedScenarios(const std::vector<Scenario>& scenarios)
    : system_(JsonLines(scenarios)), admin_(system_.CreateKeyPair("public", "admin")) {
  system_.StartServer();
  system_.StartGateway();
  rpc_ = std::make_unique<RpcClient>(system_.socket());
  rest_ = std::make_unique<RestClient>(system_.rest());
}

const Credential& ServedScenarios::CallerWith(const GroupSet& groups) {
  const auto [caller, created] = callers_.try_emplace(groups);
  if (!created) return caller->second;
  v1::CreateCredentialRequest request;
  request.set_user_id(kUser);
  request.mutable_groups()->Assign(groups.begin(), groups.end());
  request.add_roles("user");
  const RpcOutcome outcome =
      rpc_->Call("/relations.v1.AdminService/CreateSession", request, admin_.Metadata());
  v1::CreateSessionResponse session;
  if (outcome.code != "OK" || !session.ParseFromString(outcome.answer)) {
    throw std::runtime_error(absl::StrCat("CreateSession: ", outcome.code, " ", outcome.message));
  }
  caller->second.bearer = session.bearer();
  return caller->second;
}

std::string ServedScenarios::AskRpc(const ScenarioQuestion& question) {
  v1::GetRelationsRequest request;
  request.set_id(question.id);
  request.set_limit(question.limit);
  request.set_levels(question.levels);
  request.mutable_types()->Assign(question.types.begin(), question.types.end());
  const RpcOutcome outcome =
      rpc_->Call(kGetRelations, request, CallerWith(question.groups).Metadata());
  if (outcome.code == "NOT_FOUND") return AnswerText::NotFound();
  v1::GetRelationsResponse response;
  if (outcome.code != "OK" || !response.ParseFromString(outcome.answer)) {
    return absl::StrCat(outcome.code, " ", outcome.message);
  }
  AnswerText text(response.stop_reason() == v1::STOP_REASON_LIMIT);
  for (const v1::Entity& entity : response.nodes()) {
    text.AddEntity(entity.id(), {entity.visible_by().begin(), entity.visible_by().end()});
  }
  for (const v1::Relation& relation : response.relations()) {
    ReferenceRelation read{relation.source(), relation.target(), relation.type(),
                           RelationMode::kAssociation, TimeOf(relation.last_seen())};
    if (!ParseRelationMode(relation.mode(), &read.mode)) return "no mode " + relation.mode();
    text.AddRelation(read);
  }
  return text.text();
}

RawAnswer ServedScenarios::Get(const ScenarioQuestion& question, const std::string& more_query) {
  std::vector<std::string> query;
  if (question.limit != 0) query.push_back(absl::StrCat("limit=", question.limit));
  if (question.levels != 0) query.push_back(absl::StrCat("levels=", question.levels));
  if (!question.types.empty()) query.push_back("types=" + absl::StrJoin(question.types, ","));
  if (!more_query.empty()) query.push_back(more_query);
  return rest_->Get(RelationsPath(question.id, absl::StrJoin(query, "&")),
                    CallerWith(question.groups).Fields());
}

std::string ServedScenarios::AskRest(const ScenarioQuestion& question) {
  return Read(Get(question, ""), RelationForm::kPlain);
}

std::string ServedScenarios::AskRestForDetails(const ScenarioQuestion& question) {
  return Read(Get(question, "details=true"), RelationForm::kDetailed);
}

}  // namespace relations
