// A read-only server beside the server that writes the store, as two programs on one directory:
// what it answers, what it refuses, and what it does when the other one is killed, restarted or
// not there yet.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "relations/v1/admin.pb.h"
#include "relations/v1/ingest.pb.h"
#include "relations/v1/relations.pb.h"
#include "storage/entity_id.h"
#include "tests/ctl/run_program.h"
#include "tests/gateway/raw_client.h"
#include "tests/server/report_client.h"
#include "tests/server/rpc_client.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

constexpr char kReportBatch[] = "/relations.v1.IngestService/ReportBatch";
// Tries of something that comes with time; each is a call.
constexpr int kTries = 20000;
constexpr int kLeaves = 12;

std::string Ip(int number) { return absl::StrCat("198.51.100.", 1 + number); }
std::string IdOf(int number) { return MakeEntityId("ip", Ip(number)); }

// One request that says the same of a hub and all its leaves.
v1::ReportBatchRequest Round(int round) {
  v1::ReportBatchRequest request;
  v1::EntityReport& hub = *request.add_reports()->mutable_entity();
  const auto fill = [round](v1::EntityReport& report, int number) {
    report.set_type("ip");
    (*report.mutable_attributes())["ip"].set_string_value(Ip(number));
    (*report.mutable_attributes())["round"].set_number_value(round);
  };
  fill(hub, 0);
  for (int leaf = 1; leaf <= kLeaves; ++leaf) fill(*hub.add_associations(), leaf);
  return request;
}

// The round that an answer about the hub is of; -1 when there is none, or more than one, or when
// not all of the leaves are there.
int RoundOf(const RpcOutcome& outcome) {
  v1::GetRelationsResponse answer;
  if (outcome.code != "OK" || !answer.ParseFromString(outcome.answer)) return -1;
  if (answer.nodes_size() != kLeaves + 1 || answer.relations_size() != kLeaves) return -1;
  const auto round = [&](int i) {
    return static_cast<int>(answer.nodes(i).attributes().at("round").number_value());
  };
  for (int i = 1; i < answer.nodes_size(); ++i) {
    if (round(i) != round(0)) return -1;
  }
  return round(0);
}

class Deployment {
 public:
  Deployment() {
    const ProgramResult created = RunCtl({"--data", store(), "sessions", "create", "--user",
                                          "7e57e57e-0000-4000-8000-000000000001", "--groups",
                                          "public", "--roles", "user,reporter,admin", "--json"});
    const std::string member = "\"bearer\":\"";
    const size_t begin = created.out.find(member);
    REQUIRE(begin != std::string::npos);
    headers_ = {{"authorization", "Bearer " + created.out.substr(begin + member.size(), 64)}};
  }

  std::string store() const { return directory_ / "store"; }
  const TempDir& directory() const { return directory_; }
  const Headers& headers() const { return headers_; }

  void StartPrimary() {
    primary_ = std::make_unique<ProcessUnderTest>(
        ServerProgram(),
        std::vector<std::string>{"--data", store(), "--listen", "unix:" + (directory_ / "primary"),
                                 "--cache-mb", "8"});
    REQUIRE_FALSE(primary_->ReadAddress().empty());
    at_primary_ = std::make_unique<RpcClient>("unix:" + (directory_ / "primary"));
  }
  std::vector<std::string> FollowerArguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--data",
                                          store(),
                                          "--read-only",
                                          "--listen",
                                          "unix:" + (directory_ / "follower"),
                                          "--cache-mb",
                                          "8",
                                          "--catch-up-interval-ms",
                                          "10"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  void StartFollower(const std::vector<std::string>& more = {}) {
    follower_ = std::make_unique<ProcessUnderTest>(ServerProgram(), FollowerArguments(more));
    const std::string address = follower_->ReadAddress();
    INFO(follower_->Errors());
    REQUIRE_FALSE(address.empty());
    at_follower_ = std::make_unique<RpcClient>(address);
  }

  void Report(int round) {
    const RpcOutcome outcome = at_primary().Call(kReportBatch, Round(round), headers_);
    REQUIRE(outcome.code == "OK");
  }
  RpcOutcome Ask(RpcClient& client) {
    v1::GetRelationsRequest request;
    request.set_id(IdOf(0));
    return client.Call(kGetRelations, request, headers_);
  }
  // Whether the follower comes to answer with this round, and with nothing else that is not whole.
  bool ShowsRound(int round) {
    for (int i = 0; i < kTries; ++i) {
      if (RoundOf(Ask(at_follower())) == round) return true;
    }
    return false;
  }

