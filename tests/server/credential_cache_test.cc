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
  CHECK(cache.Find("a") == nullptr);
  cache.Insert("a", RecordOf("1"), cache.TakeTicket());
  REQUIRE(cache.Find("a") != nullptr);
  CHECK(cache.Find("a")->id() == "1");
  CHECK(cache.Find("b") == nullptr);
}

TEST_CASE("nothing that was read before a change is found after it") {
  CredentialCache cache;
  cache.Insert("known", RecordOf("1"), cache.TakeTicket());
  const CredentialCache::Ticket before = cache.TakeTicket();
  cache.Forget();
  CHECK(cache.Find("known") == nullptr);
  // A read that began before the change and ends after it.
  cache.Insert("late", RecordOf("2"), before);
  CHECK(cache.Find("late") == nullptr);
  cache.Insert("late", RecordOf("3"), cache.TakeTicket());
  REQUIRE(cache.Find("late") != nullptr);
  CHECK(cache.Find("late")->id() == "3");
}

TEST_CASE("the records held never pass their limit") {
  CredentialCache cache;
  const std::string half(CredentialCache::kBytesMax / 2, 'x');
  cache.Insert("a", RecordOf(half.substr(64)), cache.TakeTicket());
  cache.Insert("b", RecordOf(half.substr(64)), cache.TakeTicket());
  CHECK(cache.Find("a") != nullptr);
  CHECK(cache.Find("b") != nullptr);
  cache.Insert("c", RecordOf(half), cache.TakeTicket());
  CHECK(cache.Find("a") == nullptr);
  CHECK(cache.Find("b") == nullptr);
  CHECK(cache.Find("c") != nullptr);
  cache.Insert("d", RecordOf(half + half), cache.TakeTicket());
  CHECK(cache.Find("d") == nullptr);
  CHECK(cache.Find("c") != nullptr);
}

}  // namespace
}  // namespace relations
