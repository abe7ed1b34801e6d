// The body of the REST answer, byte for byte, and compared with protobuf's own JSON on random
// messages.
#include "gateway/answer_writer.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <random>

#include "relations/v1/relations.pb.h"
#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

std::unique_ptr<AnswerWriter> MakeWriter() {
  auto writer = MakeAnswerWriter();
  REQUIRE(writer.ok());
  return *std::move(writer);
}

RestAnswer Written(const std::string& wire, RelationDetails details = RelationDetails::kLeaveOut) {
  auto answer = MakeWriter()->Write(wire, details);
  INFO(answer.status());
  REQUIRE(answer.ok());
  return *std::move(answer);
}

absl::Status Refused(const std::string& wire) {
  return MakeWriter()->Write(wire, RelationDetails::kInclude).status();
}

v1::GetRelationsResponse Complete() {
  v1::GetRelationsResponse response;
  response.set_stop_reason(v1::STOP_REASON_COMPLETE);
  return response;
}

v1::GetRelationsResponse Example() {
  v1::GetRelationsResponse response = Complete();
  v1::Entity& ip = *response.add_nodes();
  ip.set_id("ip-ba7f");
  ip.set_type("ip");
  ip.mutable_timestamp()->set_seconds(1686839400);
  ip.set_reputation(3);
  ip.set_best_reputation(3);
  ip.set_worst_reputation(-5);
  ip.set_accuracy(2);
  ip.mutable_last_seen()->set_seconds(1686839400);
  ip.mutable_last_seen()->set_nanos(250000000);
  ip.add_tags("dns");
  ip.add_tags("a\"b");
  ip.add_visible_by("public");
  (*ip.mutable_attributes())["ip"].set_string_value("8.8.8.8");
  response.add_nodes()->set_id("domain-3ffe");
  for (const char* mode : {"aggregation", "association"}) {
    v1::Relation& relation = *response.add_relations();
    relation.set_source("ip-ba7f");
    relation.set_target("domain-3ffe");
    relation.set_type("resolves-to");
    relation.set_mode(mode);
    relation.mutable_last_seen()->set_seconds(1);
  }
  v1::Relation& back = *response.add_relations();
  back.set_source("domain-3ffe");
  back.set_target("ip-ba7f");
  return response;
}

constexpr char kExampleNodes[] =
    R"({"nodes":[{"id":"ip-ba7f","type":"ip","@timestamp":"2023-06-15T14:30:00Z","reputation":3,)"
    R"("bestReputation":3,"worstReputation":-5,"accuracy":2,"lastSeen":"2023-06-15T14:30:00.25Z",)"
    R"("tags":["dns","a\"b"],"visibleBy":["public"],"attributes":{"ip":"8.8.8.8"}},)"
    R"({"id":"domain-3ffe","type":"","@timestamp":"1970-01-01T00:00:00Z","reputation":0,)"
    R"("bestReputation":0,"worstReputation":0,"accuracy":0,"lastSeen":"1970-01-01T00:00:00Z",)"
    R"("tags":[],"visibleBy":[],"attributes":{}}],)";

TEST_CASE("Without details relations are pairs, one for neighbours of the same pair") {
  CHECK(Written(Example().SerializeAsString()).json ==
        std::string(kExampleNodes) + R"("relations":[{"source":"ip-ba7f","target":"domain-3ffe"},)"
                                     R"({"source":"domain-3ffe","target":"ip-ba7f"}]})");
}

TEST_CASE("With details each relation has its five keys") {
  CHECK(Written(Example().SerializeAsString(), RelationDetails::kInclude).json ==
        std::string(kExampleNodes) +
            R"("relations":[{"source":"ip-ba7f","target":"domain-3ffe","type":"resolves-to",)"
            R"("mode":"aggregation","lastSeen":"1970-01-01T00:00:01Z"},)"
            R"({"source":"ip-ba7f","target":"domain-3ffe","type":"resolves-to",)"
            R"("mode":"association","lastSeen":"1970-01-01T00:00:01Z"},)"
            R"({"source":"domain-3ffe","target":"ip-ba7f","type":"","mode":"",)"
            R"("lastSeen":"1970-01-01T00:00:00Z"}]})");
}

TEST_CASE("Both arrays are there in an answer without entities") {
  CHECK(Written(Complete().SerializeAsString()).json == R"({"nodes":[],"relations":[]})");
}

TEST_CASE("The stop reason becomes a word, and an unknown one is a fault") {
  v1::GetRelationsResponse response;
  response.set_stop_reason(v1::STOP_REASON_LIMIT);
  CHECK(Written(response.SerializeAsString()).stop_reason == "limit");
  CHECK(Written(Complete().SerializeAsString()).stop_reason == "complete");
  CHECK(Refused("").code() == absl::StatusCode::kDataLoss);
  CHECK(Refused(absl::string_view("\x18\x09").data()).code() == absl::StatusCode::kDataLoss);
}

