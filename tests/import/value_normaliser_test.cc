// The normal forms of values, data type by data type, at their limits and past them.
#include "storage/import/value_normaliser.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

// The normal form, or "refused".
std::string Normal(absl::string_view type, absl::string_view value) {
  const absl::StatusOr<std::string> normal = NormaliseValue(type, value);
  if (normal.ok()) return *normal;
  CHECK(normal.status().code() == absl::StatusCode::kInvalidArgument);
  return "refused";
}

std::string Message(absl::string_view type, absl::string_view value) {
  return std::string(NormaliseValue(type, value).status().message());
}

// Labels of 63 characters and a rest, `size` characters in all, the top-level domain included.
std::string DomainOfSize(size_t size) {
  std::string name;
  while (name.size() + 64 + 3 < size) absl::StrAppend(&name, std::string(63, 'a'), ".");
  return absl::StrCat(name, std::string(size - name.size() - 4, 'b'), ".com");
}

TEST_CASE("a refusal names the type, the value, what is wrong and what is accepted") {
  CHECK(Message("ip", "10.0.0.1") ==
        "ip \"10.0.0.1\" is a private address; accepted: a public IPv4 or IPv6 address");
  CHECK(Message("sha1", "a\"\n") ==
        "sha1 \"a\\\"\\n\" has not the length of its digest; accepted: 40 hexadecimal digits");
  CHECK(absl::StrContains(Message("hash", "x"), "entity type \"hash\" is unknown"));
}

TEST_CASE("a long value is shown cut between characters") {
  // Byte 80 lies within a character of two bytes.
  const std::string value = "x" + std::string(60, 'y') +
                            "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4" +
                            "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4";
  const std::string message = Message("sha1", value);
  CAPTURE(message);
  CHECK(absl::StrContains(message, "\xC3\xA4\"... has not"));
  CHECK(message.size() < 180);
}

TEST_CASE("a value may have 65536 bytes and no more") {
  CHECK(Normal("value", std::string(65536, 'a')).size() == 65536);
  CHECK(Normal("value", std::string(65537, 'a')) == "refused");
  // Its escape would be longer.
  const std::string url = "https://example.com/" + std::string(65536 - 21, 'a');
  CHECK(Normal("url", url + "b") == url + "b");
  CHECK(Normal("url", url + " ") == "refused");
}

TEST_CASE("the empty value is refused for every kind of type") {
  for (const char* type :
       {"ip", "url", "text", "value", "path", "city", "country", "base64", "hex", "adversary",
        "filename-pattern", "asn", "date", "certificate-fingerprint"}) {
    CAPTURE(type);
    CHECK(Normal(type, "") == "refused");
  }
}