  ProcessUnderTest& primary() { return *primary_; }
  ProcessUnderTest& follower() { return *follower_; }
  RpcClient& at_primary() { return *at_primary_; }
  RpcClient& at_follower() { return *at_follower_; }

 private:
  TempDir directory_;
  Headers headers_;
  std::unique_ptr<ProcessUnderTest> primary_;
  std::unique_ptr<ProcessUnderTest> follower_;
  std::unique_ptr<RpcClient> at_primary_;
  std::unique_ptr<RpcClient> at_follower_;
};

TEST_CASE("the follower answers what was reported, whatever becomes of the primary") {
  Deployment both;
  both.StartPrimary();
  both.Report(1);
  both.StartFollower();
  CHECK(RoundOf(both.Ask(both.at_follower())) == 1);
  both.Report(2);
  CHECK(both.ShowsRound(2));

  both.primary().Signal(SIGKILL);
  CHECK(both.primary().Wait() == -SIGKILL);
  CHECK(RoundOf(both.Ask(both.at_follower())) == 2);

  both.StartPrimary();
  both.Report(3);
  CHECK(both.ShowsRound(3));

  both.primary().Signal(SIGTERM);
  CHECK(both.primary().Wait() == 0);
  // A whole import while nothing but the follower has the store open.
  WriteFile(
      both.directory() / "feed.jsonl",
      absl::StrCat(R"({"id":")", MakeEntityId("ip", "203.0.113.9"),
                   R"(","type":"ip","attributes":{"ip":"203.0.113.9"}})", "\n", R"({"source":")",
                   IdOf(0), R"(","target":")", MakeEntityId("ip", "203.0.113.9"), R"("})", "\n"));
  const ProgramResult imported =
      RunCtl({"--data", both.store(), "import", both.directory() / "feed.jsonl"});
  INFO(imported.err);
  REQUIRE(imported.exit_code == 0);
  v1::GetRelationsResponse answer;
  for (int i = 0; i < kTries && answer.nodes_size() != kLeaves + 2; ++i) {
    answer.ParseFromString(both.Ask(both.at_follower()).answer);
  }
  CHECK(answer.nodes_size() == kLeaves + 2);
  CHECK(answer.relations_size() == kLeaves + 1);
  const ProgramResult compacted = RunCtl({"--data", both.store(), "compact"});
  CHECK(compacted.exit_code == 0);
  CHECK(both.Ask(both.at_follower()).code == "OK");

  both.follower().Signal(SIGTERM);
  CHECK(both.follower().Wait() == 0);
  const ProgramResult checked = RunCtl({"--data", both.store(), "check"});
  INFO(checked.out << checked.err);
  CHECK(checked.exit_code == 0);
}

TEST_CASE("every answer of the follower is of one moment, while the primary writes and is killed") {
  Deployment both;
  both.StartPrimary();
  both.Report(0);
  both.StartFollower();
  std::atomic<bool> done = false;
  std::atomic<int> mixed = 0;
  std::atomic<int> went_back = 0;
  std::atomic<int> answers = 0;
  std::jthread reader([&] {
    int last = 0;
    do {
      const int round = RoundOf(both.Ask(both.at_follower()));
      if (round < 0) ++mixed;
      if (round < last) ++went_back;
      last = std::max(last, round);
      ++answers;
    } while (!done);
  });
  int round = 0;
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 40; ++i) both.Report(++round);
    both.primary().Signal(SIGKILL);
    CHECK(both.primary().Wait() == -SIGKILL);
    both.StartPrimary();
  }
  CHECK(both.ShowsRound(round));
  done = true;
  reader.join();
  CHECK(answers > 0);
  CHECK(mixed == 0);
  CHECK(went_back == 0);
}

