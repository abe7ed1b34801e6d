// The description of the REST API that the gateway serves, held against real answers: every route,
// every error that it names. The validator is a program of its own (openapi_check.py).
#include <signal.h>

#include <string>
#include <utility>

#include "storage/base/json_text.h"
#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/ctl/run_program.h"
#include "tests/gateway/fake_backend.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kDescription[] = "/openapi.json";

std::string Quoted(const std::string& text) {
  std::string json;
  AppendJsonString(text, json);
  return json;
}

// Asks, and keeps what was asked and answered as lines of JSON.
class Recorder {
 public:
  void AskAt(const std::string& address, const std::string& target, const std::string& fields = "",
             const std::string& method = "GET", const std::string& body = "") {
    const std::string length =
        body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    RestClient client(address);
    const RawAnswer answer = client.Ask(RequestText(target, fields + length, method) + body);
    std::string names;
    for (const auto& [name, value] : answer.fields) {
      names += (names.empty() ? "" : ",") + Quoted(name) + ":" + Quoted(value);
    }
    lines_ += "{\"method\":" + Quoted(method) +
              ",\"path\":" + Quoted(target.substr(0, target.find('?'))) +
              ",\"status\":" + std::to_string(answer.status) + ",\"fields\":{" + names +
              "},\"body\":" + Quoted(answer.body) + ",\"sent\":" + Quoted(body) + "}\n";
    statuses_ += std::to_string(answer.status) + " ";
  }

  const std::string& lines() const { return lines_; }
  // In order, each followed by a blank.
  std::string TakeStatuses() { return std::exchange(statuses_, ""); }

 private:
  std::string lines_;
  std::string statuses_;
};