TEST_CASE("NUL and broken UTF-8 have a form in text alone") {
  const absl::string_view nul("a\0B", 3);
  CHECK(Normal("value", nul) == "a B");
  CHECK(Normal("text", nul) == "a b");
  CHECK(Normal("value", "a\xFFz") == "a\xEF\xBF\xBDz");
  // Each byte of a sequence that is cut short counts.
  CHECK(Normal("value", "\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  for (const char* type : {"path", "city", "adversary", "filename-pattern", "url"}) {
    CAPTURE(type);
    CHECK(Normal(type, nul) == "refused");
    CHECK(Normal(type, "/a\xFFz") == "refused");
  }
}

TEST_CASE("text keeps letters, numbers, punctuation, symbols and white space") {
  CHECK(Normal("value", " Two  words\t") == " Two  words\t");
  CHECK(Normal("value", "a\x7F\x01z") == "a  z");
  CHECK(Normal("value",
               "a\xE2\x80\x8B"
               "b") == "a b");  // U+200B
  CHECK(Normal("value",
               "a\xC2\xA0"
               "b") ==
        "a\xC2\xA0"
        "b");  // U+00A0
  CHECK(Normal("value", " \t\x01 ") == "refused");
  CHECK(Normal("x-mitre-tactic", "TA0001") == "TA0001");
  CHECK(Normal("btc", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2") ==
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2");
}

TEST_CASE("text without case is lower case character by character") {
  CHECK(Normal("malware", "\xC3\x85land TROJAN") == "\xC3\xA5land trojan");
  CHECK(Normal("text", "\xC4\xB0") == "i");                         // U+0130
  CHECK(Normal("text", "\xCE\x9F\xCE\xA3") == "\xCE\xBF\xCF\x83");  // no final sigma
  CHECK(Normal("path", "C:\\Windows\\\xC3\x84.EXE") == "c:\\windows\\\xC3\xA4.exe");
}

TEST_CASE("an ip is a public address in canonical text") {
  CHECK(Normal("ip", "2001:DB8:0:0:1::") == "2001:db8:0:0:1::");
  CHECK(Normal("ip", "2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");
  CHECK(Normal("ip", "1:0:0:2:0:0:0:3") == "1:0:0:2::3");
  CHECK(Normal("ip", "::2") == "::2");
  CHECK(Normal("ip", "64:ff9b::8.8.8.8") == "64:ff9b::808:808");
  CHECK(Normal("ip", "::FFFF:808:808") == "8.8.8.8");
  for (const char* refused : {"::ffff:10.0.0.1",
                              "::ffff:127.0.0.1",
                              "::1",
                              "fe80::1",
                              "febf::1",
                              "fd00::1",
                              "ff05::2",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.1.1",
                              "239.255.255.255",
                              "2001:db8::1%eth0",
                              "1.2.3",
                              "1.2.3.4.5",
                              "1.2.3.256",
                              "1.2.3.4 ",
                              "[2001:db8::1]",
                              "1::2::3",
                              "1:2:3:4:5:6:7:8::",
                              "00001::",
                              "0x8.8.8.8"}) {
    CAPTURE(refused);
    CHECK(Normal("ip", refused) == "refused");
  }
  for (const char* accepted : {"172.15.0.1", "172.32.0.1", "192.167.255.255", "169.253.0.1",
                               "223.255.255.255", "255.255.255.255", "128.0.0.1", "fec0::1"}) {
    CAPTURE(accepted);
    CHECK(Normal("ip", accepted) == accepted);
  }
  CHECK(Normal("ip", absl::string_view("8.8.8.8\0", 8)) == "refused");
}

TEST_CASE("a cidr is its network and is judged by it") {
  CHECK(Normal("cidr", "8.8.8.8/32") == "8.8.8.8/32");
  CHECK(Normal("cidr", "2001:db8:ffff::1/33") == "2001:db8:8000::/33");
  CHECK(Normal("cidr", "::ffff:8.8.8.9/120") == "8.8.8.0/24");
  CHECK(Normal("cidr", "224.0.0.1/3") == "refused");
  CHECK(Normal("cidr", "11.0.0.0/7") == "refused");
  CHECK(Normal("cidr", "8.8.8.8/0") == "refused");
  CHECK(Normal("cidr", "2001:db8::/129") == "refused");
  for (const char* refused : {"8.8.8.0/", "8.8.8.0/-1", "8.8.8.0/+8", "8.8.8.0/8/8", "/8",
                              "8.8.8.0/255.255.255.0", "8.8.8.0/0024"}) {
    CAPTURE(refused);
    CHECK(Normal("cidr", refused) == "refused");
  }
}

TEST_CASE("a domain name has two labels or more, of 1 to 63 characters, 253 in all") {
  const std::string label(63, 'a');
  CHECK(Normal("domain", label + ".com") == label + ".com");
  CHECK(Normal("domain", label + "a.com") == "refused");
  REQUIRE(DomainOfSize(253).size() == 253);
  CHECK(Normal("domain", DomainOfSize(253)) == DomainOfSize(253));
  CHECK(Normal("domain", DomainOfSize(253) + ".") == DomainOfSize(253));
  CHECK(Normal("domain", DomainOfSize(254)) == "refused");
  CHECK(Normal("domain", "Example.COM.") == "example.com");
  CHECK(Normal("domain", "_dmarc.a-_b.example.com") == "_dmarc.a-_b.example.com");
  for (const char* refused :
       {"example.com..", ".example.com", ".", "com", "com.", "a.b", "1.2.3.4", "a.c_m", "a.com-",
        "a.-com", "a.1com", "*.example.com", "a b.com", "a.com/x", "a.com:80"}) {
    CAPTURE(refused);
    CHECK(Normal("domain", refused) == "refused");
  }
}

TEST_CASE("labels beyond ASCII become A-labels") {
  CHECK(Normal("domain",
               "B\xC3\x9C"
               "CHER.Example") == "xn--bcher-kva.example");
  CHECK(Normal("domain",
               "stra\xC3\x9F"
               "e.de") == "xn--strae-oqa.de");  // non-transitional
  CHECK(Normal("domain",
               "a_b.b\xC3\xBC"
               "cher.de") == "a_b.xn--bcher-kva.de");
  // The ideographic full stop is a dot.
  CHECK(Normal("domain",
               "b\xC3\xBC"
               "cher\xE3\x80\x82"
               "de") == "xn--bcher-kva.de");
  CHECK(Normal("domain", "\xD0\xBF\xD1\x80\xD0\xB8.\xD1\x80\xD1\x84") == "xn--h1and.xn--p1ai");
  CHECK(Normal("domain", "a\xE2\x80\xA8.de") == "refused");  // U+2028
  CHECK(Normal("domain", "xn--\xC3\xBC.de") == "refused");
}

TEST_CASE("a url takes the form of a request target when it is one") {
  CHECK(Normal("url", "HTTP://Ex.COM:080/A%2f?B=%zz c#d") == "http://ex.com:080/A%2f?B=%zz c#d");
  CHECK(Normal("url", "http://a.com/x%7e y") == "http://a.com/x~%20y");
  CHECK(Normal("url", "http://a.com/!'()*[]") == "http://a.com/!'()*[]");
  CHECK(Normal("url", "http://a.com/(|)") == "http://a.com/%28%7C%29");
  CHECK(Normal("url", "http://u!:p%40:q@a.com/") == "http://u%21:p%40%3Aq@a.com/");
  CHECK(Normal("url",
               "http://B\xC3\x9C"
               ".de/") == "http://b%C3%BC.de/");
  CHECK(Normal("url", "http://a.com?") == "http://a.com?");
  CHECK(Normal("url", "http://[fe80::1%25En0]:8/") == "http://[fe80::1%25en0]:8/");
  CHECK(Normal("url", "file:///C:/x") == "file:///C:/x");
  CHECK(Normal("url", "http:///") == "http:///");
  CHECK(Normal("url", "http:/x") == "http:/x");
  CHECK(Normal("url", "/x?y") == "/x?y");
  CHECK(Normal("twitter-profile", "https://X.com/Name") == "https://x.com/Name");
}

TEST_CASE("a url that is no request target is kept as feeds write it") {
  CHECK(Normal("url", "HTTP://Example.com.#F") == "http://example.com#F");
  CHECK(Normal("url",
               "http://b\xC3\xBC"
               "cher.de/%") == "http://xn--bcher-kva.de/%");
  CHECK(Normal("url", "http://[2001:DB8:0::1]:1/%") == "http://[2001:db8::1]:1/%");
  CHECK(Normal("url", "http://US^er@Host/%") == "http://US^er@host/%");
  for (const char* refused :
       {"http://#f", "http://a b/%", "http://a.com/% \t", "http://a.com/%\xC2\xA0", "example.com/x",
        "://x", "1http://x", "http://[::1/", "http://[x]/%", "http://a:b/", "http://a.com/\x7F",
        "#", "?x", ":", "x y"}) {
    CAPTURE(refused);
    CHECK(Normal("url", refused) == "refused");
  }
}

TEST_CASE("an e-mail address is bare and lower case") {
  CHECK(Normal("email-address", "A@B") == "a@b");
  CHECK(Normal("email-address", "\"John (x) Doe\" <J.Doe@Example.com> (home)") ==
        "j.doe@example.com");
  CHECK(Normal("email-address", "J. Doe<j@example.com>") == "j@example.com");
  CHECK(Normal("email-address", "\"John Doe\"@example.com") == "john doe@example.com");
  CHECK(Normal("email-address", "(a (b)) j@example.com") == "j@example.com");
  CHECK(Normal("email-address", "j@[8.8.8.8]") == "j@[8.8.8.8]");
  CHECK(Normal("jabber-id", "\xC3\x84@example.com") == "\xC3\xA4@example.com");
  // No address of RFC 5322, yet what feeds hold.
  CHECK(Normal("email-address", "j..d@example.com.") == "j..d@example.com");
  CHECK(Normal("email-address", "[spam] <j@example.com>") == "j@example.com");
  for (const char* refused :
       {"j", "@example.com", "j@", "j@example.com>", "<j@example.com", "a b@c.de", "j@a..b",
        "a@b, c@d", "group: a@b.de;", "\"\"@a.de", "(a@b.de", "a@b.de\n", "j@[x]"}) {
    CAPTURE(refused);
    CHECK(Normal("email-address", refused) == "refused");
  }
}

TEST_CASE("an adversary has a name that is nothing else") {
  CHECK(Normal("group", "TEMP.Veles") == "TEMP.Veles");
  CHECK(Normal("group", "admin@338") == "admin@338");
  CHECK(Normal("adversary", "APT28: Fancy Bear") == "APT28: Fancy Bear");
  for (const char* refused : {"/x", "https://a.com", "8.8.8.8", "2001:db8::1", "+1 (222) 333-4444",
                              "3a7c9d8e-1b2f-4a5b-8c7d-8d9e0a1b2c3d"}) {
    CAPTURE(refused);
    CHECK(Normal("adversary", refused) == "refused");
  }
}

TEST_CASE("cities and countries have titles") {
  CHECK(Normal("city", "san jos\xC3\x89") == "San Jos\xC3\xA9");
  CHECK(Normal("issuing-country", "C\xC3\x94TE D'IVOIRE") == "C\xC3\xB4te D'ivoire");
  CHECK(Normal("city", "  ") == "refused");
}

TEST_CASE("a regular expression compiles") {
  CHECK(Normal("pattern-in-file", "(?i)Ev[il]+\\.dll") == "(?i)Ev[il]+\\.dll");
  CHECK(Normal("pattern-in-file", "(") == "refused");
  CHECK(Normal("pattern-in-file", "(a)\\1") == "refused");
}

TEST_CASE("a path is no url") {
  CHECK(Normal("path", "/A//B:/c") == "/a//b:/c");
  CHECK(Normal("path", "file:///a") == "refused");
}

}  // namespace
}  // namespace relations