TEST_CASE("whatever would write is refused, and whatever reads is not") {
  Deployment both;
  both.StartPrimary();
  both.Report(1);
  both.StartFollower();
  // Of this API only what is named here does not write.
  const std::vector<std::string> reading = {"ListCredentials", "GetStats", "ListBackups"};
  int refused = 0;
  for (const google::protobuf::FileDescriptor* const file :
       {v1::ReportBatchRequest::descriptor()->file(), v1::GetStatsRequest::descriptor()->file()}) {
    const google::protobuf::ServiceDescriptor& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      const google::protobuf::MethodDescriptor& method = *service.method(i);
      if (method.client_streaming() || method.server_streaming()) continue;
      const std::string path = absl::StrCat("/", service.full_name(), "/", method.name());
      CAPTURE(path);
      const bool reads = std::find(reading.begin(), reading.end(), method.name()) != reading.end();
      // Refused before its parameters are looked at.
      const RpcOutcome outcome =
          both.at_follower().Call(path, reads ? "\x08\x01" : "", both.headers());
      if (reads) {
        CHECK(outcome.code == (method.name() == "ListBackups" ? "FAILED_PRECONDITION" : "OK"));
        continue;
      }
      ++refused;
      CHECK(outcome.code == "PERMISSION_DENIED");
      CHECK(outcome.reason == "read_only");
      // But nobody is told who may not ask.
      CHECK(both.at_follower().Call(path, "", {}).code == "UNAUTHENTICATED");
    }
  }
  CHECK(refused >= 8);
  ReportClient stream("unix:" + (both.directory() / "follower"), both.headers());
  CHECK_FALSE(stream.Read().has_value());
  CHECK(stream.Finish() == "PERMISSION_DENIED");

  ProcessUnderTest gateway(
      GatewayProgram(),
      {"--backend", "unix:" + (both.directory() / "follower"), "--listen", "127.0.0.1:0"});
  gateway::RawClient rest(gateway.ReadAddress());
  const std::string bearer = "Authorization: " + both.headers()[0].second + "\r\n";
  const std::string body = R"({"type":"ip","attributes":{"ip":"203.0.113.7"}})";
  const auto posted =
      rest.Ask(absl::StrCat("POST /api/ingest/v1/entity HTTP/1.1\r\nHost: h\r\n", bearer,
                            "Content-Length: ", body.size(), "\r\n\r\n", body));
  REQUIRE(posted.has_value());
  CHECK(posted->status == 403);
  CHECK(absl::StrContains(posted->body, R"("code":"read_only")"));
  const auto read = rest.Ask(absl::StrCat("GET /api/analytics/v1/entity/", IdOf(0),
                                          "/relations HTTP/1.1\r\nHost: h\r\n", bearer, "\r\n"));
  REQUIRE(read.has_value());
  CHECK(read->status == 200);
}

TEST_CASE("credentials that the primary revokes end at the follower, and new ones begin") {
  Deployment both;
  both.StartPrimary();
  both.Report(1);
  both.StartFollower();
  v1::CreateCredentialRequest create;
  create.set_user_id("7e57e57e-0000-4000-8000-000000000002");
  create.add_groups("public");
  create.add_roles("user");
  v1::CreateSessionResponse session;
  REQUIRE(session.ParseFromString(
      both.at_primary()
          .Call("/relations.v1.AdminService/CreateSession", create, both.headers())
          .answer));
  const Headers headers = {{"authorization", "Bearer " + session.bearer()}};
  v1::GetRelationsRequest question;
  question.set_id(IdOf(0));
  const auto becomes = [&](const std::string& code) {
    for (int i = 0; i < kTries; ++i) {
      if (both.at_follower().Call(kGetRelations, question, headers).code == code) return true;
    }
    return false;
  };
  CHECK(becomes("OK"));
  v1::RevokeCredentialRequest revoke;
  revoke.set_kind(v1::CREDENTIAL_KIND_SESSION);
  revoke.set_id(session.credential().id());
  REQUIRE(both.at_primary()
              .Call("/relations.v1.AdminService/RevokeCredential", revoke, both.headers())
              .code == "OK");
  CHECK(becomes("UNAUTHENTICATED"));
}

TEST_CASE("a follower that starts first waits for the store") {
  const TempDir directory;
  const std::vector<std::string> arguments = {
      "--data", directory / "store", "--listen", "unix:" + (directory / "follower"), "--cache-mb",
      "8",      "--read-only"};
  SECTION("as long as it is told to") {
    std::vector<std::string> impatient = arguments;
    impatient.insert(impatient.end(), {"--wait-for-store-s", "0"});
    ProcessUnderTest follower(ServerProgram(), impatient);
    CHECK(follower.Wait() == 1);
    CHECK(absl::StrContains(follower.Errors(), "there is no store at"));
    CHECK_FALSE(fs::exists(directory / "store"));
  }
  SECTION("until the primary has made it, or until it is stopped") {
    ProcessUnderTest follower(ServerProgram(), arguments);
    ProcessUnderTest stopped(ServerProgram(), {"--data", directory / "none", "--read-only",
                                               "--listen", "unix:" + (directory / "stopped")});
    while (!absl::StrContains(stopped.Errors(), "waiting for the store")) {
      // It ends by itself, should it not wait.
      REQUIRE_FALSE(absl::StrContains(stopped.Errors(), "relations-server: "));
    }
    stopped.Signal(SIGTERM);
    CHECK(stopped.Wait() == 0);
    ProcessUnderTest primary(ServerProgram(),
                             {"--data", directory / "store", "--create-if-missing", "--listen",
                              "unix:" + (directory / "primary"), "--cache-mb", "8"});
    CHECK_FALSE(primary.ReadAddress().empty());
    const std::string address = follower.ReadAddress();
    INFO(follower.Errors());
    CHECK_FALSE(address.empty());
  }
}

