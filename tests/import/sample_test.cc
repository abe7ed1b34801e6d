// A small sample of each format, with all that it gives in clear.
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/import/timestamp_text.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using Names = std::set<std::string>;

std::string SamplePath(const std::string& name) {
  return RELATIONS_SOURCE_DIR "/tests/import/data/" + name;
}

Imported ImportSample(const std::string& name, const ImportOptions& options = TestOptions()) {
  return ImportAll({SamplePath(name)}, options);
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ",
                          absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                          absl::UTCTimeZone());
}

std::vector<std::string> TagsOf(const relations::v1::Entity& entity) {
  return {entity.tags().begin(), entity.tags().end()};
}

// The last_seen of the relation between entities of these names, "-" when it has none.
std::string RelationTime(const CollectingSink& sink, const std::string& source,
                         const std::string& target) {
  for (const auto& [key, relation] : sink.relations) {
    if (relation.source == sink.EntityNamed(source).id() &&
        relation.target == sink.EntityNamed(target).id()) {
      return relation.last_seen.has_value() ? TimeText(ToTimestamp(*relation.last_seen)) : "-";
    }
  }
  return "no relation";
}

TEST_CASE("the sample bundle gives its entities") {
  const Imported imported = ImportSample("bundle.json");
  CHECK(imported.sink.EntityNames() ==
        Names{"group Example Bear", "malware-family examplerat", "domain c2.example.com",
              "ip 203.0.113.7", "ip 203.0.113.8", "url https://files.example.com/Get?x=1",
              "domain files.example.com",
              "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
              "md5 098f6bcd4621d373cade4e832627b4f6", "filename test.exe",
              "sha1 a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "filename dropper.doc",
              "domain mail.example.org", "ip 198.51.100.9", "cve cve-2023-99999",
              "attack-pattern T1566.001", "report 6f1b2a3c-0000-4000-8000-00000000000f",
              "ip 198.51.100.20", "ip 2001:db8::1"});
}

TEST_CASE("the sample bundle gives its relations") {
  const Imported imported = ImportSample("bundle.json");
  const std::string rat = "malware-family examplerat";
  const std::string report = "report 6f1b2a3c-0000-4000-8000-00000000000f";
  const std::string sha256 =
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  const std::string sha1 = "sha1 a94a8fe5ccb19ba61c4c0873d391e987982fbbd3";
  CHECK(imported.sink.RelationNames() ==
        Names{"group Example Bear -uses-> " + rat, "domain c2.example.com -indicates-> " + rat,
              "ip 203.0.113.7 -indicates-> " + rat, "ip 203.0.113.8 -indicates-> " + rat,
              "url https://files.example.com/Get?x=1 -indicates-> " + rat,
              "url https://files.example.com/Get?x=1 -hosted-on-> domain files.example.com",
              sha256 + " -same-file-> md5 098f6bcd4621d373cade4e832627b4f6",
              sha256 + " -has-name-> filename test.exe", sha1 + " -has-name-> filename dropper.doc",
              rat + " -has-sample-> " + sha1,
              "domain mail.example.org -resolves-to-> ip 198.51.100.9",
              report + " -refers-to-> group Example Bear",
              report + " -refers-to-> cve cve-2023-99999",
              report + " -refers-to-> attack-pattern T1566.001",
              "ip 198.51.100.20 -communicates-with-> ip 2001:db8::1",
              "ip 198.51.100.20 -sighting-of-> " + rat, "ip 2001:db8::1 -sighting-of-> " + rat});
  CHECK(imported.sink.rejections.empty());
  CHECK(imported.totals.dangling == 1);
  CHECK(imported.totals.skipped ==
        std::map<std::string, uint64_t>{{"dangling reference", 1},
                                        {"relation with an end that is no entity", 1},
                                        {"revoked", 1},
                                        {"stix hash SSDEEP", 1}});
}