// A node of one attribute whose value has the given wire form.
std::string NodeWithAttribute(const std::string& value) {
  const auto field = [](char number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) +
           bytes;
  };
  const std::string entity = field(11, field(1, "k") + field(2, value));
  return field(1, entity) + Complete().SerializeAsString();
}

TEST_CASE("Attributes are strings, numbers and booleans") {
  const auto attribute = [](auto&& set) {
    google::protobuf::Value value;
    set(value);
    const std::string json = Written(NodeWithAttribute(value.SerializeAsString())).json;
    const size_t begin = json.find("{\"k\":") + 5;
    return json.substr(begin, json.find('}', begin) - begin);
  };
  CHECK(attribute([](auto& v) { v.set_string_value(""); }) == R"("")");
  CHECK(attribute([](auto& v) { v.set_string_value("null"); }) == R"("null")");
  CHECK(attribute([](auto& v) { v.set_bool_value(false); }) == "false");
  CHECK(attribute([](auto& v) { v.set_bool_value(true); }) == "true");
  CHECK(attribute([](auto& v) { v.set_number_value(15169); }) == "15169");
  CHECK(attribute([](auto& v) { v.set_number_value(0); }) == "0");
  CHECK(attribute([](auto& v) { v.set_number_value(-2.75); }) == "-2.75");
}

