// Reports and what takes them back, as clients send them (contract, section 6): over REST, with the
// very next read as the judge.
#include <string>
#include <vector>

#include "storage/entity_id.h"
#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kEntity[] = "/api/ingest/v1/entity";
constexpr char kAssociation[] = "/api/ingest/v1/association";
constexpr char kBatch[] = "/api/ingest/v1/batch";

// A system of its own: its tests write.
struct IngestSystem {
  IngestSystem()
      : system(
            "{\"id\":\"ip-far\",\"type\":\"ip\",\"visibleBy\":[\"g2\"],"
            "\"attributes\":{\"ip\":\"192.0.2.9\"}}\n") {
    reporter = system.CreateKeyPair("public,g1", "reporter,user");
    other_reporter = system.CreateSession("public,g1", "reporter,user");
    system.ChangeCredential(other_reporter, [](auto& record) {
      record.set_user_id("5f0c9a51-8a3e-4d8e-9a8e-6b1f4c2d7e30");
    });
    trusted = system.CreateSession("public", "reporter,trusted");
    reader = system.CreateSession("public", "user");
    g1_reader = system.CreateSession("g1", "user");
    groupless = system.CreateKeyPair("g3", "reporter");
    admin = system.CreateSession("public", "admin");
    system.StartServer();
    system.StartGateway();
  }
  SystemUnderTest system;
  Credential reporter;
  Credential other_reporter;
  Credential trusted;
  Credential reader;
  Credential g1_reader;
  Credential groupless;
  Credential admin;
};

IngestSystem& Ingest() {
  static IngestSystem system;
  return system;
}

RawAnswer Post(const std::string& path, const std::string& body, const Credential& who,
               const std::string& more_fields = "") {
  RestClient client(Ingest().system.rest());
  return client.Ask(RequestText(path,
                                who.Fields() + more_fields +
                                    "Content-Length: " + std::to_string(body.size()) + "\r\n",
                                "POST") +
                    body);
}

void Accepted(const std::string& path, const std::string& body, const Credential& who) {
  const RawAnswer answer = Post(path, body, who);
  CAPTURE(body, answer.body);
  CHECK(answer.status_line == "HTTP/1.1 202 Accepted");
  CHECK(answer.body == R"({"message":"acknowledged"})");
  CHECK(answer.field("content-type") == "application/json; charset=utf-8");
}

RawAnswer Read(const std::string& id, const Credential& who, const std::string& query = "") {
  RestClient client(Ingest().system.rest());
  return client.Get(RelationsPath(id, query), who.Fields());
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Ip(const std::string& value, const std::string& more = "") {
  return "{\"type\":\"ip\",\"attributes\":{\"ip\":\"" + value + "\"}" + more + "}";
}

TEST_CASE("a reported entity is there with all that it brought, in its normal form") {
  const std::string root = MakeEntityId("domain", "root.example");
  const std::string ip = MakeEntityId("ip", "192.0.2.1");
  const std::string asn = MakeEntityId("asn", "15169");
  const std::string hash = MakeEntityId("md5", "d41d8cd98f00b204e9800998ecf8427e");
  Accepted(kEntity,
           R"({"type":"domain","attributes":{"domain":"ROOT.example","asn":15169,"x":null},
               "value":{"ignored":[1]},"reputation":-2,"tags":["c2","c2"],"correlate":["asn"],
               "visibleBy":["public"],"associations":[
                 {"type":"ip","mode":"aggregation","attributes":{"ip":"::ffff:192.0.2.1"},
                  "associations":[{"type":"md5","attributes":
                    {"md5":"D41D8CD98F00B204E9800998ECF8427E"}}]}]})",
           Ingest().reporter);
  const RawAnswer answer = Read(root, Ingest().reader, "details=true");
  CAPTURE(answer.body);
  CheckAnswered(answer);
  CHECK(Contains(answer.body, "{\"nodes\":[{\"id\":\"" + root + "\",\"type\":\"domain\","));
  CHECK(Contains(answer.body,
                 "\"reputation\":-2,\"bestReputation\":-2,\"worstReputation\":-2,\"accuracy\":1,"));
  CHECK(Contains(answer.body, R"("tags":["c2"],"visibleBy":["public"],)"
                              R"("attributes":{"asn":15169,"domain":"root.example"}})"));
  CHECK(Contains(answer.body, "{\"source\":\"" + root + "\",\"target\":\"" + asn +
                                  "\",\"type\":\"related-to\",\"mode\":\"aggregation\""));
  CHECK(Contains(answer.body, "{\"source\":\"" + root + "\",\"target\":\"" + ip +
                                  "\",\"type\":\"related-to\",\"mode\":\"aggregation\""));
  CHECK(Contains(answer.body, "{\"source\":\"" + ip + "\",\"target\":\"" + hash +
                                  "\",\"type\":\"related-to\",\"mode\":\"association\""));
}