TEST_CASE("times, tags and groups of the sample bundle's entities") {
  ImportOptions options = TestOptions();
  options.visible_by = {"team", "public"};
  const CollectingSink sink = ImportSample("bundle.json", options).sink;
  const relations::v1::Entity& bear = sink.EntityNamed("group Example Bear");
  CHECK(TimeText(bear.timestamp()) == "2023-05-01T10:00:00.123Z");
  CHECK(TimeText(bear.last_seen()) == "2023-04-01T00:00:00Z");
  CHECK(TagsOf(bear) == std::vector<std::string>{"espionage"});
  CHECK(bear.visible_by(0) == "public");
  CHECK(bear.visible_by(1) == "team");
  CHECK(bear.accuracy() == 1);
  CHECK(bear.reputation() == 0);
  CHECK(TagsOf(sink.EntityNamed("ip 203.0.113.7")) ==
        std::vector<std::string>{"malicious-activity"});
  // An observable without times has that of what refers to it, else that of the import.
  CHECK(TimeText(sink.EntityNamed("ip 2001:db8::1").last_seen()) == "2023-05-07T12:00:00Z");
  CHECK(TimeText(sink.EntityNamed("filename dropper.doc").timestamp()) == "2023-05-02T00:00:00Z");
  CHECK(TimeText(sink.EntityNamed("domain mail.example.org").timestamp()) ==
        "2024-01-02T03:04:05Z");
  CHECK(RelationTime(sink, "group Example Bear", "malware-family examplerat") ==
        "2023-05-06T00:00:00Z");
  CHECK(RelationTime(sink, "ip 2001:db8::1", "malware-family examplerat") ==
        "2023-05-07T13:00:00Z");
  CHECK(RelationTime(sink, "domain mail.example.org", "ip 198.51.100.9") == "-");
}

TEST_CASE("the sample event gives its entities and relations") {
  const Imported imported = ImportSample("event.json");
  const std::string report = "report 7a2b3c4d-0000-4000-8000-000000000001";
  const std::string md5 = "md5 5d41402abc4b2a76b9719d911017c592";
  const std::string sha1 = "sha1 aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
  const std::string certificate =
      "certificate-fingerprint da39a3ee5e6b4b0d3255bfef95601890afd80709";
  const std::string url = "url http://login.example.net/start";
  CHECK(imported.sink.EntityNames() ==
        Names{report, "group Example Bear", "attack-pattern T1566.001", "domain login.example.net",
              "ip 192.0.2.44", "ip 192.0.2.45", "malware-family examplerat", "cve cve-2023-99999",
              url, "filename invoice.exe", md5, sha1, "mobile-app-id com.example.App",
              certificate});
  CHECK(imported.sink.RelationNames() ==
        Names{report + " -refers-to-> group Example Bear",
              report + " -refers-to-> attack-pattern T1566.001",
              report + " -refers-to-> domain login.example.net",
              report + " -refers-to-> ip 192.0.2.44", report + " -refers-to-> ip 192.0.2.45",
              report + " -refers-to-> cve cve-2023-99999", report + " -refers-to-> " + url,
              report + " -refers-to-> filename invoice.exe", report + " -refers-to-> " + md5,
              report + " -refers-to-> " + sha1,
              report + " -refers-to-> mobile-app-id com.example.App",
              report + " -refers-to-> " + certificate,
              "domain login.example.net -resolves-to-> ip 192.0.2.44",
              "ip 192.0.2.45 -related-to-> malware-family examplerat",
              url + " -hosted-on-> domain login.example.net", sha1 + " -same-file-> " + md5,
              sha1 + " -has-name-> filename invoice.exe",
              sha1 + " -connects-to-> domain login.example.net",
              "mobile-app-id com.example.App -related-to-> " + certificate});
  REQUIRE(imported.sink.rejections.size() == 1);
  CHECK(absl::StrContains(imported.sink.rejections[0],
                          "event.json: event 7A2B3C4D-0000-4000-8000-000000000001, attribute "
                          "7a2b3c4d-0000-4000-8000-000000000006: ip \"10.0.0.1\""));
  CHECK(imported.totals.dangling == 1);
  CHECK(imported.totals.skipped ==
        std::map<std::string, uint64_t>{{"dangling reference", 1},
                                        {"misp attribute type comment", 1},
                                        {"misp deleted attribute", 1},
                                        {"misp deleted reference", 1},
                                        {"misp galaxy sector", 1},
                                        {"misp reference with an end that is no entity", 1}});
}

