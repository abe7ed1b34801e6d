#include "storage/import/stix_pattern.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using Texts = std::vector<std::string>;

StixPattern Parsed(const std::string& pattern) {
  const absl::StatusOr<StixPattern> parsed = ParseStixPattern(pattern);
  INFO(pattern << ": " << parsed.status());
  REQUIRE(parsed.ok());
  return *parsed;
}

// "type text" of each value.
Texts Values(const std::string& pattern) {
  Texts values;
  for (const StixPattern::Value& value : Parsed(pattern).values) {
    values.push_back(absl::StrCat(value.type, " ", value.text));
  }
  return values;
}

// The types of each file's parts, for example "md5 filename".
Texts Files(const std::string& pattern) {
  const StixPattern parsed = Parsed(pattern);
  Texts files;
  for (const std::vector<size_t>& file : parsed.files) {
    std::string types;
    for (const size_t index : file) {
      absl::StrAppend(&types, types.empty() ? "" : " ", parsed.values[index].type);
    }
    files.push_back(types);
  }
  return files;
}

std::string Fault(const std::string& pattern) {
  const absl::StatusOr<StixPattern> parsed = ParseStixPattern(pattern);
  return parsed.ok() ? "parses" : std::string(parsed.status().message());
}

TEST_CASE("a comparison for equality gives its value") {
  CHECK(Values("[ipv4-addr:value = '203.0.113.1']") == Texts{"ip 203.0.113.1"});
  CHECK(Values("[ipv4-addr:value=='203.0.113.1']") == Texts{"ip 203.0.113.1"});
  CHECK(Values(" [ domain-name : value\n= 'example.com' ] ") == Texts{"domain example.com"});
  CHECK(Values("[autonomous-system:number = 64496]") == Texts{"asn 64496"});
  CHECK(Values("[file:hashes.MD5 = h'00ff']") == Texts{"md5 00ff"});
}

TEST_CASE("each mapped path stands for its type") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"ipv6-addr:value", "ip"},
      {"domain-name:resolves_to_refs[*].value", "domain"},
      {"domain-name:resolves_to_refs[0].value", "domain"},
      {"url:value", "url"},
      {"email-addr:value", "email-address"},
      {"email-message:from_ref.value", "email-address"},
      {"email-message:sender_ref.value", "email-address"},
      {"email-message:subject", "email-subject"},
      {"mac-addr:value", "mac-address"},
      {"file:name", "filename"},
      {"file:path", "path"},
      {"directory:path", "path"},
      {"windows-registry-key:key", "regkey"},
      {"mutex:name", "mutex"},
      {"process:name", "process"},
      {"process:command_line", "command"},
      {"software:name", "software"},
      {"user-account:account_login", "username"},
      {"user-account:user_id", "username"},
      {"app:id", "mobile-app-id"},
      {"app:cert.sha256", "certificate-fingerprint"},
      {"app:cert.sha1", "certificate-fingerprint"},
      {"app:cert.md5", "certificate-fingerprint"},
      {"x509-certificate:hashes.'SHA-1'", "certificate-fingerprint"},
      {"artifact:hashes.'SHA-512'", "sha512"},
      {"file:hashes.'SHA-256'", "sha256"},
      {"file:hashes.SHA-256", "sha256"},
      {"file:hashes.sha256", "sha256"},
      {"file:hashes.'SHA3-256'", "sha3-256"},
      {"file:'hashes'.'MD5'", "md5"}};
  for (const auto& [path, type] : rows) {
    CHECK(Values("[" + path + " = 'x']") == Texts{type + " x"});
  }
}

TEST_CASE("a path that is not mapped is told by its text") {
  for (const std::string path :
       {"file:hashes.SSDEEP", "x509-certificate:issuer", "windows-registry-key:values[*].data",
        "network-traffic:dst_ref.value", "x-custom:value"}) {
    const StixPattern pattern = Parsed("[" + path + " = 'x']");
    CHECK(pattern.values.empty());
    CHECK(pattern.unmapped == Texts{"pattern path " + path});
  }
  CHECK(Parsed("[file:extensions.'windows-pebinary-ext'.sections[3].name = 'x']").unmapped ==
        Texts{"pattern path file:extensions.windows-pebinary-ext.sections[*].name"});
}

TEST_CASE("a list gives each of its values") {
  CHECK(Values("[domain-name:value IN ('a.example', 'b.example')]") ==
        Texts{"domain a.example", "domain b.example"});
  CHECK(Values("[autonomous-system:number IN (1,2)]") == Texts{"asn 1", "asn 2"});
}