std::string Repeated(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

void AskForRelations(Recorder& recorder, SystemUnderTest& system, const Credential& reader) {
  const std::string fields = reader.Fields();
  const auto ask = [&](const std::string& query, const std::string& more = "") {
    recorder.AskAt(system.rest(), RelationsPath("hub-0", query), fields + more);
  };
  ask("");
  ask("limit=3&levels=1");
  ask("details=true");
  ask("limit=100&types=leaf");
  RestClient client(system.rest());
  ask("", "If-None-Match: " + client.Get(RelationsPath("hub-0"), fields).field("etag") + "\r\n");
  CHECK(recorder.TakeStatuses() == "200 200 200 200 304 ");
  for (const char* query :
       {"limit=0", "levels=x", "types=,", "details=maybe", "limit=1&limit=2", "limit=%zz"}) {
    ask(query);
  }
  recorder.AskAt(system.rest(), RelationsPath("x"), fields);
  CHECK(recorder.TakeStatuses() == Repeated("400 ", 7));
}

void BeRefused(Recorder& recorder, SystemUnderTest& system, const Credential& reader,
               const Credential& limited, const Credential& stranger) {
  const std::string target = RelationsPath("hub-0");
  const auto ask = [&](const std::string& where, const std::string& fields,
                       const std::string& method = "GET", const std::string& body = "") {
    recorder.AskAt(system.rest(), where, fields, method, body);
  };
  ask(target, "");
  ask(target, "Authorization: Bearer nobody\r\n");
  ask(target, stranger.Fields());
  ask(RelationsPath("missing-1"), reader.Fields());
  ask("/no/such/route", reader.Fields());
  ask(target, reader.Fields(), "DELETE");
  ask(kDescription, "", "POST");
  ask("/api/ingest/v1/entity", reader.Fields());
  ask(target, reader.Fields(), "GET", std::string(70000, 'x'));
  ask(target + "?x=" + std::string(9000, 'x'), reader.Fields());
  ask(target, reader.Fields() + "x: " + std::string(20000, 'x') + "\r\n");
  ask(target, limited.Fields());
  ask(target, limited.Fields());
  CHECK(recorder.TakeStatuses() == "401 401 403 404 404 405 405 405 413 414 431 200 429 ");
}

void Report(Recorder& recorder, SystemUnderTest& system, const Credential& reporter,
            const Credential& reader) {
  const auto report = [&](const std::string& what, const std::string& body,
                          const std::string& fields) {
    recorder.AskAt(system.rest(), "/api/ingest/v1/" + what, fields, "POST", body);
  };
  const std::string entity =
      R"({"type":"ip","attributes":{"ip":"8.8.8.8","asn":15169,"anycast":true,"isp":null},)"
      R"("associations":[{"type":"domain","attributes":{"domain":"dns.google"},)"
      R"("mode":"aggregation"}],"reputation":3,"tags":["dns"],"visibleBy":null,"value":7})";
  report("entity", entity, reporter.Fields());
  report("batch", R"({"type":"ip","attributes":{"ip":"8.8.4.4"}})", reporter.Fields());
  report("association", R"({"entityID":"hub-0","relatedEntityID":"leaf-120"})", reporter.Fields());
  CHECK(recorder.TakeStatuses() == "202 202 202 ");
  report("entity", "{", reporter.Fields());
  report("entity", R"({"type":"ip"})", reporter.Fields());
  report("association", R"({"entityID":"missing-1","relatedEntityID":"hub-0"})", reporter.Fields());
  report("entity", entity, reader.Fields());
  report("entity", entity, "");
  CHECK(recorder.TakeStatuses() == "400 400 404 403 401 ");
}

TEST_CASE("every answer is what the OpenAPI document of the gateway says") {
  SystemUnderTest system(ConformanceGraph());
  const Credential reader = system.CreateKeyPair("public,g1", "user");
  const Credential reporter = system.CreateKeyPair("public", "reporter");
  const Credential stranger = system.CreateSession("public", "reporter");
  const Credential limited = system.CreateSession("public", "user,trusted");
  system.StartServer({"--rate-limit", "trusted=0.001:1"});
  system.StartGateway();
  RestClient client(system.rest());
  const RawAnswer description = client.Get(kDescription);
  REQUIRE(description.status == 200);

  Recorder recorder;
  AskForRelations(recorder, system, reader);
  BeRefused(recorder, system, reader, limited, stranger);
  Report(recorder, system, reporter, reader);
  for (const char* open : {"/healthz", "/readyz", kDescription}) {
    recorder.AskAt(system.rest(), open);
  }
  CHECK(recorder.TakeStatuses() == "200 200 200 ");

  // A server that does not answer, then none.
  system.StopGateway();
  system.StartGateway({"--request-timeout-ms", "200"});
  system.server().Freeze();
  recorder.AskAt(system.rest(), RelationsPath("hub-0"), reader.Fields());
  CHECK(recorder.TakeStatuses() == "504 ");
  system.server().Signal(SIGCONT);
  system.StopServer();
  recorder.AskAt(system.rest(), RelationsPath("hub-0"), reader.Fields());
  recorder.AskAt(system.rest(), "/readyz");
  CHECK(recorder.TakeStatuses() == "503 503 ");

  // A server at fault.
  gateway::FakeBackend broken(system.file("broken"));
  broken.SetScript([](const gateway::FakeBackend::Call&) {
    gateway::FakeBackend::Outcome outcome;
    outcome.code = absl::StatusCode::kDataLoss;
    return outcome;
  });
  ProcessUnderTest front(GatewayProgram(),
                         {"--backend", "unix:" + system.file("broken"), "--listen", "127.0.0.1:0"});
  recorder.AskAt(front.ReadAddress(), RelationsPath("hub-0"), reader.Fields());
  CHECK(recorder.TakeStatuses() == "500 ");

  WriteFile(system.file("openapi.json"), description.body);
  WriteFile(system.file("exchanges"), recorder.lines());
  const ProgramResult check =
      RunProgram("/usr/bin/python3",
                 {std::string(RELATIONS_SOURCE_DIR) + "/tests/conformance/openapi_check.py",
                  system.file("openapi.json"), system.file("exchanges")});
  INFO(check.out << check.err);
  CHECK(check.exit_code == 0);

  // The check itself notices what is not described.
  const std::string wrong = R"({"method":"GET","path":"/healthz","status":200,)"
                            R"("fields":{"content-type":"text/plain","x-new":"1"},"body":"ok"})";
  WriteFile(system.file("exchanges"), recorder.lines() + wrong + "\n");
  const ProgramResult faulty =
      RunProgram("/usr/bin/python3",
                 {std::string(RELATIONS_SOURCE_DIR) + "/tests/conformance/openapi_check.py",
                  system.file("openapi.json"), system.file("exchanges")});
  CHECK(faulty.exit_code == 1);
  CHECK(faulty.out.find("header x-new is not described") != std::string::npos);
  CHECK(faulty.out.find("no header x-request-id") != std::string::npos);
}

TEST_CASE("the OpenAPI document needs no credentials and may be kept") {
  SystemUnderTest system(ConformanceGraph());
  system.StartServer();
  system.StartGateway();
  RestClient client(system.rest());
  const RawAnswer plain = client.Get(kDescription);
  CHECK(plain.status == 200);
  CHECK(plain.field("content-type") == "application/json; charset=utf-8");
  CHECK(plain.field("cache-control") == "public, max-age=300");
  CHECK(plain.field("vary") == "Accept-Encoding");
  const RawAnswer same = client.Get(kDescription, "If-None-Match: " + plain.field("etag") + "\r\n");
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  const RawAnswer coded = client.Get(kDescription, "Accept-Encoding: gzip\r\n");
  CHECK(coded.body == plain.body);
  CHECK(coded.field("etag") != plain.field("etag"));
  const RawAnswer head = client.Ask(RequestText(kDescription, "", "HEAD"), BodyRule::kNone);
  CHECK(head.status == 200);
  CHECK(head.field("content-length") == std::to_string(plain.body.size()));
  CHECK(client.Get(std::string(kDescription) + "/").status == 200);
}

}  // namespace
}  // namespace relations
