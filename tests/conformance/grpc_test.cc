// The gRPC face: the same contract, without the gateway (contract, sections 3 to 5).
#include <string>
#include <vector>

#include "relations/v1/admin.pb.h"
#include "relations/v1/relations.pb.h"
#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

RpcClient& Client() {
  static RpcClient client(Conformance().system.socket());
  return client;
}

v1::GetRelationsRequest Question(const std::string& id, int limit = 0, int levels = 0,
                                 const std::vector<std::string>& types = {}) {
  v1::GetRelationsRequest question;
  question.set_id(id);
  question.set_limit(limit);
  question.set_levels(levels);
  for (const std::string& type : types) question.add_types(type);
  return question;
}

v1::GetRelationsResponse Answered(const RpcOutcome& outcome) {
  CAPTURE(outcome.code, outcome.message);
  REQUIRE(outcome.code == "OK");
  v1::GetRelationsResponse answer;
  REQUIRE(answer.ParseFromString(outcome.answer));
  return answer;
}

std::string Ids(const v1::GetRelationsResponse& answer) {
  std::string ids;
  for (const v1::Entity& entity : answer.nodes()) ids += (ids.empty() ? "" : " ") + entity.id();
  return ids;
}

// A failure with all that the contract says of it.
void CheckFailed(const RpcOutcome& outcome, const std::string& code, const std::string& reason,
                 const std::string& param = "") {
  CAPTURE(outcome.message);
  CHECK(outcome.code == code);
  CHECK(outcome.reason == reason);
  CHECK(outcome.param == param);
  CHECK(outcome.domain == "relations.v1");
  CHECK(outcome.details_code == code);
  CHECK(outcome.details_message == outcome.message);
  CHECK(IsUuidV4(outcome.error_id));
  CHECK(outcome.answer.empty());
}

TEST_CASE("a call is answered with details, defaults for zero, maxima for more") {
  const Headers reader = Conformance().reader.Metadata();
  const auto answer = Answered(Client().Call(kGetRelations, Question("domain-root"), reader));
  CHECK(Ids(answer) == "domain-root ip-near ip-fresh url-far");
  CHECK(answer.stop_reason() == v1::STOP_REASON_COMPLETE);
  REQUIRE(answer.relations_size() == 5);
  CHECK(answer.relations(0).type() == "related-to");
  CHECK(answer.relations(1).type() == "resolves-to");
  CHECK(answer.relations(3).mode() == "aggregation");
  CHECK(answer.relations(4).last_seen().seconds() == 1640995200);
  CHECK(answer.nodes(0).visible_by_size() == 2);

  struct Row {
    int limit;
    int nodes;
  };
  for (const Row row :
       {Row{0, 51}, Row{1, 2}, Row{100, 101}, Row{101, 101}, Row{2147483647, 101}}) {
    CAPTURE(row.limit);
    const auto hub = Answered(Client().Call(kGetRelations, Question("hub-0", row.limit), reader));
    CHECK(hub.nodes_size() == row.nodes);
    CHECK(hub.stop_reason() == v1::STOP_REASON_LIMIT);
  }
  for (const Row row : {Row{0, 4}, Row{1, 2}, Row{5, 6}, Row{6, 6}, Row{2147483647, 6}}) {
    CAPTURE(row.limit);
    CHECK(Answered(Client().Call(kGetRelations, Question("chain-0", 0, row.limit), reader))
              .nodes_size() == row.nodes);
  }
  CHECK(Ids(Answered(Client().Call(kGetRelations, Question("domain-root", 0, 0, {"url", "ip"}),
                                   reader))) == "domain-root ip-near ip-fresh url-far");
}

TEST_CASE("a session speaks as a key pair does, with any case of the scheme") {
  const std::string bearer = Conformance().session.bearer;
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    CHECK(Client()
              .Call(kGetRelations, Question("ip-near"), {{"authorization", scheme + bearer}})
              .code == "OK");
  }
}

