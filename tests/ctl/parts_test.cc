// The parts of relationsctl that need no process: text made safe, JSON, progress, secrets in files.
#include <sys/stat.h>

#include "absl/status/status.h"
#include "server/ctl/answer_json.h"
#include "server/ctl/credentials_file.h"
#include "server/ctl/exit_code.h"
#include "server/ctl/printable.h"
#include "server/ctl/progress_bar.h"
#include "server/ctl/table.h"
#include "storage/base/public_error.h"
#include "tests/ctl/run_program.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

TEST_CASE("stored text cannot control a terminal") {
  CHECK(Printable("plain Åland 日本") == "plain Åland 日本");
  CHECK(Printable("\x1b[2J\a") == "\\x1b[2J\\x07");
  CHECK(Printable("a\nb\tc\rd\x7f") == "a\\nb\\tc\\rd\\x7f");
  CHECK(Printable("\xC2\x9B"
                  "2J") == "\\u009b2J");
  CHECK(Printable("exe\xE2\x80\xAEgpj") == "exe\\u202egpj");
  CHECK(Printable("zero\xE2\x80\x8Bwidth") == "zero\\u200bwidth");
  CHECK(Printable("\xF3\xA0\x81\x81") == "\\U000e0041");
  CHECK(Printable("\xFF\xC3") == "\\xff\\xc3");
  CHECK(Printable("\\x1b") == "\\\\x1b");
  CHECK(Printable(absl::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("JSON for a terminal means the same") {
  CHECK(PrintableJson(R"({"a":"b\n\u001b"})") == R"({"a":"b\n\u001b"})");
  CHECK(PrintableJson("\"\xC2\x9B\"") == "\"\\u009b\"");
  CHECK(PrintableJson("\"\xE2\x80\xAE\"") == "\"\\u202e\"");
  CHECK(PrintableJson("\"\xF3\xA0\x81\x81\"") == "\"\\udb40\\udc41\"");
  CHECK(PrintableJson("\"日本 😀\"") == "\"日本 😀\"");
}

TEST_CASE("a table is aligned by characters") {
  Table table({"A", "B"});
  table.Add({"Åå", "x"});
  table.Add({"y\n", ""});
  CHECK(table.Text() == "A    B\nÅå   x\ny\\n  \n");
}

TEST_CASE("a node is printed with all its keys, in the order of the API") {
  v1::Entity entity;
  entity.set_id("ip-1");
  entity.set_type("ip");
  CHECK(EntityJson(entity) ==
        R"({"id":"ip-1","type":"ip","@timestamp":"1970-01-01T00:00:00Z","reputation":0,)"
        R"("bestReputation":0,"worstReputation":0,"accuracy":0,"lastSeen":"1970-01-01T00:00:00Z",)"
        R"("tags":[],"visibleBy":[],"attributes":{}})");
  entity.mutable_timestamp()->set_seconds(1686839400);
  entity.mutable_last_seen()->set_seconds(1686839400);
  entity.mutable_last_seen()->set_nanos(120000000);
  entity.set_reputation(-3);
  entity.set_best_reputation(1);
  entity.set_worst_reputation(-5);
  entity.set_accuracy(2);
  entity.add_tags("d\"ns");
  entity.add_visible_by("public");
  (*entity.mutable_attributes())["ip"].set_string_value("8.8.8.8");
  (*entity.mutable_attributes())["asn"].set_number_value(15169);
  (*entity.mutable_attributes())["half"].set_number_value(0.5);
  (*entity.mutable_attributes())["seen"].set_bool_value(false);
  CHECK(EntityJson(entity) ==
        R"({"id":"ip-1","type":"ip","@timestamp":"2023-06-15T14:30:00Z","reputation":-3,)"
        R"("bestReputation":1,"worstReputation":-5,"accuracy":2,)"
        R"("lastSeen":"2023-06-15T14:30:00.12Z","tags":["d\"ns"],"visibleBy":["public"],)"
        R"("attributes":{"asn":15169,"half":0.5,"ip":"8.8.8.8","seen":false}})");
}

TEST_CASE("numbers are printed so that they are read back as the same ones") {
  v1::Entity entity;
  auto& attributes = *entity.mutable_attributes();
  attributes["a"].set_number_value(9007199254740992.0);
  attributes["b"].set_number_value(9007199254740994.0);
  attributes["c"].set_number_value(-0.0);
  attributes["d"].set_number_value(0.1);
  attributes["e"].set_number_value(1e300);
  CHECK(EntityJson(entity).find(R"({"a":9007199254740992,"b":9.007199254740994e+15,"c":-0.0,)"
                                R"("d":0.1,"e":1e+300})") != std::string::npos);
}

TEST_CASE("relations are printed one for each pair, or with details one for each type") {
  v1::GetRelationsResponse answer;
  for (const char* type : {"indicates", "uses"}) {
    v1::Relation* relation = answer.add_relations();
    relation->set_source("a-1");
    relation->set_target("b-2");
    relation->set_type(type);
    relation->set_mode("association");
  }
  CHECK(AnswerJson(answer, AnswerDetails::kOmitted) ==
        R"({"nodes":[],"relations":[{"source":"a-1","target":"b-2"}]})");
  CHECK(
      AnswerJson(answer, AnswerDetails::kIncluded) ==
      R"({"nodes":[],"relations":[{"source":"a-1","target":"b-2","type":"indicates",)"
      R"("mode":"association","lastSeen":"1970-01-01T00:00:00Z"},{"source":"a-1",)"
      R"("target":"b-2","type":"uses","mode":"association","lastSeen":"1970-01-01T00:00:00Z"}]})");
}

TEST_CASE("progress shows share, amount, rate and time left") {
  CHECK(ProgressText(0, 1000, 0) == "[--------------------]   0%  0 B of 1.0 kB");
  CHECK(ProgressText(30000000, 60000000, 2) ==
        "[##########----------]  50%  30.0 MB of 60.0 MB  15.0 MB/s  ETA 0:02");
  CHECK(ProgressText(1100, 1000, 1) ==
        "[####################] 100%  1.0 kB of 1.0 kB  1.0 kB/s  ETA 0:00");
  CHECK(ProgressText(2500000, 0, 1) == "2.5 MB read  2.5 MB/s");
  CHECK(ProgressText(1, 7300, 1) ==
        "[--------------------]   0%  1 B of 7.3 kB  1 B/s  ETA 2:01:39");
  CHECK(BytesText(999) == "999 B");
  CHECK(BytesText(999960) == "1.0 MB");
}

TEST_CASE("each kind of failure has its exit code") {
  CHECK(ExitCodeOf(absl::OkStatus()) == 0);
  CHECK(ExitCodeOf(absl::DataLossError("")) == 1);
  CHECK(ExitCodeOf(absl::FailedPreconditionError("")) == 1);
  CHECK(ExitCodeOf(absl::InvalidArgumentError("")) == 2);
  CHECK(ExitCodeOf(absl::NotFoundError("")) == 3);
  CHECK(ExitCodeOf(absl::UnauthenticatedError("")) == 4);
  CHECK(ExitCodeOf(absl::PermissionDeniedError("")) == 4);
  CHECK(ExitCodeOf(absl::UnavailableError("")) == 5);
  CHECK(ExitCodeOf(absl::DeadlineExceededError("")) == 5);
}

TEST_CASE("an error is told on one line with reason and error id") {
  absl::Status error =
      PublicError(absl::StatusCode::kNotFound, reason::kNotFound, "no such\nthing");
  CHECK(Explain(error) == "no such\\nthing (not_found)");
  SetErrorId(error, "6a0c");
  CHECK(Explain(error) == "no such\\nthing (not_found, error id 6a0c)");
  CHECK(Explain(absl::InternalError("")) == "INTERNAL");
}

TEST_CASE("credentials are read as the create commands print them") {
  const TempDir directory;
  const std::string path = directory / "key";
  WriteFile(path, R"({"apiKey":"k","apiSecret":"s","keyID":"i","keyName":"","expireAt":"x"})");
  CHECK(ReadCredentials(path).value() == CallMetadata{{"api-key", "k"}, {"api-secret", "s"}});
  WriteFile(path, R"({"bearer":"t","sessionID":"i","expireAt":"x"})");
  CHECK(ReadCredentials(path).value() == CallMetadata{{"authorization", "Bearer t"}});
}

TEST_CASE("a credentials file that holds no credentials is refused without repeating it") {
  const TempDir directory;
  const std::string path = directory / "key";
  const std::string long_text(513, 'a');
  for (const std::string& text :
       {std::string(), std::string("topsecret"), std::string(R"({"apiKey":"topsecret"})"),
        std::string(R"({"bearer":""})"), std::string(R"({"bearer":7})"),
        std::string(R"(["topsecret"])"), std::string(R"({"bearer":"top secret"})"),
        std::string("{\"bearer\":\"topsecret\\n\"}"), "{\"bearer\":\"" + long_text + "\"}",
        std::string(70000, ' ')}) {
    WriteFile(path, text);
    const absl::Status status = ReadCredentials(path).status();
    CAPTURE(text);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(status.message()).find("topsecret") == std::string::npos);
  }
  CHECK(ReadCredentials(directory / "none").status().code() == absl::StatusCode::kNotFound);
  CHECK_FALSE(ReadCredentials(directory.path()).ok());
}

TEST_CASE("the longest secret that the server accepts is read") {
  const TempDir directory;
  const std::string token(512, 'a');
  WriteFile(directory / "key", "{\"bearer\":\"" + token + "\"}");
  CHECK(ReadCredentials(directory / "key").value().at(0).second == "Bearer " + token);
}

TEST_CASE("a secret is written for its owner only, and never over something") {
  const TempDir directory;
  const std::string path = directory / "key";
  absl::StatusOr<SecretFile> file = SecretFile::Create(path);
  REQUIRE(file.ok());
  REQUIRE(file->Write("{}").ok());
  CHECK(ReadFile(path) == "{}\n");
  struct stat facts = {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(SecretFile::Create(path).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(ReadFile(path) == "{}\n");
}

TEST_CASE("a secret that was never made leaves no file") {
  const TempDir directory;
  const std::string path = directory / "key";
  { REQUIRE(SecretFile::Create(path).ok()); }
  struct stat facts = {};
  CHECK(stat(path.c_str(), &facts) != 0);
}

}  // namespace
}  // namespace relations
