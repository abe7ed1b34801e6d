#include "storage/entity_id.h"

#include <string>

#include "tests/support/catch.h"

namespace relations {
namespace {

TEST_CASE("an entity id is 3 to 128 letters, digits and hyphens with a hyphen inside") {
  const std::string id =
      GENERATE(as<std::string>{}, "a-b", "ip-ba7f", "A-Z", "x-mitre-tactic-TA1", "0-0", "a--b");
  CHECK(IsEntityId(id));
}

TEST_CASE("what breaks the grammar of ids is none") {
  const std::string id =
      GENERATE(as<std::string>{}, "", "a", "ab", "abc", "-ab", "ab-", "---", "a-b ", "a_b-c",
               "a/-b", "\xC3\xA4-b", "a-b\n", std::string("a-\0b", 4));
  CHECK_FALSE(IsEntityId(id));
}

TEST_CASE("ids end at 128 characters") {
  CHECK(IsEntityId("a-" + std::string(126, '0')));
  CHECK_FALSE(IsEntityId("a-" + std::string(127, '0')));
}

TEST_CASE("ids are the FIPS 202 SHA3-256 of the value, not Keccak") {
  // The digest of the empty string is in the standard's examples.
  CHECK(MakeEntityId("text", "") ==
        "text-a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  CHECK(MakeEntityId("ip", "8.8.8.8") ==
        "ip-ba7fa36bff8d58ee45b973615e83d9aaeb921f1cc477d9c156e8a9cae8cca16e");
}

}  // namespace
}  // namespace relations