TEST_CASE("repeated reports are consolidated") {
  const std::string id = MakeEntityId("ip", "192.0.2.20");
  Accepted(kEntity, Ip("192.0.2.20", R"(,"reputation":3,"tags":["a"],"visibleBy":["g1"])"),
           Ingest().reporter);
  CHECK(Read(id, Ingest().reader).status == 404);
  Accepted(kEntity,
           R"({"type":"ip","attributes":{"ip":"192.0.2.20","note":"n"},"reputation":-1,
               "tags":["b"],"visibleBy":["public"]})",
           Ingest().other_reporter);
  const RawAnswer answer = Read(id, Ingest().g1_reader);
  CAPTURE(answer.body);
  CHECK(Contains(answer.body,
                 "\"reputation\":-1,\"bestReputation\":3,\"worstReputation\":-1,\"accuracy\":2,"));
  CHECK(Contains(answer.body, R"("tags":["a","b"],"visibleBy":["g1"],)"
                              R"("attributes":{"ip":"192.0.2.20","note":"n"})"));
  CHECK(Read(id, Ingest().reader).status == 200);
}

TEST_CASE("well-known needs the role for it and keeps a reputation from falling") {
  const std::string id = MakeEntityId("ip", "192.0.2.30");
  const std::string body = Ip("192.0.2.30", R"(,"tags":["well-known"])");
  CheckError(Post(kEntity, body, Ingest().reporter), {403, "permission_denied", "tags"});
  Accepted(kEntity, body, Ingest().trusted);
  Accepted(kEntity, Ip("192.0.2.30", R"(,"reputation":-3)"), Ingest().reporter);
  CHECK(Contains(Read(id, Ingest().reader).body,
                 "\"reputation\":0,\"bestReputation\":0,\"worstReputation\":-3,"));
}

TEST_CASE("an association joins two entities that the reporter sees") {
  const std::string a = MakeEntityId("ip", "192.0.2.40");
  const std::string b = MakeEntityId("ip", "192.0.2.41");
  const std::string hidden = MakeEntityId("ip", "192.0.2.42");
  const std::string unknown = MakeEntityId("ip", "192.0.2.43");
  Accepted(kBatch, Ip("192.0.2.40") + "\n\n" + Ip("192.0.2.41", R"(,"visibleBy":["public"])"),
           Ingest().reporter);
  Accepted(kEntity, Ip("192.0.2.42"), Ingest().groupless);
  const auto body = [](const std::string& from, const std::string& to) {
    return "{\"entityID\":\"" + from + "\",\"relatedEntityID\":\"" + to + "\"}";
  };
  Accepted(kAssociation, body(a, b), Ingest().reporter);
  CHECK(Contains(Read(a, Ingest().reader).body,
                 "\"relations\":[{\"source\":\"" + a + "\",\"target\":\"" + b + "\"}]"));
  // Hidden and unknown look the same.
  RawAnswer of_hidden = Post(kAssociation, body(a, hidden), Ingest().reporter);
  RawAnswer of_unknown = Post(kAssociation, body(unknown, a), Ingest().reporter);
  CheckError(of_hidden, {404, "not_found", ""});
  CheckError(of_unknown, {404, "not_found", ""});
  CHECK(of_hidden.field("x-error") == of_unknown.field("x-error"));
  CheckError(Post(kAssociation, body(a, a), Ingest().reporter),
             {400, "invalid_report", "relatedEntityID"});
  CheckError(Post(kAssociation, body(a, "no id"), Ingest().reporter),
             {400, "invalid_id", "relatedEntityID"});
  Accepted(kEntity, Ip("192.0.2.44", R"(,"visibleBy":["g1"])"), Ingest().reporter);
  Accepted(kEntity, Ip("192.0.2.45", R"(,"visibleBy":["public"])"), Ingest().reporter);
  CheckError(
      Post(kAssociation, body(MakeEntityId("ip", "192.0.2.44"), MakeEntityId("ip", "192.0.2.45")),
           Ingest().reporter),
      {400, "invalid_argument", ""});
}

TEST_CASE("who may report, and what he is told before it is known who he is") {
  const std::string body = Ip("192.0.2.50");
  CheckError(Post(kEntity, "{broken", Credential()), {401, "unauthenticated", ""});
  CheckError(Post(kEntity, "{broken", Ingest().reader), {403, "permission_denied", ""});
  CheckError(Post(kEntity, body, Ingest().reader), {403, "permission_denied", ""});
  CheckError(Post(kEntity, "{broken", Ingest().reporter), {400, "invalid_json", ""});
  CheckError(Post(kEntity, Ip("192.0.2.50", R"(,"visibleBy":["g2"])"), Ingest().reporter),
             {403, "permission_denied", "visibleBy"});
  Accepted(kEntity, body, Ingest().admin);
  RestClient client(Ingest().system.rest());
  const RawAnswer get = client.Ask(RequestText(kEntity, Ingest().reporter.Fields()));
  CHECK(get.status == 405);
  CHECK(get.field("allow") == "POST, OPTIONS");
  CheckError(Post("/api/ingest/v1/entities", body, Ingest().reporter),
             {404, "route_not_found", ""});
}

