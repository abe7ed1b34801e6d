// Rules of message types that the API does not have today: whatever it comes to have is written as
// Protobuf's own JSON says.
#include "gateway/message_rule.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <bit>
#include <limits>
#include <memory>
#include <random>

#include "tests/support/catch.h"
#include "tests/support/every_type.h"

namespace relations::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Filler {
 public:
  explicit Filler(uint64_t seed) : random_(seed) {}

  void Fill(Message& message) {
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      uint64_t count = field.is_repeated() ? random_() % 4 : random_() % 3 == 0 ? 0 : 1;
      // An attribute without a value has no form in the answer.
      if (field.message_type() != nullptr && field.message_type()->name() == "Value") count = 1;
      // Within itself a message is rare, or it would have no end.
      if (field.message_type() != nullptr && IsDeep(*field.message_type())) {
        count = random_() % 40 == 0 ? 1 : 0;
      }
      for (uint64_t n = 0; n < count; ++n) Put(message, reflection, field);
    }
  }

 private:
  static bool IsDeep(const google::protobuf::Descriptor& type) {
    return type.name() == "Every" ||
           (type.map_value() != nullptr && type.map_value()->message_type() != nullptr &&
            type.map_value()->message_type()->name() == "Every");
  }

  // Small, large and the ends of the range.
  uint64_t Bits() {
    const uint64_t ends[] = {
        0,          1,          ~uint64_t{0},     uint64_t{1} << 63, ~uint64_t{0} >> 1,
        0x7FFFFFFF, 0x80000000, uint64_t{1} << 53};
    return random_() % 2 == 0 ? ends[random_() % std::size(ends)] : random_() >> (random_() % 64);
  }
  template <typename Real, typename Word>
  Real Number() {
    const Real ends[] = {0,
                         1,
                         Real{-0.5},
                         std::numeric_limits<Real>::infinity(),
                         -std::numeric_limits<Real>::infinity(),
                         std::numeric_limits<Real>::max(),
                         std::numeric_limits<Real>::denorm_min()};
    const auto drawn = std::bit_cast<Real>(static_cast<Word>(random_()));
    return random_() % 2 == 0 || drawn != drawn ? ends[random_() % std::size(ends)] : drawn;
  }
  std::string Bytes(bool text) {
    std::string bytes;
    for (uint64_t i = random_() % 20; i > 0; --i) {
      bytes += static_cast<char>(text ? 'a' + random_() % 26 : random_());
    }
    return bytes;
  }

  void Put(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
    const auto put = [&](auto set, auto add, auto value) {
      if (field.is_repeated()) {
        (reflection.*add)(&message, &field, value);
      } else {
        (reflection.*set)(&message, &field, value);
      }
    };
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return put(&Reflection::SetInt32, &Reflection::AddInt32, static_cast<int32_t>(Bits()));
      case FieldDescriptor::CPPTYPE_INT64:
        return put(&Reflection::SetInt64, &Reflection::AddInt64, static_cast<int64_t>(Bits()));
      case FieldDescriptor::CPPTYPE_UINT32:
        return put(&Reflection::SetUInt32, &Reflection::AddUInt32, static_cast<uint32_t>(Bits()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return put(&Reflection::SetUInt64, &Reflection::AddUInt64, Bits());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return put(&Reflection::SetDouble, &Reflection::AddDouble, Number<double, uint64_t>());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return put(&Reflection::SetFloat, &Reflection::AddFloat, Number<float, uint32_t>());
      case FieldDescriptor::CPPTYPE_BOOL:
        return put(&Reflection::SetBool, &Reflection::AddBool, random_() % 2 == 0);
      case FieldDescriptor::CPPTYPE_ENUM: {
        // 3 has no name.
        const int numbers[] = {0, 7, -1, 3};
        return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, numbers[random_() % 4]);
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return put(&Reflection::SetString, &Reflection::AddString,
                   Bytes(field.type() == FieldDescriptor::TYPE_STRING));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (field.message_type()->full_name() == "google.protobuf.Timestamp") {
          return PutTime(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                             : *reflection.MutableMessage(&message, &field));
        }
        if (field.message_type()->full_name() == "google.protobuf.Value") {
          return PutAttribute(*reflection.MutableMessage(&message, &field));
        }
        return Fill(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                        : *reflection.MutableMessage(&message, &field));
    }
  }
  void PutAttribute(Message& value) {
    const auto& type = *value.GetDescriptor();
    const Reflection& reflection = *value.GetReflection();
    switch (random_() % 3) {
      case 0:
        return reflection.SetDouble(&value, type.FindFieldByName("number_value"), 1.5);
      case 1:
        return reflection.SetString(&value, type.FindFieldByName("string_value"), Bytes(true));
      default:
        return reflection.SetBool(&value, type.FindFieldByName("bool_value"), true);
    }
  }
  void PutTime(Message& time) {
    const auto& type = *time.GetDescriptor();
    time.GetReflection()->SetInt64(&time, type.FindFieldByNumber(1),
                                   static_cast<int64_t>(random_() % 253402300800));
    time.GetReflection()->SetInt32(&time, type.FindFieldByNumber(2), 250000000);
  }

  std::mt19937_64 random_;
};