TEST_CASE("the gateway cannot be gone around: no credentials, no answer") {
  const ConformanceSystem& all = Conformance();
  const Credential& pair = all.reader;
  for (const Headers& headers : std::vector<Headers>{
           {},
           {{"user-id", "7e57e57e-0000-4000-8000-000000000001"}, {"groups", "public,g1"}},
           {{"x-forwarded-user", "admin"}, {"roles", "admin"}},
           {{"authorization", ""}},
           {{"authorization", "Bearer"}},
           {{"authorization", "Bearer wrong"}},
           {{"authorization", "Basic " + all.session.bearer}},
           {{"authorization", "Bearer " + all.session.bearer},
            {"authorization", "Bearer " + all.session.bearer}},
           {{"authorization", "Bearer wrong"},
            {"api-key", pair.api_key},
            {"api-secret", pair.api_secret}},
           {{"api-key", pair.api_key}},
           {{"api-secret", pair.api_secret}},
           {{"api-key", pair.api_key}, {"api-secret", ""}},
           {{"api-key", pair.api_key}, {"api-secret", std::string(600, 'x')}},
           {{"api-key", pair.api_key}, {"api-key", pair.api_key}, {"api-secret", pair.api_secret}},
           all.expired.Metadata(),
           all.expired_session.Metadata(),
           all.unverified.Metadata(),
           all.revoked.Metadata()}) {
    for (const auto& question : {Question("ip-near"), Question("nohyphen", -1)}) {
      CheckFailed(Client().Call(kGetRelations, question, headers), "UNAUTHENTICATED",
                  "unauthenticated");
    }
    for (const char* method :
         {"CreateKeyPair", "CreateSession", "ListCredentials", "RevokeCredential", "GetStats"}) {
      CheckFailed(Client().Call(std::string("/relations.v1.AdminService/") + method, "", headers),
                  "UNAUTHENTICATED", "unauthenticated");
    }
  }
}

TEST_CASE("a role that is missing is told before anything else") {
  const ConformanceSystem& all = Conformance();
  for (const Credential* caller : {&all.reporter, &all.trusted}) {
    for (const auto& question :
         {Question("ip-near"), Question("none-0"), Question("nohyphen", -1)}) {
      CheckFailed(Client().Call(kGetRelations, question, caller->Metadata()), "PERMISSION_DENIED",
                  "permission_denied");
    }
  }
  for (const Credential* caller : {&all.reader, &all.reporter, &all.trusted}) {
    CheckFailed(Client().Call("/relations.v1.AdminService/GetStats", "", caller->Metadata()),
                "PERMISSION_DENIED", "permission_denied");
  }
  const RpcOutcome stats =
      Client().Call("/relations.v1.AdminService/GetStats", "", all.admin.Metadata());
  CHECK(stats.code == "OK");
  v1::GetStatsResponse counts;
  REQUIRE(counts.ParseFromString(stats.answer));
  CHECK(counts.entities_by_type().at("leaf") == 120);
}

TEST_CASE("a wrong parameter is named, with its reason") {
  const Headers reader = Conformance().reader.Metadata();
  for (const std::string& id : std::vector<std::string>{
           "", "a-", "-a", "abc", "a b-c", "ip_a-b", "ip-%7a", std::string(126, 'a') + "-bb",
           "ip-\xC3\xA9", std::string("a-b\0c", 5), std::string(100000, 'a') + "-b"}) {
    CAPTURE(id.substr(0, 60));
    CheckFailed(Client().Call(kGetRelations, Question(id), reader), "INVALID_ARGUMENT",
                "invalid_id", "id");
  }
  for (const int value : {-1, -2147483647 - 1}) {
    CheckFailed(Client().Call(kGetRelations, Question("ip-near", value), reader),
                "INVALID_ARGUMENT", "invalid_limit", "limit");
    CheckFailed(Client().Call(kGetRelations, Question("ip-near", 0, value), reader),
                "INVALID_ARGUMENT", "invalid_levels", "levels");
  }
  CHECK(Client()
            .Call(kGetRelations, Question("ip-near", 0, 0, std::vector<std::string>(64, "ip")),
                  reader)
            .code == "OK");
  for (const auto& types :
       std::vector<std::vector<std::string>>{{""},
                                             {"IP"},
                                             {"ip", "u rl"},
                                             {std::string(65, 'a')},
                                             std::vector<std::string>(65, "ip")}) {
    CheckFailed(Client().Call(kGetRelations, Question("ip-near", 0, 0, types), reader),
                "INVALID_ARGUMENT", "invalid_types", "types");
  }
  CheckFailed(Client().Call(kGetRelations, std::string("\x0A\xFFnonsense"), reader),
              "INVALID_ARGUMENT", "malformed_request");
}

