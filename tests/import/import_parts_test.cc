// The small parts of the importers: times, things, types of MISP, faults of JSON.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "storage/import/json_document.h"
#include "storage/import/json_fault.h"
#include "storage/import/misp_types.h"
#include "storage/import/thing.h"
#include "storage/import/timestamp_text.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

std::string Utc(const std::string& text) {
  const auto time = ParseRfc3339(text);
  return time.has_value() ? absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*S", *time, absl::UTCTimeZone())
                          : "none";
}

TEST_CASE("RFC 3339 times are read to the nanosecond and moved to UTC") {
  CHECK(Utc("2023-06-15T14:30:00Z") == "2023-06-15T14:30:00");
  CHECK(Utc("2023-06-15t14:30:00.123456789z") == "2023-06-15T14:30:00.123456789");
  CHECK(Utc("2023-06-15 14:30:00.5+02:30") == "2023-06-15T12:00:00.5");
  CHECK(Utc("2023-01-01T00:30:00-23:59") == "2023-01-02T00:29:00");
  CHECK(Utc("2016-12-31T23:59:60Z") == "2017-01-01T00:00:00");
  CHECK(Utc("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00");
  CHECK(Utc("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00");
  CHECK(Utc("9999-12-31T23:59:59.999999999Z") == "9999-12-31T23:59:59.999999999");
}

TEST_CASE("what is no RFC 3339 time is none") {
  for (const std::string text : {"",
                                 "2023",
                                 "2023-06-15",
                                 "2023-06-15T14:30:00",
                                 "2023-06-15T14:30Z",
                                 "2023-13-15T14:30:00Z",
                                 "2023-02-29T14:30:00Z",
                                 "2023-06-15T24:30:00Z",
                                 "2023-06-15T14:60:00Z",
                                 "2023-06-15T14:30:61Z",
                                 "2023-06-15T14:30:00.Z",
                                 "2023-06-15T14:30:00.1234567890Z",
                                 "2023-06-15T14:30:00+24:00",
                                 "2023-06-15T14:30:00+0200",
                                 "2023-06-15T14:30:00Z ",
                                 " 2023-06-15T14:30:00Z",
                                 "0000-01-01T00:00:00Z",
                                 "0001-01-01T00:00:00+01:00",
                                 "9999-12-31T23:59:59-01:00",
                                 "20230615T143000Z",
                                 "+023-06-15T14:30:00Z",
                                 "infinite-future"}) {
    INFO(text);
    CHECK(Utc(text) == "none");
  }
}

TEST_CASE("seconds and days of MISP") {
  CHECK(absl::ToUnixSeconds(*ParseUnixSeconds("1685700000")) == 1685700000);
  for (const std::string text :
       {"", "0", "-1", "1.5", "1e9", "999999999999", "9999999999999", "x"}) {
    INFO(text);
    CHECK_FALSE(ParseUnixSeconds(text).has_value());
  }
  CHECK(absl::ToUnixSeconds(*ParseDay("1970-01-02")) == 86400);
  for (const std::string text : {"", "1970-1-2", "1970-01-32", "1970-01-02T", "0000-00-00"}) {
    INFO(text);
    CHECK_FALSE(ParseDay(text).has_value());
  }
}

TEST_CASE("the anchor of a thing is by the order of types") {
  CHECK(AnchorRank("malware") < AnchorRank("sha256"));
  CHECK(AnchorRank("sha256") < AnchorRank("sha1"));
  CHECK(AnchorRank("sha1") < AnchorRank("md5"));
  CHECK(AnchorRank("md5") < AnchorRank("url"));
  CHECK(AnchorRank("filename") < AnchorRank("mutex"));
  CHECK(AnchorRank("mutex") == AnchorRank("x-anything"));
}

TEST_CASE("the relation from an anchor to another part") {
  CHECK(PartRelationType("sha256", "md5") == "same-file");
  CHECK(PartRelationType("sha256", "sha256") == "related-to");
  CHECK(PartRelationType("md5", "filename") == "has-name");
  CHECK(PartRelationType("sha1", "certificate-fingerprint") == "signed-by");
  CHECK(PartRelationType("domain", "ip") == "resolves-to");
  CHECK(PartRelationType("hostname", "cidr") == "resolves-to");
  CHECK(PartRelationType("url", "domain") == "hosted-on");
  CHECK(PartRelationType("url", "ip") == "hosted-on");
  CHECK(PartRelationType("url", "cidr") == "related-to");
  CHECK(PartRelationType("malware", "sha256") == "related-to");
  CHECK(PartRelationType("ip", "filename") == "related-to");
}

TEST_CASE("hash kinds are told without case and punctuation") {
  CHECK(HashType("SHA-256") == "sha256");
  CHECK(HashType("sha_256") == "sha256");
  CHECK(HashType("SHA3-512") == "sha3-512");
  CHECK(HashType("SHA512/224") == "sha512-224");
  CHECK(HashType("SSDEEP").empty());
  CHECK(HashType("").empty());
  CHECK(IsHashType("sha3-256"));
  CHECK_FALSE(IsHashType("certificate-fingerprint"));
}

using Texts = std::vector<std::string>;

Texts Entities(const std::string& type, const std::string& value) {
  std::vector<std::string> faults;
  Texts texts;
  for (const TypedValue& entity : MispEntities(type, value, faults)) {
    texts.push_back(entity.type + " " + entity.value);
  }
  texts.insert(texts.end(), faults.size(), "fault");
  return texts;
}

TEST_CASE("attributes of several parts split where their type says") {
  const std::string md5 = "5d41402abc4b2a76b9719d911017c592";
  CHECK(Entities("filename|md5", "a|b.exe|" + md5) == Texts{"filename a|b.exe", "md5 " + md5});
  CHECK(Entities("malware-sample", "x.exe|" + md5) == Texts{"filename x.exe", "md5 " + md5});
  CHECK(Entities("filename|imphash", "x.exe|" + md5) == Texts{"filename x.exe"});
  CHECK(Entities("filename|md5", "x.exe|short") == Texts{"filename x.exe", "fault"});
  CHECK(Entities("filename|md5", "x.exe") == Texts{"fault"});
  CHECK(Entities("domain|ip", "example.com|203.0.113.1") ==
        Texts{"domain example.com", "ip 203.0.113.1"});
  CHECK(Entities("domain|ip", "|") == Texts{"fault", "fault"});
  CHECK(Entities("ip-src|port", "203.0.113.1|80") == Texts{"ip 203.0.113.1"});
  CHECK(Entities("hostname|port", "Host.example.com|80") == Texts{"hostname host.example.com"});
  CHECK(Entities("regkey|value", "HKLM\\Run|a|b") == Texts{"regkey hklm\\run"});
  CHECK(Entities("sha512/224", std::string(56, 'A')) ==
        Texts{"sha512-224 " + std::string(56, 'a')});
  CHECK(Entities("x509-fingerprint-sha1", std::string(40, 'B')) ==
        Texts{"certificate-fingerprint " + std::string(40, 'b')});
  CHECK(Entities("vulnerability", "cve-2023-12345") == Texts{"cve cve-2023-12345"});
  CHECK(Entities("vulnerability", "Some Hole") == Texts{"vulnerability some hole"});
  CHECK(Entities("AS", "AS64496") == Texts{"asn 64496"});
  CHECK(Entities("SHA256", std::string(64, 'a')).empty());
}

TEST_CASE("galaxies stand for the first type that fits") {
  CHECK(MispGalaxyType("threat-actor") == "group");
  CHECK(MispGalaxyType("mitre-enterprise-attack-intrusion-set") == "group");
  CHECK(MispGalaxyType("microsoft-activity-group") == "group");
  CHECK(MispGalaxyType("mitre-attack-pattern") == "attack-pattern");
  CHECK(MispGalaxyType("mitre-course-of-action") == "course-of-action");
  CHECK(MispGalaxyType("mitre-tool") == "tool");
  CHECK(MispGalaxyType("tool") == "malware-family");
  CHECK(MispGalaxyType("mitre-malware") == "malware-family");
  CHECK(MispGalaxyType("ransomware") == "malware-family");
  CHECK(MispGalaxyType("sector").empty());
}

TEST_CASE("a trailing id is the value of techniques and no part of names") {
  CHECK(MispClusterValue("attack-pattern", "Spearphishing Attachment - T1193") == "T1193");
  CHECK(MispClusterValue("attack-pattern", "Sub - T1059.001") == "T1059.001");
  CHECK(MispClusterValue("group", "APT1 - G0006") == "APT1");
  CHECK(MispClusterValue("group", "A - B - G0006") == "A - B");
  CHECK(MispClusterValue("attack-pattern", "Name - t1193") == "Name - t1193");
  CHECK(MispClusterValue("attack-pattern", "Name - T1193.") == "Name - T1193.");
  CHECK(MispClusterValue("attack-pattern", "Name - 1193") == "Name - 1193");
  CHECK(MispClusterValue("attack-pattern", "Name -T1193") == "Name -T1193");
  CHECK(MispClusterValue("group", " - G1").empty());
}

TEST_CASE("galaxy tags") {
  const auto tag = ParseMispGalaxyTag("misp-galaxy:rat=\"A \"quoted\" one\"");
  REQUIRE(tag.has_value());
  CHECK(tag->galaxy_type == "rat");
  CHECK(tag->value == "A \"quoted\" one");
  for (const std::string text : {"misp-galaxy:rat", "misp-galaxy:rat=\"", "misp-galaxy:rat=x",
                                 "tlp:clear", "misp-galaxy:rat=\"x"}) {
    INFO(text);
    CHECK_FALSE(ParseMispGalaxyTag(text).has_value());
  }
  CHECK(ParseMispGalaxyTag("misp-galaxy:rat=\"\"")->value.empty());
}

TEST_CASE("the first fault of a text that is not JSON") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "line 1, column 1: the text ends too early"},
      {"{\"a\":\n  [1, 2", "line 2, column 8: the text ends too early"},
      {"{\"a\" 1}", "line 1, column 6: a colon is missing"},
      {"{\"a\":1,}", "line 1, column 8: a key in quotes is missing"},
      {"[1 2]", "line 1, column 4: a comma or the closing bracket is missing"},
      {"[1}", "line 1, column 3: a comma or the closing bracket is missing"},
      {"[01]", "line 1, column 2: a number starts with 0"},
      {"[1.]", "line 1, column 4: a digit is missing"},
      {"[-]", "line 1, column 3: a digit is missing"},
      {"[1e+]", "line 1, column 5: a digit is missing"},
      {"[nul]", "line 1, column 2: no value of JSON starts here"},
      {"[\"a\\x\"]", "line 1, column 4: an escape in a string is none of JSON's"},
      {"[\"\\u12g4\"]", "line 1, column 3: an escape in a string is none of JSON's"},
      {"[\"a\nb\"]", "line 1, column 4: a control character in a string is not escaped"},
      {"[\"a", "line 1, column 2: the string that starts here does not end"},
      {"[\"\xFF\"]", "line 1, column 2: the string that starts here is not UTF-8"},
      {"{}\n{}", "line 2, column 1: more text follows the end of the document"},
      {std::string(300, '['), "line 1, column 257: nested too deep"}};
  for (const auto& [text, fault] : rows) {
    INFO(text);
    CHECK(DescribeJsonFault(text) == fault);
  }
  CHECK(DescribeJsonFault(" {\"a\":[1,-2.5e-3,true,false,null,\"\\u00e9\\\\\"],\"b\":{}} \n")
            .empty());
}

TEST_CASE("the parser and the fault finder agree on every cut of a document") {
  const std::string text =
      "{\"a\":[1,-2.5e-3,true,null,\"\\u00e9 \\\" \xC3\xA9\"],\"b\":{\"c\":[]}}";
  JsonParser parser;
  for (size_t length = 1; length <= text.size(); ++length) {
    std::string part = text.substr(0, length);
    part.reserve(part.size() + JsonParser::kPaddingBytes);
    INFO(part);
    CHECK(parser.Parse(part).ok() == DescribeJsonFault(part).empty());
  }
}

TEST_CASE("lone surrogates become NUL and pairs stay") {
  std::string text = R"("\ud83d\ude00 \ud83d \ude00 \ud83d\ud83d\ude00 \\ud83d \uD800")";
  CHECK(ReplaceLoneSurrogates(text) == 4);
  CHECK(text == R"("\ud83d\ude00 \u0000 \u0000 \u0000\ud83d\ude00 \\ud83d \u0000")");
  std::string cut = "\"\\ud8";
  CHECK(ReplaceLoneSurrogates(cut) == 0);
}

}  // namespace
}  // namespace relations
