// relationsctl against a running relations-server: watching, over a restart of the server too, and
// backups on request.
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "simdjson.h"
#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

constexpr char kUser[] = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";
constexpr char kGraph[] = R"({"id":"domain-a","type":"domain","visibleBy":["public","g1"],)"
                          R"("attributes":{"domain":"a.example"}}
{"id":"ip-b","type":"ip","visibleBy":["public","g1"],"attributes":{"ip":"192.0.2.1"}}
{"source":"domain-a","target":"ip-b","type":"resolves-to","visibleBy":["public","g1"]}
)";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string TokenOf(const std::string& line) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view token;
  CAPTURE(line);
  REQUIRE(parser.parse(line).get(document) == simdjson::SUCCESS);
  REQUIRE(document["token"].get_string().get(token) == simdjson::SUCCESS);
  return std::string(token);
}

// A store with the graph above, keys, and a server on it when it is started.
class ServedStore {
 public:
  ServedStore() {
    REQUIRE(RunCtl({"--data", data(), "import", "--strict", "-"},
                   {.standard_input = kGraph, .environment = {}})
                .exit_code == 0);
    for (const char* const role : {"admin", "user"}) {
      REQUIRE(RunCtl({"--data", data(), "keys", "create", "--user", kUser, "--groups", "public",
                      "--roles", role, "--out", key(role)})
                  .exit_code == 0);
    }
  }

  void Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--data", data(), "--listen", "unix:" + file("s.sock")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_ = std::make_unique<ProcessUnderTest>(ServerProgram(), arguments);
    address_ = server_->ReadAddress();
    CAPTURE(server_->Errors());
    REQUIRE_FALSE(address_.empty());
  }
  void Stop() {
    server_->Signal(SIGTERM);
    REQUIRE(server_->Wait() == 0);
    server_.reset();
  }

  std::string data() const { return file("data"); }
  std::string key(const std::string& role) const { return file(role + ".json"); }
  std::string file(const std::string& name) const { return directory_ / name; }

  ProgramResult Run(const std::string& role, std::vector<std::string> command) const {
    std::vector<std::string> arguments = {"--server", address_, "--credentials", key(role)};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return RunCtl(arguments);
  }

 private:
  TempDir directory_;
  std::unique_ptr<ProcessUnderTest> server_;
  std::string address_;
};

TEST_CASE("watch goes on from a token, over a restart of the server") {
  ServedStore store;
  store.Start();
  const ProgramResult now = store.Run("user", {"watch", "--until-current", "--json"});
  CAPTURE(now.err);
  REQUIRE(now.exit_code == 0);
  CHECK(Contains(now.out, R"("current":true,"goneEntities":[],"goneRelations":[],"entities":[])"));
  const std::string token = TokenOf(now.out);
  REQUIRE(store.Run("admin", {"delete", "relation", "domain-a", "ip-b"}).exit_code == 0);
  REQUIRE(store.Run("admin", {"delete", "entity", "ip-b"}).exit_code == 0);
  store.Stop();
  store.Start();
  const ProgramResult since =
      store.Run("user", {"watch", "--until-current", "--json", "--token", token});
  CAPTURE(since.err);
  REQUIRE(since.exit_code == 0);
  CHECK(Contains(since.out, R"("goneEntities":["ip-b"])"));
  CHECK(TokenOf(since.out) != token);
  const ProgramResult lines = store.Run("user", {"watch", "--until-current", "--token", token});
  CHECK(Contains(lines.out, "- ip-b\ntoken "));

  // A watcher in the way of an import is told to begin again.
  store.Stop();
  REQUIRE(
      RunCtl({"--data", store.data(), "import", "-"}, {.standard_input = kGraph, .environment = {}})
          .exit_code == 0);
  store.Start();
  const ProgramResult late = store.Run("user", {"watch", "--token", token});
  CHECK(late.exit_code == 1);
  CHECK(Contains(late.err, "feed_restart"));
  CHECK(store.Run("user", {"watch", "--token", "nonsense"}).exit_code == 2);
}

TEST_CASE("a server backs itself up when an administrator asks, into its own directory only") {
  ServedStore store;
  store.Start();
  const ProgramResult without = store.Run("admin", {"backup"});
  CHECK(without.exit_code == 1);
  CHECK(Contains(without.err, "--backup-dir"));
  store.Stop();
  store.Start({"--backup-dir", store.file("backups"), "--backup-keep", "2"});
  CHECK(store.Run("user", {"backup"}).exit_code == 4);
  CHECK(store.Run("user", {"backups"}).exit_code == 4);
  CHECK(store.Run("admin", {"backup", "--to", store.file("elsewhere")}).exit_code == 2);
  // The one that the server takes as it starts may be under way.
  int taken = 0;
  for (int i = 0; i < 200 && taken < 3; ++i) {
    const ProgramResult backup = store.Run("admin", {"backup"});
    CAPTURE(backup.err);
    REQUIRE((backup.exit_code == 0 || backup.exit_code == 5));
    if (backup.exit_code == 0) ++taken;
  }
  REQUIRE(taken == 3);
  const ProgramResult listed = store.Run("admin", {"backups", "--json"});
  CHECK(listed.exit_code == 0);
  simdjson::dom::parser parser;
  simdjson::dom::array backups;
  REQUIRE(parser.parse(listed.out).get_array().get(backups) == simdjson::SUCCESS);
  CHECK(backups.size() == 2);
  store.Stop();
  // They are those of the directory, and restore.
  CHECK(RunCtl({"backups", "--from", store.file("backups"), "--json"}).out == listed.out);
  CHECK(RunCtl({"--data", store.file("restored"), "restore", "--from", store.file("backups")})
            .exit_code == 0);
  CHECK(RunCtl({"--data", store.file("restored"), "check"}).exit_code == 0);
}

}  // namespace
}  // namespace relations
