// The calls of AdminService as a client sees them.
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "relations/v1/admin.pb.h"
#include "relations/v1/relations.pb.h"
#include "tests/server/rpc_client.h"
#include "tests/server/test_server.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kCreateKeyPair[] = "/relations.v1.AdminService/CreateKeyPair";
constexpr char kCreateSession[] = "/relations.v1.AdminService/CreateSession";
constexpr char kListCredentials[] = "/relations.v1.AdminService/ListCredentials";
constexpr char kRevokeCredential[] = "/relations.v1.AdminService/RevokeCredential";
constexpr char kGetStats[] = "/relations.v1.AdminService/GetStats";

v1::CreateCredentialRequest NewUser() {
  v1::CreateCredentialRequest request;
  request.set_user_id("7e57e57e-0000-4000-8000-000000000002");
  request.set_name("analyst");
  request.add_groups("public");
  request.add_roles("user");
  return request;
}

template <typename Answer>
Answer Get(RpcClient& client, const char* method, const google::protobuf::Message& request,
           const Headers& headers) {
  const RpcOutcome outcome = client.Call(method, request, headers);
  REQUIRE(outcome.code == "OK");
  Answer answer;
  REQUIRE(answer.ParseFromString(outcome.answer));
  return answer;
}

// Whether these headers may read.
std::string ReadCode(RpcClient& client, const Headers& headers) {
  v1::GetRelationsRequest request;
  request.set_id("ip-a");
  return client.Call(kGetRelations, request, headers).code;
}

int64_t DaysFromNow(const google::protobuf::Timestamp& time) {
  const absl::Duration left = absl::FromUnixSeconds(time.seconds()) - absl::Now();
  return (left + absl::Minutes(5)) / absl::Hours(24);
}

TEST_CASE("every admin call needs the role admin") {
  TestServer server;
  RpcClient client(server.address());
  const Headers user = server.Session({"public"}, {"user", "reporter", "trusted"});
  for (const char* method :
       {kCreateKeyPair, kCreateSession, kListCredentials, kRevokeCredential, kGetStats}) {
    CAPTURE(method);
    CHECK(client.Call(method, NewUser(), {}).code == "UNAUTHENTICATED");
    CHECK(client.Call(method, NewUser(), user).code == "PERMISSION_DENIED");
  }
  CHECK(server.credentials().List(store::v1::CredentialRecord::KIND_KEY_PAIR)->empty());
}

TEST_CASE("a created key pair works until it is revoked, from the next request on") {
  TestServer server;
  RpcClient client(server.address());
  const Headers admin = server.Session({}, {"admin"});
  const auto created = Get<v1::CreateKeyPairResponse>(client, kCreateKeyPair, NewUser(), admin);
  CHECK(created.api_key().size() == 32);
  CHECK(created.api_secret().size() == 64);
  CHECK(created.credential().kind() == v1::CREDENTIAL_KIND_KEY_PAIR);
  CHECK(created.credential().name() == "analyst");
  CHECK(DaysFromNow(created.credential().expires_at()) == 365);
  const Headers pair = {{"api-key", created.api_key()}, {"api-secret", created.api_secret()}};
  CHECK(ReadCode(client, pair) == "OK");

  v1::RevokeCredentialRequest revoke;
  revoke.set_kind(v1::CREDENTIAL_KIND_KEY_PAIR);
  revoke.set_id(created.credential().id());
  for (int time = 0; time < 2; ++time) {
    CHECK(Get<v1::RevokeCredentialResponse>(client, kRevokeCredential, revoke, admin)
              .credential()
              .revoked());
    CHECK(ReadCode(client, pair) == "UNAUTHENTICATED");
  }
}

