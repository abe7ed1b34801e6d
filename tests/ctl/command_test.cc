// relationsctl without a server, part one: usage, settings, and credentials in a directory.
#include <sys/stat.h>

#include <string>

#include "simdjson.h"
#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

constexpr char kUser[] = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// The string at `key` of a JSON object; the test fails when it is not there.
std::string Member(const std::string& json, const char* key) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view text;
  CAPTURE(json, key);
  REQUIRE(parser.parse(json).get(document) == simdjson::SUCCESS);
  REQUIRE(document[key].get_string().get(text) == simdjson::SUCCESS);
  return std::string(text);
}

ProgramResult CreateKey(const std::string& data, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--data", data,       "keys",      "create",  "--user",
                                        kUser,    "--groups", "public,g3", "--roles", "user,admin"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunCtl(arguments);
}

TEST_CASE("wrong usage is told on one line and exits with 2") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "subcommand"},
      {{"nonsense"}, "nonsense"},
      {{"--nonsense", "stats"}, "--nonsense"},
      {{"keys", "make"}, "make"},
      {{"import", "--nonsense"}, "--nonsense"},
      {{"keys"}, "subcommand"},
      {{"keys", "create"}, "--user"},
      {{"stats"}, "--data"},
      {{"check"}, "--data"},
      {{"import", "x.json"}, "--data"},
      {{"get", "ip-1"}, "--server"},
      {{"relations", "ip-1"}, "--server"},
      {{"--data", data, "get", "ip-1"}, "--server"},
      {{"--server", "127.0.0.1:1", "import", "x.json"}, "--data"},
      {{"--data", data, "--server", "127.0.0.1:1", "stats"}, "which is meant"},
      {{"--data", data, "import"}, "PATH"},
      {{"--data", data, "import", "--format", "csv", "x"}, "csv"},
      {{"--data", data, "import", "--visible-by", "a\tb", "x"}, "--visible-by"},
      {{"--server", "127.0.0.1:1", "relations", "ip-1", "--limit", "0"}, "--limit"},
      {{"--server", "127.0.0.1:1", "relations", "ip-1", "--levels", "x"}, "--levels"},
      {{"--timeout-ms", "0", "--server", "127.0.0.1:1", "stats"}, "--timeout-ms"},
      {{"--data", data, "keys", "create", "--user", kUser, "--groups", "public", "--roles", "king"},
       "king"},
      {{"--data", data, "keys", "create", "--user", "bob", "--groups", "public", "--roles", "user"},
       "UUID"},
      {{"--data", data, "keys", "create", "--user", kUser, "--groups", "public", "--roles", "user",
        "--days", "3651"},
       "--days"},
  };
  for (const auto& [arguments, mentioned] : cases) {
    const ProgramResult result = RunCtl(arguments);
    CAPTURE(arguments, result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(Contains(result.err, mentioned));
    CHECK(Contains(result.err, "relationsctl: "));
    CHECK(Lines(result.err) == 1);
  }
}

TEST_CASE("--help tells everything on each level") {
  const ProgramResult top = RunCtl({"--help"});
  CHECK(top.exit_code == 0);
  for (const char* word : {"import", "get", "relations", "keys", "sessions", "stats", "check",
                           "--data", "--server", "--credentials", "--config", "RELATIONS_DATA",
                           "RELATIONS_SERVER", "RELATIONS_CREDENTIALS", "Exit codes"}) {
    CAPTURE(word);
    CHECK(Contains(top.out, word));
  }
  const ProgramResult keys = RunCtl({"keys", "create", "--help"});
  CHECK(keys.exit_code == 0);
  for (const char* word : {"--user", "--groups", "--roles", "--name", "--days", "--json", "--out",
                           "RELATIONS_KEYS_CREATE_USER"}) {
    CAPTURE(word);
    CHECK(Contains(keys.out, word));
  }
  CHECK(Contains(RunCtl({"import", "--help"}).out, "RELATIONS_IMPORT_FORMAT"));
  CHECK(Contains(RunCtl({"relations", "--help"}).out, "--levels"));
}

TEST_CASE("a flag beats the environment, which beats the config file") {
  const TempDir directory;
  for (const char* name : {"flag", "environment", "file"}) {
    REQUIRE(CreateKey(directory / name, {"--name", name}).exit_code == 0);
  }
  const std::string config = directory / "config";
  WriteFile(config, "data = \"" + (directory / "file") + "\"\n[keys.list]\njson = true\n");
  ProgramInput input;
  input.environment = {{"RELATIONS_CONFIG", config}};
  CHECK(Contains(RunCtl({"keys", "list"}, input).out, R"("keyName":"file")"));
  CHECK(Contains(RunCtl({"--config", config, "keys", "list"}).out, R"("keyName":"file")"));
  input.environment.emplace_back("RELATIONS_DATA", directory / "environment");
  CHECK(Contains(RunCtl({"keys", "list"}, input).out, R"("keyName":"environment")"));
  CHECK(Contains(RunCtl({"--data", directory / "flag", "keys", "list"}, input).out,
                 R"("keyName":"flag")"));
  // A directory named on the command line is meant, whatever server the environment names.
  input.environment.emplace_back("RELATIONS_SERVER", "127.0.0.1:1");
  CHECK(Contains(RunCtl({"--data", directory / "flag", "keys", "list"}, input).out,
                 R"("keyName":"flag")"));
  CHECK(RunCtl({"keys", "list"}, input).exit_code == 2);
}