struct Fault {
  std::string body;
  std::string code;
  std::string param;
};

std::string Nested(int depth) {
  std::string body = Ip("198.51.100." + std::to_string(depth));
  while (depth-- > 0) {
    body = Ip("198.51.100." + std::to_string(depth), ",\"associations\":[" + body + "]");
  }
  return body;
}

TEST_CASE("a report at fault is refused by name and leaves nothing") {
  const std::string good = Ip("192.0.2.60");
  const std::string report = "invalid_report";
  const std::vector<Fault> faults = {
      {"", "invalid_json", ""},
      {"[]", "invalid_json", ""},
      {good + good, "invalid_json", ""},
      {"\"\xFF\"", "invalid_json", ""},
      {"{}", report, "type"},
      {R"({"type":5})", report, "type"},
      {R"({"type":"no-such-type","attributes":{"no-such-type":"a"}})", report, "type"},
      {R"({"type":"ip"})", report, "attributes"},
      {R"({"type":"ip","attributes":{}})", report, "attributes"},
      {R"({"type":"ip","attributes":{"ip":null}})", report, "attributes"},
      {R"({"type":"ip","attributes":{"ip":"10.0.0.1"}})", report, "attributes"},
      {R"({"type":"ip","attributes":{"ip":"192.0.2.60","x":[1]}})", report, "attributes"},
      {R"({"type":"ip","attributes":{"ip":"192.0.2.60","ip":"192.0.2.61"}})", report, ""},
      {Ip("192.0.2.60", R"(,"reputation":4)"), report, "reputation"},
      {Ip("192.0.2.60", R"(,"reputation":1.5)"), report, "reputation"},
      {Ip("192.0.2.60", R"(,"tags":"a")"), report, "tags"},
      {Ip("192.0.2.60", R"(,"tags":[""])"), report, "tags"},
      {Ip("192.0.2.60", R"(,"correlate":["asn"])"), report, "correlate"},
      {Ip("192.0.2.60", R"(,"visibleBy":["a,b"])"), report, "visibleBy"},
      {Ip("192.0.2.60", R"(,"visibleby":["g1"])"), report, ""},
      {Ip("192.0.2.60", R"(,"associations":[{"type":"ip"}])"), report, "attributes"},
      {Ip("192.0.2.60", ",\"associations\":[" + Ip("192.0.2.60") + "]"), report, "attributes"},
      {Ip("192.0.2.60", ",\"associations\":[" + Ip("192.0.2.61", R"(,"mode":"other")") + "]"),
       report, "mode"},
      {Nested(9), report, "associations"},
  };
  for (const Fault& fault : faults) {
    CAPTURE(fault.body);
    CheckError(Post(kEntity, fault.body, Ingest().reporter), {400, fault.code, fault.param});
    // Of a batch too, all of it.
    if (fault.body.empty()) continue;
    const RawAnswer batch = Post(kBatch, good + "\n" + fault.body, Ingest().reporter);
    CHECK(batch.status == 400);
  }
  CHECK(Read(MakeEntityId("ip", "192.0.2.60"), Ingest().reporter).status == 404);
  Accepted(kEntity, Nested(8), Ingest().reporter);
}

TEST_CASE("the limits of a report are limits, and not one less") {
  const auto strings = [](size_t count, const std::string& prefix) {
    std::string list;
    for (size_t i = 0; i < count; ++i) {
      list += (i == 0 ? "\"" : ",\"") + prefix + std::to_string(i) + "\"";
    }
    return list;
  };
  Accepted(kEntity, Ip("192.0.2.70", ",\"tags\":[" + strings(64, "t") + "]"), Ingest().reporter);
  CheckError(
      Post(kEntity, Ip("192.0.2.71", ",\"tags\":[" + strings(65, "t") + "]"), Ingest().reporter),
      {400, "invalid_report", "tags"});
  const auto value = [](size_t bytes) {
    return R"({"type":"ip","attributes":{"ip":"192.0.2.72","note":")" + std::string(bytes, 'a') +
           "\"}}";
  };
  Accepted(kEntity, value(65536), Ingest().reporter);
  CheckError(Post(kEntity, value(65537), Ingest().reporter), {400, "invalid_report", "attributes"});
  const auto batch = [](int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      lines +=
          Ip("203.0." + std::to_string(100 + i / 250) + "." + std::to_string(1 + i % 250)) + "\n";
    }
    return lines;
  };
  Accepted(kBatch, batch(1000), Ingest().reporter);
  CheckError(Post(kBatch, batch(1001), Ingest().reporter), {400, "invalid_report", ""});
  // The body: 1 MiB passes, one byte more does not.
  std::string body = Ip("192.0.2.73");
  body.resize(1 << 20, ' ');
  Accepted(kEntity, body, Ingest().reporter);
  CheckError(Post(kEntity, body + " ", Ingest().reporter), {413, "body_too_large", ""});
}