TEST_CASE("comparisons that are no equality give nothing") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"!= 'x'", "!="},
      {"<> 'x'", "<>"},
      {"NOT = 'x'", "NOT ="},
      {"NOT IN ('x','y')", "NOT IN"},
      {"LIKE 'x%'", "LIKE"},
      {"MATCHES '^x'", "MATCHES"},
      {"NOT MATCHES '^x'", "NOT MATCHES"},
      {"ISSUBSET '203.0.113.0/24'", "ISSUBSET"},
      {"ISSUPERSET '203.0.113.0/24'", "ISSUPERSET"},
      {"> 5", ">"},
      {"<= -5.25e3", "<="}};
  for (const auto& [comparison, name] : rows) {
    const StixPattern pattern = Parsed("[ipv4-addr:value " + comparison + "]");
    CHECK(pattern.values.empty());
    CHECK(pattern.unmapped == Texts{"pattern comparison " + name});
  }
  CHECK(Parsed("[EXISTS file:name]").unmapped == Texts{"pattern comparison EXISTS"});
  CHECK(Parsed("[NOT EXISTS file:name]").unmapped == Texts{"pattern comparison EXISTS"});
}

TEST_CASE("literals that are no text or integer give nothing") {
  for (const std::string literal :
       {"true", "FALSE", "1.5", "t'2023-01-01T00:00:00Z'", "b'AAAA'", "-.5e-3"}) {
    const StixPattern pattern = Parsed("[file:name = " + literal + "]");
    CHECK(pattern.values.empty());
    CHECK(pattern.unmapped == Texts{"pattern literal of file:name"});
  }
}

TEST_CASE("a backslash makes the next character itself") {
  CHECK(Values(R"([file:name = 'it\'s \\ a \n'])") == Texts{R"(filename it's \ a n)"});
  CHECK(Values(R"([mutex:name = ''])") == Texts{"mutex "});
  CHECK(Values("[mutex:name = 'a]b/*c//d']") == Texts{"mutex a]b/*c//d"});
}

TEST_CASE("observations combine in every way and may be qualified") {
  const Texts both = {"ip 203.0.113.1", "domain example.com"};
  const std::string a = "[ipv4-addr:value='203.0.113.1']";
  const std::string b = "[domain-name:value='example.com']";
  CHECK(Values(a + " AND " + b) == both);
  CHECK(Values(a + " or " + b) == both);
  CHECK(Values(a + "FOLLOWEDBY" + b) == both);
  CHECK(Values("(" + a + " AND (" + b + ")) WITHIN 5 SECONDS") == both);
  CHECK(Values(a + " REPEATS 3 TIMES WITHIN 1.5 SECONDS OR " + b) == both);
  CHECK(Values(a + " START t'2023-01-01T00:00:00Z' STOP t'2023-02-01T00:00:00Z' AND " + b) == both);
  CHECK(Values(a + " START '2023-01-01T00:00:00Z' STOP '2023-02-01T00:00:00Z' AND " + b) == both);
  CHECK(Values("[(ipv4-addr:value='203.0.113.1' OR domain-name:value='example.com')]") == both);
}

TEST_CASE("comments and white space mean nothing") {
  CHECK(Values("/* a [ */ [ipv4-addr:value /**/ = // all of ] it\n '203.0.113.1'] // end") ==
        Texts{"ip 203.0.113.1"});
}

TEST_CASE("hashes and names of one observation are one file") {
  CHECK(Files("[file:hashes.MD5='a' AND file:hashes.'SHA-1'='b' AND file:name='c']") ==
        Texts{"md5 sha1 filename"});
  CHECK(Files("[file:name='c' AND ipv4-addr:value='203.0.113.1' AND artifact:hashes.MD5='a']") ==
        Texts{"filename md5"});
  CHECK(Files("[file:hashes.MD5='a'] AND [file:hashes.MD5='b' AND file:name='c']") ==
        Texts{"md5", "md5 filename"});
  CHECK(Files("[file:hashes.MD5='a' AND file:name IN ('c')]") == Texts{"md5 filename"});
  CHECK(Files("[file:hashes.MD5='a' AND file:name='c' AND file:size NOT IN (1,2)]") ==
        Texts{"md5 filename"});
}

TEST_CASE("alternatives within an observation are no one file") {
  CHECK(Files("[file:hashes.MD5='a' OR file:name='c']").empty());
  CHECK(Files("[file:hashes.MD5='a' AND (file:name='c' OR file:name='d')]").empty());
  CHECK(Files("[file:hashes.MD5 IN ('a','b') AND file:name='c']").empty());
  CHECK(Files("[file:hashes.MD5='a' AND file:size IN (1,2) AND file:name='c']").empty());
  CHECK(Files("[file:name='c' AND file:name='d']").empty());
  CHECK(Files("[file:hashes.MD5='a'] AND [file:name='c']") == Texts{"md5"});
}

