// Tokens of the feed: sealed, for one feed and one set of groups.
#include "server/feed_token.h"

#include <set>

#include "storage/base/public_error.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

const FeedPosition kPlace = {"a feed", 0x0102030405060708, 0x01020304};

TEST_CASE("a token opens to the place it was made of, for the same feed and groups") {
  const GroupSet groups = {"g1", "public"};
  const std::string token = SealFeedToken(kPlace, groups);
  const auto place = OpenFeedToken(token, "a feed", groups);
  REQUIRE(place.ok());
  CHECK(place->feed == "a feed");
  CHECK(place->sequence == kPlace.sequence);
  CHECK(place->change == kPlace.change);
  const auto other = [&](const std::string& feed, const GroupSet& holders) {
    return OpenFeedToken(token, feed, holders).status();
  };
  CHECK(other("another feed", groups).code() == absl::StatusCode::kOutOfRange);
  CHECK(ReasonOf(other("another feed", groups)) == "feed_restart");
  CHECK(other("a feed", {"g1"}).code() == absl::StatusCode::kOutOfRange);
  CHECK(other("a feed", {}).code() == absl::StatusCode::kOutOfRange);
  CHECK(OpenFeedToken(SealFeedToken(kPlace, {}), "a feed", {}).ok());
}

TEST_CASE("tokens of one place differ, and one that was changed is refused") {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(SealFeedToken(kPlace, {"g1"}));
  CHECK(tokens.size() == 100);
  const std::string token = *tokens.begin();
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'Q' : 'A';
    CAPTURE(i);
    CHECK_FALSE(OpenFeedToken(changed, "a feed", {"g1"}).ok());
  }
}

TEST_CASE("what is no token is said to be none") {
  for (const std::string& text : {std::string("x"), std::string("not base64!"),
                                  std::string(54, '='), SealFeedToken(kPlace, {}).substr(1),
                                  SealFeedToken(kPlace, {}) + "AAAA", std::string(100'000, 'A')}) {
    CAPTURE(text.substr(0, 60));
    const absl::Status status = OpenFeedToken(text, "a feed", {}).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(ParamOf(status) == "token");
  }
}

}  // namespace
}  // namespace relations