TEST_CASE("health tells when the store can no longer be followed, and answers go on") {
  Deployment both;
  both.StartPrimary();
  both.Report(1);
  both.StartFollower({"--lag-max-s", "1"});
  const auto becomes = [&](const std::string& health) {
    for (int i = 0; i < kTries; ++i) {
      if (both.at_follower().Call(kHealthCheck, HealthRequest(""), {}).answer == health) {
        return true;
      }
    }
    return false;
  };
  CHECK(becomes(kServing));
  fs::rename(both.store(), both.directory() / "elsewhere");
  CHECK(becomes(kNotServing));
  CHECK(RoundOf(both.Ask(both.at_follower())) == 1);
  fs::rename(both.directory() / "elsewhere", both.store());
  CHECK(becomes(kServing));
  CHECK(absl::StrContains(both.follower().Errors(), "the primary is not followed"));
  CHECK(absl::StrContains(both.follower().Errors(), "the primary is followed again"));
}

TEST_CASE("metrics tell how far the follower is") {
  Deployment both;
  both.StartPrimary();
  both.Report(1);
  both.StartFollower({"--metrics-listen", "127.0.0.1:0"});
  both.Report(2);
  CHECK(both.ShowsRound(2));
  const std::string line = both.follower().ReadLine();
  REQUIRE(absl::StartsWith(line, "metrics on "));
  gateway::RawClient client(line.substr(std::string("metrics on ").size()));
  const auto answer = client.Ask("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(answer.has_value());
  for (const char* const name :
       {"\nrelations_follower_lag_seconds ", "\nrelations_follower_sequence ",
        "\nrelations_follower_states_total{read=\"log\"} ", "\nrelations_follower_failures_total 0",
        "\nrelations_node_cache_hits_total "}) {
    CAPTURE(name);
    CHECK(absl::StrContains(answer->body, name));
  }
}

TEST_CASE("a restored copy is served by a user who may not write it") {
  Deployment both;
  both.StartPrimary();
  both.Report(7);
  both.primary().Signal(SIGTERM);
  REQUIRE(both.primary().Wait() == 0);
  const std::string backups = both.directory() / "backups";
  const std::string copy = both.directory() / "copy";
  REQUIRE(RunCtl({"--data", both.store(), "backup", "--to", backups}).exit_code == 0);
  REQUIRE(RunCtl({"--data", copy, "restore", "--from", backups}).exit_code == 0);
  for (const fs::path& path : {fs::path(copy), fs::path(both.directory() / "socket")}) {
    fs::create_directories(path);
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(copy)) {
    fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::others_read);
  }
  fs::permissions(copy, fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                            fs::perms::others_exec);
  fs::permissions(both.directory().path(), fs::perms::all);
  fs::permissions(both.directory() / "socket", fs::perms::all);
  const std::string socket = "unix:" + (both.directory() / "socket/follower");
  std::vector<std::string> arguments = {"--data",     copy, "--read-only", "--listen", socket,
                                        "--cache-mb", "8"};
  std::string program = ServerProgram();
  if (geteuid() == 0) {
    // Modes do not bind root.
    arguments.insert(arguments.begin(),
                     {"--reuid", "65534", "--regid", "65534", "--clear-groups", program});
    program = "/usr/bin/setpriv";
  }
  ProcessUnderTest follower(program, arguments);
  const std::string address = follower.ReadAddress();
  INFO(follower.Errors());
  REQUIRE_FALSE(address.empty());
  RpcClient client(address);
  CHECK(RoundOf(both.Ask(client)) == 7);
  follower.Signal(SIGTERM);
  CHECK(follower.Wait() == 0);
}

TEST_CASE("settings that only a writer can keep are refused beside --read-only") {
  const TempDir directory;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--create-if-missing"},
        std::vector<std::string>{"--backup-dir", directory / "backups"}}) {
    std::vector<std::string> arguments = {"--data", directory / "store", "--read-only"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ProcessUnderTest server(ServerProgram(), arguments);
    CHECK(server.Wait() == 1);
    CHECK(absl::StrContains(server.Errors(), more.front()));
  }
}

}  // namespace
}  // namespace relations