TEST_CASE("a config file that is missing, broken or has unknown keys is refused") {
  const TempDir directory;
  const std::string data = directory / "data";
  REQUIRE(CreateKey(data).exit_code == 0);
  CHECK(RunCtl({"--config", directory / "none", "--data", data, "stats"}).exit_code == 2);
  for (const char* text : {"dta = x\n", "[import]\nnonsense = 1\n", "[stats\n"}) {
    WriteFile(directory / "config", text);
    const ProgramResult result =
        RunCtl({"--config", directory / "config", "--data", data, "stats"});
    CAPTURE(text);
    CHECK(result.exit_code == 2);
    CHECK(Lines(result.err) == 1);
  }
}

TEST_CASE("a key pair is created, listed and revoked in a directory") {
  const TempDir directory;
  const std::string data = directory / "data";
  const ProgramResult created = CreateKey(data, {"--name", "N \x1b", "--json"});
  // The name holds a control character.
  CHECK(created.exit_code == 2);
  const ProgramResult key = CreateKey(data, {"--name", "first", "--days", "30", "--json"});
  REQUIRE(key.exit_code == 0);
  CHECK(Lines(key.out) == 1);
  CHECK(key.err.empty());
  CHECK(Member(key.out, "apiKey").size() == 32);
  CHECK(Member(key.out, "apiSecret").size() == 64);
  CHECK(Member(key.out, "keyName") == "first");
  CHECK(Member(key.out, "expireAt").size() == std::string("2026-01-01T00:00:00Z").size());
  const std::string id = Member(key.out, "keyID");
  CHECK(id.size() == 36);

  const ProgramResult list = RunCtl({"--data", data, "keys", "list"});
  CHECK(list.exit_code == 0);
  CHECK(Contains(list.out, id));
  CHECK(Contains(list.out, "active"));
  CHECK(Contains(list.out, kUser));
  CHECK(Contains(list.out, "g3,public"));
  CHECK_FALSE(Contains(list.out, Member(key.out, "apiSecret")));
  CHECK_FALSE(Contains(list.out, Member(key.out, "apiKey")));
  // Sessions are another kind.
  CHECK_FALSE(Contains(RunCtl({"--data", data, "sessions", "list"}).out, id));
  CHECK(RunCtl({"--data", data, "sessions", "revoke", id}).exit_code == 3);

  CHECK(RunCtl({"--data", data, "keys", "revoke", id}).exit_code == 0);
  CHECK(RunCtl({"--data", data, "keys", "revoke", id}).exit_code == 0);
  CHECK(Contains(RunCtl({"--data", data, "keys", "list"}).out, "revoked"));
  CHECK(Contains(RunCtl({"--data", data, "keys", "list", "--json"}).out, R"("revoked":true)"));
  const ProgramResult unknown = RunCtl({"--data", data, "keys", "revoke", kUser});
  CHECK(unknown.exit_code == 3);
  CHECK(Lines(unknown.err) == 1);
}

TEST_CASE("a session is created, listed and revoked in a directory") {
  const TempDir directory;
  const std::string data = directory / "data";
  const ProgramResult session = RunCtl({"--data", data, "sessions", "create", "--user", kUser,
                                        "--groups", "public", "--roles", "user", "--json"});
  REQUIRE(session.exit_code == 0);
  CHECK(Member(session.out, "bearer").size() == 64);
  CHECK(Member(session.out, "expireAt").back() == 'Z');
  const std::string id = Member(session.out, "sessionID");
  CHECK(Contains(RunCtl({"--data", data, "sessions", "list", "--json"}).out,
                 R"({"sessions":[{"sessionID":")" + id + "\""));
  const ProgramResult revoked = RunCtl({"--data", data, "sessions", "revoke", id, "--json"});
  CHECK(revoked.exit_code == 0);
  CHECK(Member(revoked.out, "sessionID") == id);
}

TEST_CASE("--out keeps the secret in a file of its own") {
  const TempDir directory;
  const std::string data = directory / "data";
  const std::string path = directory / "key.json";
  const ProgramResult created = CreateKey(data, {"--out", path});
  REQUIRE(created.exit_code == 0);
  const std::string json = ReadFile(path);
  CHECK_FALSE(Contains(created.out, Member(json, "apiSecret")));
  struct stat facts = {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  // No second credential comes into being when its secret cannot be kept.
  CHECK(CreateKey(data, {"--out", path}).exit_code == 1);
  CHECK(ReadFile(path) == json);
  CHECK(Lines(RunCtl({"--data", data, "keys", "list"}).out) == 2);
}

TEST_CASE("output that cannot be written is a failure") {
  const TempDir directory;
  const std::string data = directory / "data";
  REQUIRE(CreateKey(data).exit_code == 0);
  const ProgramResult result =
      RunProgram("/bin/sh", {"-c", std::string(RELATIONS_BINARY_DIR) + "/relationsctl --data '" +
                                       data + "' keys list > /dev/full"});
  CHECK(result.exit_code == 1);
  CHECK(Contains(result.err, "standard output"));
}

TEST_CASE("a server that is not there is told as such") {
  const TempDir directory;
  const std::string nowhere = "unix:" + (directory / "none.sock");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"stats"}, {"get", "ip-1"}, {"keys", "list"}}) {
    std::vector<std::string> arguments = {"--server", nowhere, "--timeout-ms", "5000"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const ProgramResult result = RunCtl(arguments);
    CAPTURE(result.err);
    CHECK(result.exit_code == 5);
    CHECK(Contains(result.err, "cannot reach the server at " + nowhere));
    CHECK(Lines(result.err) == 1);
  }
  const ProgramResult missing =
      RunCtl({"--server", nowhere, "--credentials", directory / "none", "stats"});
  CHECK(missing.exit_code == 3);
  CHECK(Contains(missing.err, "credentials file"));
}

}  // namespace
}  // namespace relations
