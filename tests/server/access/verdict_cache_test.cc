#include "server/access/verdict_cache.h"

#include <string>

#include "tests/support/catch.h"

namespace relations {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

CredentialDigest Digest(uint8_t number) {
  CredentialDigest digest{};
  digest[31] = number;
  return digest;
}

TEST_CASE("an entry counts from its beginning until just before its end") {
  VerdictCache<std::string> cache(10);
  const absl::Time end = kStart + absl::Seconds(5);
  const auto found = [&](absl::Time now) {
    cache.Put(Digest(1), "a", kStart, end);
    const std::string* const value = cache.Find(Digest(1), now);
    return value != nullptr && *value == "a";
  };
  CHECK(found(kStart));
  CHECK(found(end - absl::Nanoseconds(1)));
  CHECK_FALSE(found(end));
  CHECK_FALSE(found(kStart - absl::Nanoseconds(1)));
  CHECK(cache.size() == 0);
  CHECK(cache.Find(Digest(2), kStart) == nullptr);
}

TEST_CASE("at its limit the entry that was used longest ago goes") {
  VerdictCache<std::string> cache(3);
  const auto put = [&](uint8_t number) {
    cache.Put(Digest(number), "v", kStart, kStart + absl::Hours(1));
  };
  put(1);
  put(2);
  put(3);
  CHECK(cache.size() == 3);
  CHECK(cache.Find(Digest(1), kStart) != nullptr);
  put(4);
  CHECK(cache.size() == 3);
  CHECK(cache.Find(Digest(1), kStart) != nullptr);
  CHECK(cache.Find(Digest(2), kStart) == nullptr);
  put(4);
  CHECK(cache.size() == 3);
  cache.Remove(Digest(4));
  CHECK(cache.Find(Digest(4), kStart) == nullptr);
  CHECK(cache.size() == 2);
}

}  // namespace
}  // namespace relations