TEST_CASE("a body may come in chunks, and the connection lives on") {
  RestClient client(Ingest().system.rest());
  const std::string body = Ip("192.0.2.80");
  const std::string head =
      RequestText(kEntity, Ingest().reporter.Fields() + "Transfer-Encoding: chunked\r\n", "POST");
  for (int i = 0; i < 2; ++i) {
    const RawAnswer answer = client.Ask(head + "5\r\n" + body.substr(0, 5) + "\r\n" +
                                        [](size_t rest) {
                                          char hex[20];
                                          snprintf(hex, sizeof hex, "%zx", rest);
                                          return std::string(hex);
                                        }(body.size() - 5) +
                                        "\r\n" + body.substr(5) + "\r\n0\r\n\r\n");
    CHECK(answer.status == 202);
    CHECK_FALSE(client.closed());
  }
}

TEST_CASE("what an administrator takes back is gone from the very next read") {
  const std::string hub = MakeEntityId("domain", "hub.example");
  const std::string leaf = MakeEntityId("ip", "192.0.2.90");
  const std::string other = MakeEntityId("ip", "192.0.2.91");
  const std::string groups = R"(,"visibleBy":["public","g1"])";
  Accepted(kEntity,
           R"({"type":"domain","attributes":{"domain":"hub.example"})" + groups +
               ",\"associations\":[" + Ip("192.0.2.90", groups) + "," + Ip("192.0.2.91", groups) +
               "]}",
           Ingest().reporter);
  const auto nodes = [&](const Credential& who) {
    const RawAnswer answer = Read(hub, who);
    return answer.status == 200 ? NodeIds(answer) : std::to_string(answer.status);
  };
  const auto ctl = [](const std::vector<std::string>& command) {
    const ProgramResult result = Ingest().system.Ctl(command);
    CAPTURE(result.err);
    CHECK(result.exit_code == 0);
  };
  CHECK(nodes(Ingest().reader) == nodes(Ingest().g1_reader));
  ctl({"narrow", "entity", leaf, "--keep", "g1"});
  CHECK(nodes(Ingest().reader) == hub + " " + other);
  CHECK(Read(leaf, Ingest().reader).status == 404);
  CHECK(Read(leaf, Ingest().g1_reader).status == 200);
  ctl({"narrow", "relation", hub, other, "--keep", "g1"});
  CHECK(nodes(Ingest().reader) == hub);
  ctl({"delete", "relation", hub, other});
  CHECK(nodes(Ingest().g1_reader) == hub + " " + leaf);
  ctl({"delete", "entity", hub});
  CHECK(nodes(Ingest().g1_reader) == "404");
  CHECK(Ingest().system.Ctl({"delete", "entity", hub}).exit_code == 3);
  CHECK(Ingest().system.Ctl({"narrow", "entity", leaf, "--keep", "public"}).exit_code != 0);
}

TEST_CASE("every curl line of proto/README.md is answered as it says") {
  const std::string text = ReadFile(RELATIONS_SOURCE_DIR "/proto/README.md");
  size_t blocks = 0;
  const std::string begin = "```sh\n";
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    const std::string block = text.substr(at, text.find("```", at) - at);
    if (!Contains(block, "curl ") || Contains(block, "grpcurl")) continue;
    ++blocks;
    const ProgramResult result =
        RunProgram("/bin/sh", {"-ec", block},
                   {.standard_input = "",
                    .environment = {{"GATEWAY", "http://" + Ingest().system.rest()},
                                    {"KEY", Ingest().reporter.api_key},
                                    {"SECRET", Ingest().reporter.api_secret}}});
    CAPTURE(block, result.out, result.err);
    CHECK(result.exit_code == 0);
    // The answers stand behind the lines that get them, as comments.
    std::string expected;
    const std::string mark = "# -> ";
    for (size_t line = block.find(mark); line != std::string::npos; line = block.find(mark, line)) {
      line += mark.size();
      expected += block.substr(line, block.find('\n', line) - line + 1);
    }
    CHECK(result.out == expected);
  }
  CHECK(blocks == 1);
}

}  // namespace
}  // namespace relations
