// relationsctl against a running relations-server: queries, credentials, statistics, a locked
// store.
#include <memory>
#include <string>

#include "simdjson.h"
#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

constexpr char kUser[] = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";

constexpr char kGraph[] = R"({"id":"domain-a","type":"domain","lastSeen":"2024-01-02T00:00:00Z",)"
                          R"("attributes":{"domain":"a.example","note":"red\u001b[31m","rank":7}}
{"id":"ip-b","type":"ip","attributes":{"ip":"192.0.2.1"}}
{"id":"ip-c","type":"ip","attributes":{"ip":"192.0.2.2"}}
{"id":"url-d","type":"url","attributes":{"url":"http://a.example/"}}
{"id":"ip-hidden","type":"ip","visibleBy":["others"],"attributes":{"ip":"192.0.2.9"}}
{"source":"domain-a","target":"ip-b","type":"resolves-to","lastSeen":"2024-02-02T00:00:00Z"}
{"source":"domain-a","target":"ip-c","type":"resolves-to","lastSeen":"2024-02-01T00:00:00Z"}
{"source":"url-d","target":"ip-c","type":"hosted-on"}
{"source":"domain-a","target":"ip-b","type":"related-to"}
)";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Member(const std::string& json, const char* key) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view text;
  CAPTURE(json, key);
  REQUIRE(parser.parse(json).get(document) == simdjson::SUCCESS);
  REQUIRE(document[key].get_string().get(text) == simdjson::SUCCESS);
  return std::string(text);
}

// A store with the graph above and an administrator's key, and a server on it.
class ServedStore {
 public:
  ServedStore() {
    const ProgramResult imported = RunCtl({"--data", data(), "import", "--strict", "-"},
                                          {.standard_input = kGraph, .environment = {}});
    CAPTURE(imported.err);
    REQUIRE(imported.exit_code == 0);
    REQUIRE(RunCtl({"--data", data(), "keys", "create", "--user", kUser, "--groups", "public",
                    "--roles", "admin", "--out", key()})
                .exit_code == 0);
    server_ = std::make_unique<ProcessUnderTest>(
        ServerProgram(),
        std::vector<std::string>{"--data", data(), "--listen", "unix:" + (directory_ / "s.sock")});
    address_ = server_->ReadAddress();
    CAPTURE(server_->Errors());
    REQUIRE_FALSE(address_.empty());
  }

  std::string data() const { return directory_ / "data"; }
  std::string key() const { return directory_ / "key.json"; }
  std::string file(const std::string& name) const { return directory_ / name; }

  ProgramResult Run(std::vector<std::string> command) const { return RunAs(key(), command); }
  ProgramResult RunAs(const std::string& credentials, std::vector<std::string> command) const {
    std::vector<std::string> arguments = {"--server", address_, "--credentials", credentials};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return RunCtl(arguments);
  }
  ProgramResult RunWithout(std::vector<std::string> command) const {
    std::vector<std::string> arguments = {"--server", address_};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return RunCtl(arguments);
  }

 private:
  TempDir directory_;
  std::unique_ptr<ProcessUnderTest> server_;
  std::string address_;
};

