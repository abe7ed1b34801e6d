// What feeds mean: trimming, refanging, values under the wrong type, hosts of urls.
#include <string>

#include "storage/import/feed_text.h"
#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

// "type value", or "refused".
std::string Clean(absl::string_view type, absl::string_view raw) {
  const absl::StatusOr<TypedValue> cleaned = CleanValue(type, raw);
  if (cleaned.ok()) return cleaned->type + " " + cleaned->value;
  CHECK(cleaned.status().code() == absl::StatusCode::kInvalidArgument);
  return "refused";
}

std::string Host(absl::string_view url) {
  const std::optional<TypedValue> host = HostOfUrl(url);
  return host ? host->type + " " + host->value : "none";
}

TEST_CASE("white space and invisible characters go from both ends") {
  CHECK(Clean("malware", " \t\n Emotet \r\n") == "malware emotet");
  // U+FEFF, U+00A0, U+180E ... U+200B, U+200D, U+2060, U+3000.
  CHECK(Clean("ip",
              "\xEF\xBB\xBF\xC2\xA0\xE1\xA0\x8E"
              "8.8.8.8\xE2\x80\x8B\xE2\x80\x8D\xE2\x81\xA0\xE3\x80\x80") == "ip 8.8.8.8");
  CHECK(Clean("value", "a \xE2\x80\x8B b") == "value a   b");
  CHECK(Clean("malware", " \xE2\x80\x8B ") == "refused");
  CHECK(Clean("url", "") == "refused");
}

TEST_CASE("NUL, invalid Unicode and oversize are refused for every type") {
  CHECK(Clean("value", absl::string_view("a\0b", 3)) == "refused");
  CHECK(Clean("value", "a\xED\xA0\x80") == "refused");  // a lone surrogate
  CHECK(Clean("value", "\xFF") == "refused");
  CHECK(Clean("value", std::string(65537, 'a')) == "refused");
  CHECK(Clean("value", " " + std::string(65536, 'a') + " ").size() == 65536 + 6);
  CHECK(Clean("nonsense", "x") == "refused");
}

TEST_CASE("brackets against clicking are taken back") {
  CHECK(Refanged("a[.]b(.)c{.}d[dot]e(DOT)f{Dot}g") == "a.b.c.d.e.f.g");
  CHECK(Refanged("hXXps[://]a[.]b[:]80[/]c") == "https://a.b:80/c");
  CHECK(Refanged("HXXP://a") == "http://a");
  CHECK(Refanged("fxp://a") == "ftp://a");
  CHECK(Refanged("x[@]y(@)z[at]u(AT)v") == "x@y@z@u@v");
  CHECK(Refanged("[[.].]") == "[..]");
  CHECK(Refanged("[") == "[");
  CHECK(Refanged("ahxxp://x") == "ahxxp://x");
  CHECK(Refanged("hxxpx://x") == "hxxpx://x");
}

TEST_CASE("only network values are refanged") {
  CHECK(Clean("domain", "evil[.]com") == "domain evil.com");
  CHECK(Clean("email-address", "me[at]evil[dot]com") == "email-address me@evil.com");
  CHECK(Clean("ip", "8[.]8.8.8") == "ip 8.8.8.8");
  CHECK(Clean("filename", "evil[.]exe") == "filename evil[.]exe");
  CHECK(Clean("link", "http://a.com/x[.]y") == "link http://a.com/x[.]y");
}

TEST_CASE("an ip with a length is a network, one with a port is the ip") {
  CHECK(Clean("ip", "8.8.8.9/24") == "cidr 8.8.8.0/24");
  CHECK(Clean("ip", "8.8.8.8/32") == "ip 8.8.8.8");
  CHECK(Clean("cidr", "2001:DB8::1/128") == "ip 2001:db8::1");
  CHECK(Clean("cidr", "::ffff:8.8.8.8/128") == "ip 8.8.8.8");
  CHECK(Clean("cidr", "2001:db8::/32") == "cidr 2001:db8::/32");
  CHECK(Clean("cidr", "8.8.8.8") == "refused");
  CHECK(Clean("ip", "1.2.3.4:443") == "ip 1.2.3.4");
  CHECK(Clean("ip", "1.2.3.4:65535") == "ip 1.2.3.4");
  CHECK(Clean("ip", "1.2.3.4:65536") == "refused");
  CHECK(Clean("ip", "1.2.3.4:0") == "refused");
  CHECK(Clean("ip", "1.2.3.4:") == "refused");
  CHECK(Clean("ip", "10.2.3.4:443") == "refused");
  CHECK(Clean("ip", "2001:db8::1:443") == "ip 2001:db8::1:443");
  CHECK(Clean("ip", "example.com") == "refused");
}

TEST_CASE("a name that is an address is an ip") {
  CHECK(Clean("domain", "8.8.8.8") == "ip 8.8.8.8");
  CHECK(Clean("hostname", "2001:DB8::1") == "ip 2001:db8::1");
  CHECK(Clean("hostname", "192.168.1.1") == "refused");
  CHECK(Clean("domain", "8.8.8.8:80") == "refused");
  CHECK(Clean("hostname", "WWW.example.com.") == "hostname www.example.com");
}