TEST_CASE("times and tags of the sample event's entities") {
  const CollectingSink sink = ImportSample("event.json").sink;
  const relations::v1::Entity& report =
      sink.EntityNamed("report 7a2b3c4d-0000-4000-8000-000000000001");
  CHECK(TimeText(report.timestamp()) == "2023-06-02T10:00:00Z");
  CHECK(TagsOf(report) == std::vector<std::string>{"tlp:clear"});
  const relations::v1::Entity& ip = sink.EntityNamed("ip 192.0.2.44");
  CHECK(TimeText(ip.timestamp()) == "2023-06-03T13:46:40Z");
  CHECK(TagsOf(ip) == std::vector<std::string>{"phishing"});
  CHECK(TimeText(sink.EntityNamed("ip 192.0.2.45").timestamp()) == "2023-06-02T10:00:00Z");
  const relations::v1::Entity& url = sink.EntityNamed("url http://login.example.net/start");
  CHECK(TimeText(url.last_seen()) == "2023-06-01T22:00:00Z");
}

TEST_CASE("the sample lines give records as they stand") {
  const Imported imported = ImportSample("graph.jsonl");
  CHECK(imported.sink.rejections.empty());
  CHECK(imported.totals.files == 1);
  CHECK(imported.totals.skipped ==
        std::map<std::string, uint64_t>{{"json lines key comment", 1},
                                        {"relation of an entity to itself", 1}});
  REQUIRE(imported.sink.entities.size() == 2);
  CHECK(imported.sink.entities.at("domain-aa11").ShortDebugString() ==
        "id: \"domain-aa11\" type: \"domain\" timestamp { seconds: 1672625045 nanos: 500000000 } "
        "reputation: -3 best_reputation: -1 worst_reputation: -3 accuracy: 2 "
        "last_seen { seconds: 1672704000 } tags: \"c2\" tags: \"botnet\" "
        "visible_by: \"public\" visible_by: \"team\" "
        "attributes { key: \"active\" value { bool_value: true } } "
        "attributes { key: \"domain\" value { string_value: \"shop.example.com\" } } "
        "attributes { key: \"rank\" value { number_value: 7 } } "
        "attributes { key: \"score\" value { number_value: 0.5 } }");
  const relations::v1::Entity& ip = imported.sink.entities.at("ip-bb22");
  CHECK(TimeText(ip.timestamp()) == "2024-01-02T03:04:05Z");
  CHECK(TimeText(ip.last_seen()) == "2024-01-02T03:04:05Z");
  CHECK(ip.visible_by(0) == "public");
  CHECK(imported.sink.statements.count(
            "domain-aa11 ip-bb22 resolves-to aggregation 2023-01-03T00:00:00+00:00 team") == 1);
  CHECK(imported.sink.statements.count("ip-bb22 domain-aa11 related-to association - -") == 1);
  CHECK(imported.sink.relations.size() == 2);
}

TEST_CASE("samples of all formats come in one call") {
  const Imported imported =
      ImportAll({SamplePath("event.json"), SamplePath("graph.jsonl"), SamplePath("bundle.json")});
  CHECK(imported.totals.files == 3);
  // Group, technique, family and CVE are in both the bundle and the event.
  CHECK(imported.sink.entities.size() == 19 + 14 - 4 + 2);
  CHECK(imported.sink.relations.size() == 17 + 19 + 2);
  CHECK(imported.totals.bytes_read == imported.totals.bytes);
}

}  // namespace
}  // namespace relations