TEST_CASE("queries are answered by a server as tables and as JSON") {
  const ServedStore store;

  const ProgramResult entity = store.Run({"get", "domain-a"});
  CAPTURE(entity.err);
  REQUIRE(entity.exit_code == 0);
  CHECK(Contains(entity.out, "a.example"));
  CHECK(Contains(entity.out, "2024-01-02T00:00:00Z"));
  CHECK(Contains(entity.out, "rank"));
  CHECK_FALSE(Contains(entity.out, "\x1b"));

  const ProgramResult node = store.Run({"get", "domain-a", "--json"});
  REQUIRE(node.exit_code == 0);
  CHECK(Member(node.out, "id") == "domain-a");
  CHECK(Member(node.out, "lastSeen") == "2024-01-02T00:00:00Z");

  const ProgramResult table = store.Run({"relations", "domain-a"});
  REQUIRE(table.exit_code == 0);
  CHECK(Contains(table.out, "a.example -> 192.0.2.1  resolves-to\n"));
  CHECK(Contains(table.out, "a.example -> 192.0.2.1  related-to\n"));
  CHECK(Contains(table.out, "http://a.example/ -> 192.0.2.2  hosted-on\n"));
  CHECK(Contains(table.out, "4 entities, 4 relations; this is all"));
  CHECK(Contains(table.out, "\n2     url"));

  const ProgramResult limited =
      store.Run({"relations", "domain-a", "--limit", "1", "--levels", "1"});
  CHECK(Contains(limited.out, "2 entities, 2 relations; more exist"));

  const ProgramResult json =
      store.Run({"relations", "domain-a", "--limit", "1", "--levels", "1", "--json"});
  REQUIRE(json.exit_code == 0);
  CHECK(Contains(json.out, R"("relations":[{"source":"domain-a","target":"ip-b"}]})"));

  const ProgramResult details =
      store.Run({"relations", "domain-a", "--limit", "1", "--levels", "1", "--json", "--details"});
  CHECK(Contains(details.out, R"("type":"resolves-to","mode":"association",)"));

  const ProgramResult types = store.Run({"relations", "domain-a", "--types", "url,domain"});
  CHECK(Contains(types.out, "1 entity, 0 relations"));
}