TEST_CASE("a url without scheme is a url, an ip or a domain") {
  CHECK(Clean("url", "Example.com/Path") == "url http://example.com/Path");
  CHECK(Clean("url", "example.com:8080/") == "url http://example.com:8080/");
  CHECK(Clean("url", "example.com?x=http://y") == "url http://example.com?x=http://y");
  CHECK(Clean("url", "example.com#f") == "url http://example.com#f");
  CHECK(Clean("url", "1.2.3.4:80/x") == "url http://1.2.3.4:80/x");
  CHECK(Clean("url", "1.2.3.4:80") == "ip 1.2.3.4");
  CHECK(Clean("url", "10.0.0.1") == "refused");
  CHECK(Clean("url", "Example.com:443") == "domain example.com");
  CHECK(Clean("url", "[2001:db8::1]:443/x") == "url http://[2001:db8::1]:443/x");
  CHECK(Clean("url", "[2001:db8::1]") == "ip 2001:db8::1");
  CHECK(Clean("url", "hxxps://evil[.]com/") == "url https://evil.com/");
  for (const char* refused : {"localhost", "localhost/x", "/x", "*", "mailto:x@y.z", "http:/a.com",
                              "example.com:", "example.com:99999", "example.com:x/", "://a.com",
                              "//a.com", "[2001:db8::1", "[2001:db8::1]x"}) {
    CAPTURE(refused);
    CHECK(Clean("url", refused) == "refused");
  }
}

TEST_CASE("a url of a feed has a host and may have a fragment") {
  CHECK(Clean("url", "HTTPS://A.com/p#F") == "url https://a.com/p#F");
  CHECK(Clean("url", "https://a.com/p?q#f") == "url https://a.com/p?q#f");
  CHECK(Clean("url", "https://a.com#f") == "url https://a.com#f");
  CHECK(Clean("url", "https://a.com/p q") == "url https://a.com/p%20q");
  CHECK(Clean("url", "https://a.com/%zz#f") == "url https://a.com/%zz#f");
  CHECK(NormaliseValue("url", "https://a.com/p#f").value() == "https://a.com/p%23f");
  for (const char* refused : {"http://", "http://#f", "http:///x", "file:///C:/x", "http://:80/",
                              "http://user@/", "https://a.com /x"}) {
    CAPTURE(refused);
    CHECK(Clean("url", refused) == "refused");
  }
}

TEST_CASE("a url is hosted on an acceptable ip or domain") {
  CHECK(Host("http://user:p@Example.com:80/x") == "domain example.com");
  CHECK(Host("http://8.8.8.8?x") == "ip 8.8.8.8");
  CHECK(Host("https://[2001:db8::1]:8443/x") == "ip 2001:db8::1");
  CHECK(Host("https://[::ffff:8.8.8.8]/") == "ip 8.8.8.8");
  CHECK(Host("http://b%C3%BCcher.de/") == "domain xn--bcher-kva.de");
  CHECK(Host("http://example.com./") == "domain example.com");
  CHECK(Host("http://example.com#f") == "domain example.com");
  CHECK(Host("http://example.com?@evil.com/") == "domain example.com");
  for (const char* none :
       {"http://10.0.0.1/", "http://localhost/", "http:///x", "mailto:x@y.zz", "/x", "*",
        "//example.com/", "http://[fe80::1%25en0]/", "http://%zz/", ""}) {
    CAPTURE(none);
    CHECK(Host(none) == "none");
  }
}

TEST_CASE("the type of a relation is made safe") {
  CHECK(SafeRelationType("related-to ") == "related-to");
  CHECK(SafeRelationType("Communicates With") == "communicates-with");
  CHECK(SafeRelationType("--a__B--") == "a-b");
  CHECK(SafeRelationType("\xC3\xA4") == "related-to");
  CHECK(SafeRelationType("") == "related-to");
}

TEST_CASE("the names of vulnerabilities are known") {
  CHECK(IsCveName("CVE-2021-44228"));
  CHECK(IsCveName(" cve-1999-0001\n"));
  CHECK_FALSE(IsCveName("CVE-2021-123"));
  CHECK_FALSE(IsCveName("CVE-2021-44228x"));
  CHECK_FALSE(IsCveName("CVE-21-44228"));
  CHECK_FALSE(IsCveName(""));
}

TEST_CASE("custom types are known by their prefix") {
  CHECK(IsKnownType("x-mitre-tactic"));
  CHECK_FALSE(IsKnownType("x-"));
  CHECK_FALSE(IsKnownType("x-Upper"));
  CHECK_FALSE(IsKnownType("x-a-"));
  CHECK_FALSE(IsKnownType("ipv4-addr"));
  CHECK_FALSE(IsKnownType(""));
  // An id of 128 characters holds a type of 63.
  CHECK(IsKnownType("x-" + std::string(61, 'a')));
  CHECK_FALSE(IsKnownType("x-" + std::string(62, 'a')));
}

TEST_CASE("the attribute of a number is a number where a double holds it") {
  CHECK(AttributeOf("asn", "15169").number_value() == 15169);
  CHECK(AttributeOf("latitude", "37.4056").number_value() == 37.4056);
  CHECK(AttributeOf("cc-number", "9007199254740992").number_value() == 9007199254740992);
  CHECK(AttributeOf("cc-number", "9007199254740993").string_value() == "9007199254740993");
  CHECK(AttributeOf("cc-number", "9223372036854775807").string_value() == "9223372036854775807");
  CHECK(AttributeOf("ip", "8.8.8.8").string_value() == "8.8.8.8");
  CHECK(AttributeOf("zip-code", "12345").string_value() == "12345");
}

}  // namespace
}  // namespace relations