TEST_CASE("what is no pattern is refused with the place and the cause") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "character 1: \"[\" is missing"},
      {"garbage", "character 1: \"[\" is missing"},
      {"[]", "character 2: an object path is missing"},
      {"[ipv4-addr]", "character 11: \":\" is missing"},
      {"[ipv4-addr:]", "character 12: a property is missing"},
      {"[ipv4-addr:value]", "character 17: a comparison is missing"},
      {"[ipv4-addr:value =]", "character 19: a value is missing"},
      {"[ipv4-addr:value = value]", "character 20: a value is missing"},
      {"[ipv4-addr:value = 'x'", "character 23: \"]\" is missing"},
      {"[ipv4-addr:value = 'x]", "character 20: the string that starts here does not end"},
      {"[ipv4-addr:value = 'x\\']", "character 20: the string that starts here does not end"},
      {"[ipv4-addr:value = 'x'] 'y'", "character 25: more text follows the pattern"},
      {"[ipv4-addr:value = 'x'] AND", "character 28: \"[\" is missing"},
      {"[ipv4-addr:value = 'x' AND]", "character 27: an object path is missing"},
      {"[ipv4-addr:value IN ()]", "character 22: a value is missing"},
      {"[ipv4-addr:value IN ('x',)]", "character 26: a value is missing"},
      {"[ipv4-addr:value IN 'x']", "character 21: \"(\" is missing"},
      {"[NOT ipv4-addr:value = 'x']", "character 6: EXISTS is missing"},
      {"[a:b[x] = 'x']", "character 6: an index or * is missing"},
      {"[a:b[1 = 'x']", "character 8: \"]\" is missing"},
      {"[a:b = 'x'] WITHIN", "character 19: a number is missing"},
      {"[a:b = 'x'] WITHIN 5", "character 21: SECONDS is missing"},
      {"[a:b = 'x'] REPEATS 5 SECONDS", "character 23: TIMES is missing"},
      {"[a:b = 'x'] START t'2023-01-01T00:00:00Z'", "character 42: STOP is missing"},
      {"[a:b = 'x'] START 5 STOP 6", "character 19: a timestamp is missing"},
      {"[a:b = 'x'] /* no end", "character 13: the comment that starts here does not end"},
      {"[a:b = \"x\"]", "character 8: nothing of a pattern starts here"},
      {"([a:b = 'x']", "character 13: \")\" is missing"},
      {"[(a:b = 'x']", "character 12: \")\" is missing"},
      {std::string("[a:b = 'x'\0]", 12), "character 11: nothing of a pattern starts here"}};
  for (const auto& [pattern, fault] : rows) {
    CHECK(Fault(pattern) == "the pattern does not parse at " + fault);
  }
}

TEST_CASE("every prefix of a pattern but the whole is refused") {
  const std::string whole = "([a:b[*].'c d' NOT IN (h'00', 1.5e3) AND (EXISTS d:e OR f:g<>-1)])";
  const std::string pattern = whole + " REPEATS 2 TIMES";
  for (size_t length = 0; length < pattern.size(); ++length) {
    const std::string prefix = pattern.substr(0, length);
    INFO(prefix);
    // Only the observation without its qualifier is whole.
    CHECK(ParseStixPattern(prefix).ok() == (prefix == whole || prefix == whole + " "));
  }
  CHECK(ParseStixPattern(pattern).ok());
}

TEST_CASE("parentheses nest up to the limit") {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '(') + "[a:b = 'x']" +
           std::string(static_cast<size_t>(depth), ')');
  };
  CHECK(ParseStixPattern(nested(limits::kImportPatternDepthMax - 1)).ok());
  CHECK(absl::EndsWith(Fault(nested(limits::kImportPatternDepthMax)), "nested too deep"));
  CHECK(absl::EndsWith(Fault(nested(1'000'000)), "nested too deep"));
  CHECK(absl::EndsWith(Fault("[" + nested(1'000'000)), "nested too deep"));
}

TEST_CASE("a pattern is read up to the limit of its length") {
  const auto padded = [](size_t size) {
    const std::string pattern = "[a:b = 'x']";
    return pattern + std::string(size - pattern.size(), ' ');
  };
  CHECK(ParseStixPattern(padded(limits::kImportPatternBytesMax)).ok());
  CHECK(Fault(padded(limits::kImportPatternBytesMax + 1)) ==
        "the pattern is longer than 4194304 bytes");
}

}  // namespace
}  // namespace relations
