#include "storage/credential_cache.h"

#include <memory>
#include <string>

#include "tests/support/catch.h"

namespace relations {
namespace {

using store::v1::CredentialRecord;

CredentialCache::Record RecordOf(const std::string& id) {
  auto record = std::make_shared<CredentialRecord>();
  record->set_id(id);
  return record;
}

TEST_CASE("what was read is found under its key alone") {
  CredentialCache cache;
  CHECK(cache.Find("a", 7) == nullptr);
  cache.Insert("a", RecordOf("1"), 7);
  REQUIRE(cache.Find("a", 7) != nullptr);
  CHECK(cache.Find("a", 7)->id() == "1");
  CHECK(cache.Find("b", 7) == nullptr);
}

TEST_CASE("nothing that was read before a write is found after it") {
  CredentialCache cache;
  cache.Insert("known", RecordOf("1"), 7);
  CHECK(cache.Find("known", 8) == nullptr);
  cache.Insert("other", RecordOf("2"), 8);
  CHECK(cache.Find("other", 8) != nullptr);
  CHECK(cache.Find("known", 8) == nullptr);
  // A read that began before the write and ends after it.
  cache.Insert("late", RecordOf("3"), 7);
  CHECK(cache.Find("late", 7) == nullptr);
  CHECK(cache.Find("late", 8) == nullptr);
  CHECK(cache.Find("other", 8) != nullptr);
}

TEST_CASE("the records held never pass their limit") {
  CredentialCache cache;
  const std::string half(CredentialCache::kBytesMax / 2, 'x');
  cache.Insert("a", RecordOf(half.substr(64)), 7);
  cache.Insert("b", RecordOf(half.substr(64)), 7);
  CHECK(cache.Find("a", 7) != nullptr);
  CHECK(cache.Find("b", 7) != nullptr);
  cache.Insert("c", RecordOf(half), 7);
  CHECK(cache.Find("a", 7) == nullptr);
  CHECK(cache.Find("b", 7) == nullptr);
  CHECK(cache.Find("c", 7) != nullptr);
  cache.Insert("d", RecordOf(half + half), 7);
  CHECK(cache.Find("d", 7) == nullptr);
  CHECK(cache.Find("c", 7) != nullptr);
}

}  // namespace
}  // namespace relations
