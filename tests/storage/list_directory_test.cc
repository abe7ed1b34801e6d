#include "storage/rocks/list_directory.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/key_format.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

const std::string kBlock = EncodeAdjacencyBlock(
    {{absl::FromUnixSeconds(1'700'000'000), NodeId{7}, {}, {}, {}, true}}, false);

TEST_CASE("a directory gives back what was packed") {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 200; ++round) {
    ListDirectory directory;
    directory.others = random() % 2 == 0;
    for (uint64_t i = random() % kDirectoryListsMax + 1; i > 0; --i) {
      const ClassId visibility{static_cast<uint32_t>(random() >> (32 + random() % 32))};
      if (visibility == kNobodyClass) continue;
      directory.Set(visibility, random() % 2 == 0 ? absl::string_view() : kBlock);
    }
    const std::string value = EncodeListDirectory(directory);
    const auto decoded = DecodeListDirectory(value);
    REQUIRE(decoded.ok());
    CHECK(decoded->others == directory.others);
    REQUIRE(decoded->lists.size() == directory.lists.size());
    for (size_t i = 0; i < directory.lists.size(); ++i) {
      CHECK(decoded->lists[i].visibility == directory.lists[i].visibility);
      CHECK(decoded->lists[i].block == directory.lists[i].block);
    }
  }
}

TEST_CASE("the directory of the specification is packed as it says there") {
  CHECK(absl::BytesToHexString(DirectoryKey(NodeId{1})) == "0000000000000001ffffffff");
  const std::string value = absl::HexStringToBytes(
      "0002000a050001"
      "0170e8aef4e0ed0102");
  const auto directory = DecodeListDirectory(value);
  REQUIRE(directory.ok());
  REQUIRE(directory->lists.size() == 2);
  CHECK(directory->lists[0].visibility == ClassId{0});
  CHECK_FALSE(directory->lists[0].apart());
  CHECK(directory->lists[1].visibility == ClassId{5});
  CHECK(directory->lists[1].apart());
  AdjacencyBlock block;
  REQUIRE(DecodeAdjacencyBlock(directory->lists[0].block, &block).ok());
  REQUIRE(block.entries.size() == 1);
  CHECK(block.entries[0].neighbour == NodeId{2});
  CHECK(block.entries[0].type == LabelId{3});
  CHECK(block.entries[0].last_seen == absl::FromUnixSeconds(1'686'839'400));
  CHECK(EncodeListDirectory(*directory) == value);
}

TEST_CASE("lists are named by class up to the limit, and others are told of beyond it") {
  ListDirectory directory;
  for (uint32_t i = kDirectoryListsMax; i > 0; --i) REQUIRE(directory.Set(ClassId{i}, kBlock));
  CHECK_FALSE(directory.others);
  CHECK(directory.lists.front().visibility == ClassId{1});
  // One that is named can be changed, and another takes the place of one that goes.
  CHECK(directory.Set(ClassId{3}, {}));
  CHECK(directory.Find(ClassId{3})->apart());
  CHECK_FALSE(directory.Set(ClassId{1000}, kBlock));
  CHECK(directory.others);
  CHECK(directory.Find(ClassId{1000}) == nullptr);
  directory.Remove(ClassId{3});
  CHECK(directory.Find(ClassId{3}) == nullptr);
  CHECK(directory.Set(ClassId{1000}, kBlock));
  CHECK(*DirectoryEntries(directory) == kDirectoryListsMax);
  CHECK(DecodeListDirectory(EncodeListDirectory(directory)).ok());
}

TEST_CASE("nothing stored is a directory without lists") {
  const auto directory = DecodeListDirectory("");
  REQUIRE(directory.ok());
  CHECK(directory->empty());
}

TEST_CASE("bytes that are no directory are refused and nothing is read past them") {
  ListDirectory directory;
  directory.Set(ClassId{2}, kBlock);
  directory.Set(ClassId{3}, {});
  const std::string value = EncodeListDirectory(directory);
  for (size_t size = 1; size < value.size(); ++size) {
    // A copy of its own, for the sanitizer.
    const std::vector<char> cut(value.begin(), value.begin() + static_cast<ptrdiff_t>(size));
    CHECK(DecodeListDirectory({cut.data(), cut.size()}).status().code() ==
          absl::StatusCode::kDataLoss);
  }
  CHECK_FALSE(DecodeListDirectory(value + "x").ok());
  std::string flipped = value;
  flipped[0] = 2;
  CHECK_FALSE(DecodeListDirectory(flipped).ok());
  // The same class twice, no list at all, too many lists, and the class that is nobody's.
  CHECK_FALSE(DecodeListDirectory(std::string("\0\2\1\0\0\0", 6)).ok());
  CHECK_FALSE(DecodeListDirectory(std::string("\0\0", 2)).ok());
  CHECK_FALSE(DecodeListDirectory(std::string("\0\x41", 2) + std::string(2 * 65, '\1')).ok());
  CHECK_FALSE(DecodeListDirectory(std::string("\0\1\xff\xff\xff\xff\x0f\0", 8)).ok());
  CHECK(DecodeListDirectory(std::string("\0\1\xfe\xff\xff\xff\x0f\0", 8)).ok());
}

}  // namespace
}  // namespace relations
