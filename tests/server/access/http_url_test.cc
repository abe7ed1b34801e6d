#include "server/access/http_url.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace relations {
namespace {

TEST_CASE("an HTTP URL of a setting is taken apart") {
  struct Row {
    std::string text;
    bool is_tls;
    std::string host;
    std::string port;
    std::string path;
    std::string origin;
  };
  const std::vector<Row> rows = {
      {"http://a", false, "a", "80", "", "http://a"},
      {"https://Auth.Example.org/", true, "auth.example.org", "443", "",
       "https://auth.example.org"},
      {"https://a:8443/x/y/", true, "a", "8443", "/x/y", "https://a:8443"},
      {"http://127.0.0.1:1/", false, "127.0.0.1", "1", "", "http://127.0.0.1:1"},
      {"https://[::1]:444/p", true, "::1", "444", "/p", "https://[::1]:444"},
      {"https://[2001:db8::1]", true, "2001:db8::1", "443", "", "https://[2001:db8::1]"},
      {"http://a:443", false, "a", "443", "", "http://a:443"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = ParseHttpUrl(row.text);
    REQUIRE(url.ok());
    CHECK(url->is_tls == row.is_tls);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->path == row.path);
    CHECK(url->Origin() == row.origin);
  }
}

TEST_CASE("what is no such URL, and what would show secrets, is refused") {
  for (const char* text : {"",
                           "a",
                           "ftp://a",
                           "//a",
                           "http://",
                           "http:///x",
                           "http://:80",
                           "http://a:",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:+1",
                           "http://a:80x",
                           "http://a b",
                           "http://a/\n",
                           "http://user@a",
                           "http://user:password@a",
                           "http://a?x",
                           "http://a/x#y",
                           "http://[::1",
                           "http://[a]",
                           "http://[::1]x",
                           "http://caf\xC3\xA9"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseHttpUrl(text).ok());
  }
}

TEST_CASE("only loopback stays on the machine") {
  for (const char* text : {"http://127.0.0.1", "http://127.9.9.9:1", "http://localhost/x",
                           "http://[::1]", "http://LOCALHOST"}) {
    CAPTURE(text);
    CHECK(ParseHttpUrl(text)->IsLoopback());
  }
  for (const char* text : {"http://128.0.0.1", "http://a", "http://127.0.0.1.example.org",
                           "http://localhost.example.org", "http://[::2]", "http://10.0.0.1"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseHttpUrl(text)->IsLoopback());
  }
}

}  // namespace
}  // namespace relations