TEST_CASE("hidden and missing are one failure, but for its id") {
  const ConformanceSystem& all = Conformance();
  const RpcOutcome missing =
      Client().Call(kGetRelations, Question("ip-zzzzzz"), all.reader.Metadata());
  CheckFailed(missing, "NOT_FOUND", "not_found");
  struct Row {
    const Credential& caller;
    std::string id;
  };
  for (const Row& row : {Row{all.reader, "ip-secret"}, Row{all.public_reader, "ip-fresh"},
                         Row{all.g2_reader, "ip-near"}, Row{all.stranger, "domain-root"},
                         Row{all.groupless, "domain-root"}}) {
    CAPTURE(row.id);
    Headers headers = row.caller.Metadata();
    headers.emplace_back("groups", "public,g1,g2");
    headers.emplace_back("user-id", "7e57e57e-0000-4000-8000-000000000001");
    const RpcOutcome hidden = Client().Call(kGetRelations, Question(row.id), headers);
    CheckFailed(hidden, "NOT_FOUND", "not_found");
    CHECK(hidden.message == missing.message);
    CHECK(hidden.error_id != missing.error_id);
  }
}

TEST_CASE("groups that a client claims show nothing more") {
  Headers headers = Conformance().public_reader.Metadata();
  const RpcOutcome plain = Client().Call(kGetRelations, Question("domain-root"), headers);
  headers.emplace_back("groups", "g1,g2");
  headers.emplace_back("user-id", "7e57e57e-0000-4000-8000-000000000001");
  const RpcOutcome claimed = Client().Call(kGetRelations, Question("domain-root"), headers);
  const v1::GetRelationsResponse answer = Answered(plain);
  CHECK(Ids(answer) == "domain-root ip-near url-far");
  CHECK(answer.nodes(0).visible_by_size() == 1);
  CHECK((claimed.answer == plain.answer));
}

TEST_CASE("health and reflection are there for anybody, an unknown method is unimplemented") {
  for (const char* service : {"", "relations.v1.RelationsService", "relations.v1.AdminService"}) {
    CAPTURE(service);
    const RpcOutcome health = Client().Call(kHealthCheck, HealthRequest(service), {});
    CHECK(health.code == "OK");
    CHECK(health.answer == kServing);
  }
  CHECK(Client().Call(kHealthCheck, HealthRequest("relations.v1.NoService"), {}).code ==
        "NOT_FOUND");
  // ServerReflectionRequest.list_services (field 7) = "*".
  RpcStream stream = Client().Open(kReflection, "\x3A\x01*");
  const std::optional<std::string> services = stream.Read();
  REQUIRE(services.has_value());
  for (const char* service :
       {"relations.v1.RelationsService", "relations.v1.AdminService", "grpc.health.v1.Health"}) {
    CAPTURE(service);
    CHECK(services->find(service) != std::string::npos);
  }
  CHECK(Client().Call("/relations.v1.RelationsService/Nothing", "", {}).code == "UNIMPLEMENTED");
}

}  // namespace
}  // namespace relations