TEST_CASE("An attribute of another kind is a fault") {
  google::protobuf::Value null_value;
  null_value.set_null_value(google::protobuf::NULL_VALUE);
  google::protobuf::Value list;
  list.mutable_list_value();
  google::protobuf::Value structure;
  structure.mutable_struct_value();
  google::protobuf::Value infinite;
  infinite.set_number_value(std::numeric_limits<double>::infinity());
  for (const auto& value : {google::protobuf::Value(), null_value, list, structure, infinite}) {
    INFO(value.ShortDebugString());
    CHECK(Refused(NodeWithAttribute(value.SerializeAsString())).code() ==
          absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("Text that is not UTF-8 and times outside RFC 3339 are faults") {
  CHECK(Refused(NodeWithAttribute("\x1A\x01\xFF")).code() == absl::StatusCode::kDataLoss);
  v1::GetRelationsResponse response = Example();
  response.mutable_nodes(0)->mutable_timestamp()->set_seconds(253402300800);
  CHECK(Refused(response.SerializeAsString()).code() == absl::StatusCode::kDataLoss);
  response = Example();
  response.mutable_relations(0)->mutable_last_seen()->set_nanos(-1);
  CHECK(Refused(response.SerializeAsString()).code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("Fields in any order, twice, or unknown are read as protobuf reads them") {
  v1::GetRelationsResponse head;
  head.add_nodes()->set_reputation(7);
  head.mutable_nodes(0)->add_tags("one");
  head.mutable_nodes(0)->mutable_timestamp()->set_seconds(5);
  std::string entity = head.nodes(0).SerializeAsString();
  v1::Entity later;
  later.set_id("late");
  later.set_reputation(8);
  later.add_tags("two");
  later.mutable_timestamp()->set_nanos(500000000);
  entity += later.SerializeAsString();
  entity += "\xA0\x06\x01";          // field 100, a number
  entity += "\x12\x02ip";            // type
  entity += "\x25\x01\x02\x03\x04";  // field 4 with the wire type of a fixed number: unknown
  const std::string wire =
      Complete().SerializeAsString() + "\x0A" + static_cast<char>(entity.size()) + entity;
  CHECK(Written(wire).json ==
        R"({"nodes":[{"id":"late","type":"ip","@timestamp":"1970-01-01T00:00:05.5Z",)"
        R"("reputation":8,"bestReputation":0,"worstReputation":0,"accuracy":0,)"
        R"("lastSeen":"1970-01-01T00:00:00Z","tags":["one","two"],"visibleBy":[],)"
        R"("attributes":{}}],"relations":[]})");
}

TEST_CASE("An attribute that stands twice is written once, with its last value") {
  const auto entry = [](const std::string& key, char truth) {
    return "\x5A\x07\x0A\x01" + key + "\x12\x02\x20" + truth;
  };
  const std::string entity = entry("b", 0) + entry("a", 0) + entry("b", 1);
  const std::string wire =
      Complete().SerializeAsString() + "\x0A" + static_cast<char>(entity.size()) + entity;
  const std::string json = Written(wire).json;
  CHECK(json.find(R"("attributes":{"a":false,"b":true})") != std::string::npos);
}

// Bytes cut anywhere are refused or, where the cut falls between two fields, written; never a
// crash.
TEST_CASE("An answer cut short at any byte is never read past its end") {
  const std::string wire = Example().SerializeAsString();
  int refused = 0;
  for (size_t size = 0; size < wire.size(); ++size) {
    const std::string cut(wire.data(), size);
    refused += MakeWriter()->Write(cut, RelationDetails::kInclude).ok() ? 0 : 1;
  }
  // The stop reason stands last: without it no answer is whole.
  CHECK(refused == static_cast<int>(wire.size()));
}

TEST_CASE("Random damage is refused or written, never a crash") {
  const std::string wire = Example().SerializeAsString();
  const auto writer = MakeWriter();
  std::mt19937 random(20230615);
  int written = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = wire;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    written += writer->Write(damaged, RelationDetails::kInclude).ok() ? 1 : 0;
  }
  CHECK(written > 0);
  CHECK(written < 20000);
}

class RandomAnswer {
 public:
  explicit RandomAnswer(uint32_t seed) : random_(seed) {}

  v1::GetRelationsResponse Make() {
    v1::GetRelationsResponse response = Complete();
    const size_t nodes = random_() % 6;
    for (size_t i = 0; i < nodes; ++i) FillEntity(*response.add_nodes());
    for (size_t i = random_() % 6; i > 0; --i) {
      v1::Relation& relation = *response.add_relations();
      relation.set_source(Text());
      relation.set_target(Text());
      relation.set_type(Text());
      relation.set_mode(Text());
      FillTime(*relation.mutable_last_seen());
    }
    return response;
  }

 private:
  void FillEntity(v1::Entity& entity) {
    entity.set_id(Text());
    entity.set_type(Text());
    FillTime(*entity.mutable_timestamp());
    entity.set_reputation(static_cast<int32_t>(random_()));
    entity.set_best_reputation(static_cast<int32_t>(random_() % 7) - 3);
    entity.set_worst_reputation(std::numeric_limits<int32_t>::min());
    entity.set_accuracy(static_cast<int32_t>(random_() % 4));
    FillTime(*entity.mutable_last_seen());
    for (size_t i = random_() % 4; i > 0; --i) entity.add_tags(Text());
    for (size_t i = random_() % 4; i > 0; --i) entity.add_visible_by(Text());
    for (size_t i = random_() % 6; i > 0; --i) {
      google::protobuf::Value& value = (*entity.mutable_attributes())[Text()];
      switch (random_() % 4) {
        case 0:
          value.set_string_value(Text());
          break;
        case 1:
          value.set_bool_value(random_() % 2 == 0);
          break;
        case 2:
          value.set_number_value(static_cast<double>(static_cast<int32_t>(random_())));
          break;
        default:
          value.set_number_value(std::ldexp(static_cast<double>(random_()) - (1u << 31),
                                            static_cast<int>(random_() % 200) - 100));
      }
    }
  }

  void FillTime(google::protobuf::Timestamp& time) {
    time.set_seconds(-62135596800 +
                     static_cast<int64_t>((uint64_t{random_()} << 16) % 315537897600));
    const int32_t nanos[] = {0, 500000000, 123000000, 1000, 999999999};
    time.set_nanos(nanos[random_() % 5]);
  }

  std::string Text() {
    static const char* kPieces[] = {"a",
                                    "ip-",
                                    "\"",
                                    "\\",
                                    "/",
                                    "\n",
                                    "\x01",
                                    "\x7F",
                                    "<",
                                    "&",
                                    "'",
                                    "\xC3\xA9",
                                    "Z9",
                                    "\xC2\x85",
                                    " ",
                                    "\xE2\x80\xA8",
                                    "\xE2\x82\xAC",
                                    "\xF0\x9F\x98\x80"};
    std::string text;
    for (size_t i = random_() % 12; i > 0; --i) text += kPieces[random_() % std::size(kPieces)];
    return text;
  }

  std::mt19937 random_;
};

TEST_CASE("On random messages the JSON reads back as the message that protobuf's own JSON does") {
  const auto writer = MakeWriter();
  for (uint32_t seed = 1; seed <= 2000; ++seed) {
    const v1::GetRelationsResponse original = RandomAnswer(seed).Make();
    INFO("seed " << seed);
    const auto ours = writer->Write(original.SerializeAsString(), RelationDetails::kInclude);
    REQUIRE(ours.ok());
    std::string theirs;
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    REQUIRE(google::protobuf::util::MessageToJsonString(original, &theirs, options).ok());
    v1::GetRelationsResponse from_ours;
    REQUIRE(google::protobuf::util::JsonStringToMessage(ours->json, &from_ours).ok());
    v1::GetRelationsResponse from_theirs;
    REQUIRE(google::protobuf::util::JsonStringToMessage(theirs, &from_theirs).ok());
    from_ours.set_stop_reason(from_theirs.stop_reason());  // ours goes to a header
    INFO(ours->json);
    INFO(theirs);
    REQUIRE(google::protobuf::util::MessageDifferencer::Equals(from_ours, from_theirs));
  }
}

}  // namespace
}  // namespace relations::gateway