std::string Json(const MessageRule& rule, const std::string& wire) {
  MessageRule::Scratch scratch;
  JsonBuffer json(0);
  const absl::Status status = rule.Write(wire, scratch, json);
  INFO(status);
  REQUIRE(status.ok());
  return std::string(json.view());
}

TEST_CASE("Fields of every type, single and repeated, are written as protobuf writes them") {
  using google::protobuf::util::JsonStringToMessage;
  RuntimeTypes types(EveryType());
  const auto rule = MessageRule::Make(types.Find("test.Every"), 1000);
  INFO(rule.status());
  REQUIRE(rule.ok());
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    INFO("seed " << seed);
    Filler filler(seed);
    const auto one = types.New("test.Every");
    const auto other = types.New("test.Every");
    filler.Fill(*one);
    // The second half of the messages come in two parts, which merge.
    if (seed > 300) filler.Fill(*other);
    const std::string wire = one->SerializeAsString() + other->SerializeAsString();
    const auto original = types.New("test.Every");
    REQUIRE(original->ParseFromString(wire));
    DropBeatenEntries(*original);

    const std::string ours = Json(*rule, wire);
    std::string theirs;
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    REQUIRE(google::protobuf::util::MessageToJsonString(*original, &theirs, options).ok());
    INFO(ours);
    INFO(theirs);
    const auto from_ours = types.New("test.Every");
    const auto read = JsonStringToMessage(ours, from_ours.get());
    INFO(read);
    REQUIRE(read.ok());
    const auto from_theirs = types.New("test.Every");
    REQUIRE(JsonStringToMessage(theirs, from_theirs.get()).ok());
    AddTimes(*from_theirs);
    REQUIRE(google::protobuf::util::MessageDifferencer::Equals(*from_ours, *from_theirs));
  }
}