TEST_CASE("what is around an entity is exported as STIX, which imports to the same entities") {
  const ServedStore store;
  const ProgramResult exported = store.Run({"export", "--root", "domain-a"});
  CAPTURE(exported.err);
  REQUIRE(exported.exit_code == 0);
  CHECK(Member(exported.out, "type") == "bundle");
  // Observables have the ids that STIX prescribes: UUID 5 of {"value":"192.0.2.1"}.
  CHECK(Contains(exported.out, R"("type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--)"));
  CHECK(Contains(exported.out, R"("value":"192.0.2.1","x_relations_id":"ip-b"})"));
  CHECK(Contains(exported.out, R"("relationship_type":"hosted-on")"));
  CHECK_FALSE(Contains(exported.out, "192.0.2.9"));
  CHECK(store.Run({"export", "--root", "domain-a"}).out == exported.out);

  REQUIRE(store.Run({"export", "--root", "domain-a", "--out", store.file("part.json")}).exit_code ==
          0);
  const ProgramResult imported = RunCtl(
      {"--data", store.file("copy"), "import", "--strict", "--json", store.file("part.json")});
  CAPTURE(imported.err);
  REQUIRE(imported.exit_code == 0);
  // That a URL names its domain is a relation that importers add.
  CHECK(Contains(imported.out, R"({"entities":4,"relations":5,"rejected":0,)"));
  const std::string copy = RunCtl({"--data", store.file("copy"), "export"}).out;
  for (const char* value : {R"("domain":"a.example")", R"("ip":"192.0.2.1")", R"("ip":"192.0.2.2")",
                            R"("url":"http://a.example/")"}) {
    CAPTURE(value);
    CHECK(Contains(copy, value));
  }

  CHECK(store.Run({"export", "--root", "ip-hidden"}).exit_code == 3);
  const ProgramResult limited =
      store.Run({"export", "--root", "domain-a", "--limit", "1", "--levels", "1"});
  CHECK(limited.exit_code == 0);
  CHECK(Contains(limited.err, "more exist"));
  CHECK(RunCtl({"--data", store.file("copy"), "export", "--root", "ip-b"}).exit_code == 2);
}

TEST_CASE("errors of a server have their exit code, their reason and an error id") {
  const ServedStore store;
  for (const char* id : {"domain-none", "ip-hidden"}) {
    const ProgramResult missing = store.Run({"get", id});
    CAPTURE(missing.err);
    CHECK(missing.exit_code == 3);
    CHECK(missing.out.empty());
    CHECK(Contains(missing.err, "not_found"));
    CHECK(Contains(missing.err, "error id "));
  }
  const ProgramResult invalid = store.Run({"get", "nohyphen"});
  CHECK(invalid.exit_code == 2);
  CHECK(Contains(invalid.err, "invalid_id"));
  const ProgramResult stranger = store.RunWithout({"relations", "domain-a"});
  CHECK(stranger.exit_code == 4);
  CHECK(Contains(stranger.err, "unauthenticated"));
  WriteFile(store.file("wrong.json"), R"({"bearer":"wrong"})");
  CHECK(store.RunAs(store.file("wrong.json"), {"get", "domain-a"}).exit_code == 4);
}

TEST_CASE("credentials are created, used and revoked at a server") {
  const ServedStore store;
  const std::string session = store.file("session.json");
  const ProgramResult created = store.Run(
      {"sessions", "create", "--user", kUser, "--groups", "public", "--roles", "user", "--json"});
  CAPTURE(created.err);
  REQUIRE(created.exit_code == 0);
  // What is printed is what --credentials reads.
  WriteFile(session, created.out);
  CHECK(store.RunAs(session, {"get", "domain-a"}).exit_code == 0);
  // A reader is no administrator.
  const ProgramResult denied = store.RunAs(session, {"keys", "list"});
  CHECK(denied.exit_code == 4);
  CHECK(Contains(denied.err, "permission_denied"));
  CHECK(store.RunAs(session, {"stats"}).exit_code == 4);

  const std::string id = Member(created.out, "sessionID");
  CHECK(Contains(store.Run({"sessions", "list"}).out, id));
  CHECK(store.Run({"sessions", "revoke", id}).exit_code == 0);
  CHECK(store.RunAs(session, {"get", "domain-a"}).exit_code == 4);

  const ProgramResult key = store.Run({"keys", "create", "--user", kUser, "--groups", "public",
                                       "--roles", "user", "--name", "n", "--json"});
  REQUIRE(key.exit_code == 0);
  CHECK(Member(key.out, "keyName") == "n");
  WriteFile(store.file("new.json"), key.out);
  CHECK(store.RunAs(store.file("new.json"), {"relations", "domain-a"}).exit_code == 0);
  CHECK(store.Run({"keys", "revoke", Member(key.out, "keyID")}).exit_code == 0);
  CHECK(store.RunAs(store.file("new.json"), {"relations", "domain-a"}).exit_code == 4);
}

TEST_CASE("statistics of a server are those of its store") {
  const ServedStore store;
  const ProgramResult stats = store.Run({"stats", "--json"});
  CAPTURE(stats.err);
  REQUIRE(stats.exit_code == 0);
  CHECK(Contains(stats.out, R"({"entities":{"total":5,"byType":{"domain":1,"ip":3,"url":1}},)"));
  CHECK(Contains(stats.out, R"("relations":{"total":4},"bytes":{"adjacency":)"));
  CHECK(Contains(stats.out, R"("degrees":{"sampled":5,"median":)"));
  CHECK(Contains(stats.out, R"("caches":{"blocks":{"bytes":)"));
  // What an answer read stays in the cache, and the next one finds it there.
  for (int time = 0; time < 2; ++time) CHECK(store.Run({"relations", "domain-a"}).exit_code == 0);
  const ProgramResult words = store.Run({"stats"});
  CHECK(Contains(words.out, "relations of an entity (5 looked at)\n"));
  CHECK(Contains(words.out, " look-ups found\n"));
  CHECK_FALSE(Contains(words.out, ", 0.0 % of"));
}

TEST_CASE("the directory of a running server is left alone") {
  const ServedStore store;
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"import", store.key()}, {"keys", "list"}, {"check"}}) {
    std::vector<std::string> arguments = {"--data", store.data()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const ProgramResult result = RunCtl(arguments);
    CAPTURE(arguments, result.err);
    CHECK(result.exit_code == 1);
    CHECK(Contains(result.err, "in use"));
  }
  CHECK(store.Run({"get", "domain-a"}).exit_code == 0);
}

}  // namespace
}  // namespace relations
