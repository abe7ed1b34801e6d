#include "storage/rocks/adjacency_block.h"

#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

bool Same(const AdjacentRelation& a, const AdjacentRelation& b) {
  return a.last_seen == b.last_seen && a.neighbour == b.neighbour && a.type == b.type &&
         a.direction == b.direction && a.mode == b.mode && a.sole == b.sole;
}

std::vector<AdjacentRelation> RandomEntries(std::mt19937_64& random, size_t count) {
  std::vector<AdjacentRelation> entries;
  absl::Time time = absl::FromUnixSeconds(4'000'000'000) + absl::Nanoseconds(5);
  for (size_t i = 0; i < count; ++i) {
    if (random() % 2 == 0) time -= absl::Seconds(static_cast<int64_t>(random() % 100'000'000));
    if (random() % 4 == 0)
      time -= absl::Nanoseconds(static_cast<int64_t>(random() % 2'000'000'000));
    const int bits = static_cast<int>(random() % 64);
    entries.push_back({time, NodeId{1 + (random() >> bits) % (UINT64_MAX - 1)},
                       LabelId{static_cast<uint32_t>(random() % 2 == 0 ? random() % 9 : random())},
                       static_cast<Direction>(random() % 2),
                       static_cast<RelationMode>(random() % 2), random() % 2 == 0});
  }
  return entries;
}

TEST_CASE("a block gives back what was packed") {
  std::mt19937_64 random(20231);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const std::vector<AdjacentRelation> entries = RandomEntries(random, random() % 130);
    const bool more = random() % 2 == 0;
    AdjacencyBlock block;
    REQUIRE(DecodeAdjacencyBlock(EncodeAdjacencyBlock(entries, more), &block).ok());
    CHECK(block.more_may_follow == more);
    CHECK(std::equal(entries.begin(), entries.end(), block.entries.begin(), block.entries.end(),
                     Same));
  }
}

TEST_CASE("the first and the last instant fit a block") {
  const absl::Time first = absl::FromCivil(absl::CivilSecond(1), absl::UTCTimeZone());
  const absl::Time last =
      absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone()) +
      absl::Nanoseconds(999'999'999);
  const std::vector<AdjacentRelation> entries = {{last, NodeId{1}, {}, {}, {}, false},
                                                 {first, NodeId{2}, {}, {}, {}, false}};
  AdjacencyBlock block;
  REQUIRE(DecodeAdjacencyBlock(EncodeAdjacencyBlock(entries, false), &block).ok());
  CHECK(block.entries[0].last_seen == last);
  CHECK(block.entries[1].last_seen == first);
}

TEST_CASE("a neighbour of the same instant among 16 million nodes costs four bytes") {
  std::vector<AdjacentRelation> entries;
  for (uint64_t i = 0; i < 100; ++i) {
    entries.push_back({TestTime(0), NodeId{16'000'000 + i}, LabelId{2}, {}, {}, true});
  }
  const size_t one = EncodeAdjacencyBlock(absl::MakeConstSpan(entries).first(1), false).size();
  CHECK(EncodeAdjacencyBlock(entries, false).size() == one + 99 * 4);
}

TEST_CASE("a damaged block is refused and never read past its end") {
  std::mt19937_64 random(7);
  const std::string value = EncodeAdjacencyBlock(RandomEntries(random, 40), true);
  AdjacencyBlock block;
  for (size_t size = 0; size < value.size(); ++size) {
    CAPTURE(size);
    // A copy of its own size, so that AddressSanitizer sees a read past it.
    const std::vector<char> cut(value.begin(), value.begin() + static_cast<ptrdiff_t>(size));
    CHECK(DecodeAdjacencyBlock({cut.data(), cut.size()}, &block).code() ==
          absl::StatusCode::kDataLoss);
  }
  CHECK_FALSE(DecodeAdjacencyBlock(value + "x", &block).ok());
  for (size_t i = 0; i < 20'000; ++i) {
    std::string flipped = value;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 << random() % 8);
    const absl::Status status = DecodeAdjacencyBlock(flipped, &block);
    CHECK((status.ok() || status.code() == absl::StatusCode::kDataLoss));
  }
}

TEST_CASE("a block ends at the most entries that a writer makes") {
  const std::vector<AdjacentRelation> most(kBlockEntriesMax,
                                           {TestTime(0), NodeId{1}, {}, {}, {}, false});
  AdjacencyBlock block;
  CHECK(DecodeAdjacencyBlock(EncodeAdjacencyBlock(most, false), &block).ok());
  std::vector<AdjacentRelation> more = most;
  more.push_back(more.back());
  CHECK_FALSE(DecodeAdjacencyBlock(EncodeAdjacencyBlock(more, false), &block).ok());
}

}  // namespace
}  // namespace relations