TEST_CASE("Absent fields are written as defaults, an absent message as null") {
  const RuntimeTypes types(FileOfTypes(R"(
    enum_type { name: "Colour" value { name: "RED" number: 0 } }
    message_type { name: "Inner"
      field { name: "a" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
    message_type { name: "Few"
      field { name: "big_number" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
      field { name: "real" number: 2 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
      field { name: "colour" number: 3 type: TYPE_ENUM label: LABEL_OPTIONAL
              type_name: ".test.Colour" }
      field { name: "raw" number: 4 type: TYPE_BYTES label: LABEL_OPTIONAL }
      field { name: "flags" number: 5 type: TYPE_BOOL label: LABEL_REPEATED }
      field { name: "inner" number: 6 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".test.Inner" } })"));
  const auto rule = MessageRule::Make(types.Find("test.Few"), 1000);
  REQUIRE(rule.ok());
  CHECK(Json(*rule, "") ==
        R"({"bigNumber":"0","real":0,"colour":"RED","raw":"","flags":[],"inner":null})");
  // A packed list without elements, a NaN, a message without fields.
  CHECK(Json(*rule, std::string("\x11\x00\x00\x00\x00\x00\x00\xF8\x7F\x2A\x00\x32\x00", 13)) ==
        R"({"bigNumber":"0","real":"NaN","colour":"RED","raw":"","flags":[],"inner":{"a":""}})");
  // The packed list ends within its second element.
  MessageRule::Scratch scratch;
  JsonBuffer json(0);
  CHECK(rule->Write("\x2A\x02\x01\x80", scratch, json).code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("A field that says whether it is there is left out where it is not") {
  const RuntimeTypes types(FileOfTypes(R"(
    message_type { name: "Inner"
      field { name: "a" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
    message_type { name: "Few" oneof_decl { name: "choice" } oneof_decl { name: "_perhaps" }
      field { name: "one" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 0 }
      field { name: "other" number: 2 type: TYPE_MESSAGE label: LABEL_OPTIONAL oneof_index: 0
              type_name: ".test.Inner" }
      field { name: "perhaps" number: 3 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 1
              proto3_optional: true } })"));
  const auto rule = MessageRule::Make(types.Find("test.Few"), 1000);
  REQUIRE(rule.ok());
  CHECK(Json(*rule, "") == "{}");
  CHECK(Json(*rule, std::string("\x18\x00", 2)) == R"({"perhaps":0})");
  CHECK(Json(*rule, std::string("\x08\x00", 2)) == R"({"one":0})");
  CHECK(Json(*rule, std::string("\x08\x05\x12\x00", 4)) == R"({"other":{"a":""}})");
  CHECK(Json(*rule, std::string("\x12\x00\x08\x05", 4)) == R"({"one":5})");
  // What came of a member before another one is forgotten.
  CHECK(Json(*rule, "\x12\x03\x0A\x01x\x08\x05\x12\x03\x0A\x01y") == R"({"other":{"a":"y"}})");
  CHECK(Json(*rule, std::string("\x12\x03\x0A\x01x\x08\x05\x12\x00", 9)) ==
        R"({"other":{"a":""}})");
}

TEST_CASE("A map is an object: the last of equal keys counts, what an entry lacks is a default") {
  const RuntimeTypes types(FileOfTypes(R"(
    message_type { name: "Maps"
      nested_type { name: "NumbersEntry" options { map_entry: true }
        field { name: "key" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
        field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }
      field { name: "numbers" number: 1 type: TYPE_MESSAGE label: LABEL_REPEATED
              type_name: ".test.Maps.NumbersEntry" } })"));
  const auto rule = MessageRule::Make(types.Find("test.Maps"), 1000);
  REQUIRE(rule.ok());
  CHECK(Json(*rule, "") == R"({"numbers":{}})");
  CHECK(Json(*rule, std::string("\x0A\x00", 2)) == R"({"numbers":{"0":"0"}})");
  CHECK(Json(*rule, "\x0A\x04\x08\x02\x10\x07\x0A\x04\x08\x01\x10\x08\x0A\x04\x08\x02\x10\x09") ==
        R"({"numbers":{"1":"8","2":"9"}})");
  MessageRule::Scratch scratch;
  JsonBuffer json(0);
  CHECK(rule->Write("\x0A\x02\x08\x80", scratch, json).code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("Messages within themselves are written to a depth and refused beyond") {
  const RuntimeTypes types(FileOfTypes(R"(
    message_type { name: "Loop"
      field { name: "self" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".test.Loop" } })"));
  const auto rule = MessageRule::Make(types.Find("test.Loop"), 1000);
  REQUIRE(rule.ok());
  CHECK(Json(*rule, std::string("\x0A\x02\x0A\x00", 4)) == R"({"self":{"self":{"self":null}}})");
  const auto nested = [](int levels) {
    std::string wire;
    for (int i = 0; i < levels; ++i) {
      std::string size;
      for (size_t rest = wire.size(); size.empty() || rest != 0; rest >>= 7) {
        size += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
      }
      wire = "\x0A" + size + wire;
    }
    return wire;
  };
  MessageRule::Scratch scratch;
  JsonBuffer json(0);
  CHECK(rule->Write(nested(MessageRule::kDepthMax), scratch, json).ok());
  CHECK(rule->Write(nested(MessageRule::kDepthMax + 1), scratch, json).code() ==
        absl::StatusCode::kDataLoss);
}

TEST_CASE("A field without a rule is refused by name") {
  const RuntimeTypes types(FileOfTypes(R"(
    message_type { name: "WithValue"
      field { name: "value" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Value" } }
    message_type { name: "WithNull"
      field { name: "nothing" number: 1 type: TYPE_ENUM label: LABEL_OPTIONAL
              type_name: ".google.protobuf.NullValue" } }
    message_type { name: "List"
      field { name: "values" number: 1 type: TYPE_MESSAGE label: LABEL_REPEATED
              type_name: ".google.protobuf.Struct" } })"));
  const std::pair<const char*, const char*> rows[] = {{"WithValue", "test.WithValue.value"},
                                                      {"WithNull", "test.WithNull.nothing"},
                                                      {"List", "test.List.values"}};
  for (const auto& [type, told] : rows) {
    const absl::Status status =
        MessageRule::Make(types.Find(std::string("test.") + type), 1000).status();
    INFO(type);
    CHECK(status.code() == absl::StatusCode::kInternal);
    CHECK(std::string(status.message()).find(told) != std::string::npos);
  }
}

}  // namespace
}  // namespace relations::gateway