TEST_CASE("a created session works until it is revoked") {
  TestServer server;
  RpcClient client(server.address());
  const Headers admin = server.Session({}, {"admin"});
  const auto created = Get<v1::CreateSessionResponse>(client, kCreateSession, NewUser(), admin);
  CHECK(created.bearer().size() == 64);
  CHECK(created.credential().kind() == v1::CREDENTIAL_KIND_SESSION);
  CHECK(DaysFromNow(created.credential().expires_at()) == 1);
  const Headers session = {{"authorization", "Bearer " + created.bearer()}};
  CHECK(ReadCode(client, session) == "OK");

  v1::RevokeCredentialRequest revoke;
  revoke.set_id(created.credential().id());
  revoke.set_kind(v1::CREDENTIAL_KIND_KEY_PAIR);
  const RpcOutcome other_kind = client.Call(kRevokeCredential, revoke, admin);
  CHECK(other_kind.code == "NOT_FOUND");
  CHECK(other_kind.param == "id");
  CHECK(ReadCode(client, session) == "OK");
  revoke.set_kind(v1::CREDENTIAL_KIND_SESSION);
  CHECK(client.Call(kRevokeCredential, revoke, admin).code == "OK");
  CHECK(ReadCode(client, session) == "UNAUTHENTICATED");
}

TEST_CASE("an admin who revokes their own session is out with the next request") {
  TestServer server;
  RpcClient client(server.address());
  const Headers admin = server.Session({}, {"admin"});
  v1::ListCredentialsRequest list;
  list.set_kind(v1::CREDENTIAL_KIND_SESSION);
  const auto sessions = Get<v1::ListCredentialsResponse>(client, kListCredentials, list, admin);
  REQUIRE(sessions.credentials_size() == 1);
  v1::RevokeCredentialRequest revoke;
  revoke.set_kind(v1::CREDENTIAL_KIND_SESSION);
  revoke.set_id(sessions.credentials(0).id());
  CHECK(client.Call(kRevokeCredential, revoke, admin).code == "OK");
  CHECK(client.Call(kRevokeCredential, revoke, admin).code == "UNAUTHENTICATED");
}

TEST_CASE("a list holds no secret and no digest") {
  TestServer server;
  RpcClient client(server.address());
  const Headers admin = server.Session({}, {"admin"});
  const auto created = Get<v1::CreateKeyPairResponse>(client, kCreateKeyPair, NewUser(), admin);
  v1::ListCredentialsRequest list;
  list.set_kind(v1::CREDENTIAL_KIND_KEY_PAIR);
  const RpcOutcome outcome = client.Call(kListCredentials, list, admin);
  REQUIRE(outcome.code == "OK");
  CHECK(outcome.answer.find(created.api_secret()) == std::string::npos);
  CHECK(outcome.answer.find(created.api_key()) == std::string::npos);
  v1::ListCredentialsResponse answer;
  REQUIRE(answer.ParseFromString(outcome.answer));
  REQUIRE(answer.credentials_size() == 1);
  CHECK(answer.credentials(0).SerializeAsString() == created.credential().SerializeAsString());
}

TEST_CASE("wrong parameters of admin calls are named") {
  TestServer server;
  RpcClient client(server.address());
  const Headers admin = server.Session({}, {"admin"});
  const RpcOutcome no_kind = client.Call(kListCredentials, v1::ListCredentialsRequest(), admin);
  CHECK(no_kind.code == "INVALID_ARGUMENT");
  CHECK(no_kind.param == "kind");
  v1::RevokeCredentialRequest odd_kind;
  odd_kind.set_kind(static_cast<v1::CredentialKind>(7));
  CHECK(client.Call(kRevokeCredential, odd_kind, admin).param == "kind");

  auto bad_user = NewUser();
  bad_user.set_user_id("me");
  const RpcOutcome refused = client.Call(kCreateSession, bad_user, admin);
  CHECK(refused.code == "INVALID_ARGUMENT");
  CHECK(refused.reason == "invalid_argument");
  CHECK(refused.param == "user_id");
  auto bad_days = NewUser();
  bad_days.set_days(-1);
  CHECK(client.Call(kCreateKeyPair, bad_days, admin).param == "days");
  CHECK(client.Call(kCreateKeyPair, "\xFF", admin).reason == "malformed_request");
}

TEST_CASE("statistics count entities by type, relations and bytes") {
  TestServer server;
  RpcClient client(server.address());
  const auto stats = Get<v1::GetStatsResponse>(client, kGetStats, v1::GetStatsRequest(),
                                               server.Session({}, {"admin"}));
  CHECK(stats.entities() == 3);
  CHECK(stats.entities_by_type().at("ip") == 2);
  CHECK(stats.entities_by_type().at("domain") == 1);
  CHECK(stats.relations() == 2);
  CHECK(stats.bytes_by_family().count("adjacency") == 1);
}

}  // namespace
}  // namespace relations
