#include "gateway/entity_tag.h"

#include <set>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

TEST_CASE("A tag depends on every byte of the body, the stop reason and the coding") {
  std::set<std::string> tags;
  const std::string body(300, 'x');
  for (size_t i = 0; i < body.size(); ++i) {
    std::string changed = body;
    changed[i] = 'y';
    tags.insert(EntityTagOf(changed, "complete", ContentCoding::kIdentity));
  }
  tags.insert(EntityTagOf(body, "complete", ContentCoding::kIdentity));
  tags.insert(EntityTagOf(body + "x", "complete", ContentCoding::kIdentity));
  tags.insert(EntityTagOf(body, "limit", ContentCoding::kIdentity));
  tags.insert(EntityTagOf(body, "complete", ContentCoding::kGzip));
  tags.insert(EntityTagOf(body, "complete", ContentCoding::kZstd));
  CHECK(tags.size() == body.size() + 5);
}

TEST_CASE("A tag is the same in every process, a quoted word of hexadecimal digits") {
  CHECK(EntityTagOf("{}", "complete", ContentCoding::kIdentity) ==
        EntityTagOf("{}", "complete", ContentCoding::kIdentity));
  const std::string tag = EntityTagOf("{}", "complete", ContentCoding::kGzip);
  CHECK(tag.size() == 32 + 2 + 5);
  CHECK(tag.substr(33) == "-gzip\"");
  CHECK(tag.find_first_not_of("0123456789abcdef", 1) == 33);
}

TEST_CASE("A tag is found in lists, weak or not, over several lines, and by *") {
  const std::string tag = "\"abc\"";
  for (const std::string& line :
       {std::string("\"abc\""), std::string("W/\"abc\""), std::string("*"), std::string(" * "),
        std::string("\"x\", \"abc\""), std::string("\"x\",W/\"abc\",\"y\""),
        std::string("\"a,b\" ,\t\"abc\""), std::string("\"\", \"abc\"")}) {
    INFO(line);
    CHECK(NamesTag({line}, tag));
    CHECK(NamesTag({"\"other\"", line}, tag));
  }
}

TEST_CASE("What is another tag, or no tag, is not found") {
  for (const std::string& line :
       {std::string(), std::string("abc"), std::string("\"abc"), std::string("abc\""),
        std::string("w/\"abc\""), std::string("\"ABC\""), std::string("\"abc \""),
        std::string("\"x\" \"abc\""), std::string("\"x,\"abc\""), std::string("W/"),
        std::string("\""), std::string("**"), std::string(",")}) {
    INFO(line);
    CHECK_FALSE(NamesTag({line}, "\"abc\""));
  }
  CHECK_FALSE(NamesTag({}, "\"abc\""));
}

}  // namespace
}  // namespace relations::gateway
