#include "storage/rocks/key_format.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "storage/entity_wire.h"
#include "storage/varint.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &error));
  return time;
}

TEST_CASE("the worked example of the format is what the code writes") {
  CHECK(absl::BytesToHexString(PairKey(NodeId{1}, NodeId{2})) ==
        "00000000000000010000000000000002");
  const std::vector<PairRelation> relations = {
      {LabelId{3}, RelationMode::kAssociation, kPublicClass, At("2023-06-15T14:30:00Z")}};
  CHECK(absl::BytesToHexString(EncodePairRelations(relations)) ==
        "0c00"
        "0edc1d1768");
}

TEST_CASE("pair records keep large labels and nanoseconds") {
  const std::vector<PairRelation> relations = {
      {LabelId{62}, RelationMode::kAggregation, ClassId{300}, TestTime(1)},
      {LabelId{63}, RelationMode::kAssociation, kPublicClass, TestTime(1) + absl::Nanoseconds(1)},
      {LabelId{UINT32_MAX}, RelationMode::kAggregation, ClassId{UINT32_MAX},
       At("9999-12-31T23:59:59.999999999Z")}};
  const auto decoded = DecodePairRelations(EncodePairRelations(relations));
  REQUIRE(decoded.ok());
  REQUIRE(decoded->size() == relations.size());
  for (size_t i = 0; i < relations.size(); ++i) {
    CAPTURE(i);
    CHECK((*decoded)[i].type == relations[i].type);
    CHECK((*decoded)[i].mode == relations[i].mode);
    CHECK((*decoded)[i].visibility == relations[i].visibility);
    CHECK((*decoded)[i].last_seen == relations[i].last_seen);
  }
}

TEST_CASE("instants keep nanoseconds over all years and order as time does") {
  std::string last;
  for (const char* text : {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z",
                           "1970-01-01T00:00:00Z", "2023-06-15T14:30:00Z",
                           "2023-06-15T14:30:00.000000001Z", "9999-12-31T23:59:59.999999999Z"}) {
    CAPTURE(text);
    std::string bytes;
    PutInstant(At(text), bytes);
    CHECK(bytes.size() == kInstantBytes);
    CHECK(bytes > last);
    absl::string_view input = bytes;
    absl::Time time;
    REQUIRE(GetInstant(&input, &time));
    CHECK(time == At(text));
    CHECK(input.empty());
    last = bytes;
  }
}

TEST_CASE("boundaries order newest first, then by id") {
  const absl::Time early = At("2023-01-01T00:00:00Z");
  const absl::Time late = At("2023-01-01T00:00:00.5Z");
  CHECK(Boundary(late, "z-z") < Boundary(early, "a-a"));
  CHECK(Boundary(early, "a-a") < Boundary(early, "a-b"));
  CHECK(Boundary(early, "a-a") < Boundary(early, "a-aa"));
  CHECK(std::string() < Boundary(At("9999-12-31T23:59:59.999999999Z"), "a-a"));
}

TEST_CASE("an id and its key stand for each other") {
  const std::string hash(64, 'a');
  const std::string id = GENERATE_COPY(as<std::string>{}, "ip-" + hash, "x-mitre-tactic-" + hash,
                                       "-" + hash, "a-b", "ip-" + std::string(64, 'A'),
                                       "ip-" + hash.substr(1), "ip-" + hash + "0", "IP-" + hash);
  const absl::StatusOr<std::string> back = IdOfKey(IdKey(id));
  REQUIRE(back.ok());
  CHECK(*back == id);
}

TEST_CASE("a hashed id takes 32 bytes and its type") {
  CHECK(IdKey("ip-" + std::string(64, 'a')).size() == 1 + 32 + 2);
  CHECK(IdKey("ip-" + std::string(64, 'a')) != IdKey("ip-" + std::string(64, 'A')));
}

TEST_CASE("varints end at ten bytes and 64 bits") {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, UINT64_MAX}) {
    std::string bytes;
    PutVarint(value, bytes);
    absl::string_view input = bytes;
    uint64_t back = 0;
    REQUIRE(GetVarint(&input, &back));
    CHECK(back == value);
    CHECK(input.empty());
  }
  uint64_t ignored = 0;
  for (const std::string& bad : {std::string(), std::string("\x80"), std::string(10, '\xFF'),
                                 std::string(9, '\xFF') + "\x02"}) {
    absl::string_view input = bad;
    CHECK_FALSE(GetVarint(&input, &ignored));
  }
}

TEST_CASE("an entity record holds the message's canonical bytes with a place for visibleBy") {
  v1::Entity entity = TestEntity("ip-1", {"g1", "public"});
  entity.add_tags("dns");
  (*entity.mutable_attributes())["asn"].set_number_value(15169);
  (*entity.mutable_attributes())["a"].set_bool_value(false);
  const std::string value = EncodeEntityRecord(entity, ClassId{300});
  const absl::StatusOr<EntityRecord> record = DecodeEntityRecord(value);
  REQUIRE(record.ok());
  CHECK(record->visibility == ClassId{300});
  std::string wire(record->wire.substr(0, record->visible_by_offset));
  AppendVisibleBy({"g1", "public"}, wire);
  wire += std::string(record->wire.substr(record->visible_by_offset));
  CHECK(wire == SerializeEntity(entity));
  const absl::StatusOr<EntityHead> head = ReadEntityHead(record->wire);
  REQUIRE(head.ok());
  CHECK(head->id == "ip-1");
  CHECK(head->type == "ip");
}

TEST_CASE("damaged values are refused, wherever they are cut") {
  const std::string groups = EncodeGroups({"a", "public"});
  const std::string pair =
      EncodePairRelations({{LabelId{1}, RelationMode::kAssociation, kPublicClass, TestTime(0)},
                           {LabelId{1}, RelationMode::kAggregation, kPublicClass, TestTime(0)}});
  for (size_t size = 0; size < groups.size(); ++size) {
    CHECK_FALSE(DecodeGroups(groups.substr(0, size)).ok());
  }
  for (size_t size = 0; size < pair.size(); ++size) {
    if (size == pair.size() / 2) continue;  // One whole relation.
    CHECK_FALSE(DecodePairRelations(pair.substr(0, size)).ok());
  }
  CHECK_FALSE(DecodeGroups(groups + "x").ok());
  CHECK_FALSE(DecodeGroups(EncodeGroups({"b", "a"})).ok());
  CHECK_FALSE(DecodeGroups(EncodeGroups({})).ok());
  CHECK_FALSE(DecodePairRelations(pair + pair).ok());
  CHECK_FALSE(NodeOfKey(std::string(8, '\0')).ok());
  CHECK_FALSE(NodeOfKey("1234567").ok());
  CHECK_FALSE(ParseAdjacencyKey(ListKey(NodeId{1}, kPublicClass) + "short").ok());
  CHECK(ParseAdjacencyKey(DirectoryKey(NodeId{1}))->is_directory());
  CHECK_FALSE(ParseAdjacencyKey(DirectoryKey(NodeId{1}) + "a boundary").ok());
  CHECK_FALSE(DecodeEntityRecord("").ok());
  CHECK_FALSE(DecodeEntityRecord(std::string("\x00\x05"
                                             "abc",
                                             5))
                  .ok());
  CHECK_FALSE(ReadEntityHead("\x12\x01x").ok());
  CHECK_FALSE(IdOfKey("x").ok());
}

}  // namespace
}  // namespace relations
