// Rules of message types that the API does not have today: whatever it comes to have is written as
// Protobuf's own JSON says.
#include "gateway/message_rule.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <bit>
#include <limits>
#include <memory>
#include <random>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Types made at run time, beside those that are linked.
class Types {
 public:
  explicit Types(const google::protobuf::FileDescriptorProto& file) {
    REQUIRE(pool_.BuildFile(file) != nullptr);
  }

  const google::protobuf::Descriptor& Find(const std::string& name) const {
    const auto* const type = pool_.FindMessageTypeByName(name);
    REQUIRE(type != nullptr);
    return *type;
  }
  std::unique_ptr<Message> New(const std::string& name) {
    return std::unique_ptr<Message>(factory_.GetPrototype(&Find(name))->New());
  }

 private:
  DescriptorPool pool_{DescriptorPool::generated_pool()};
  google::protobuf::DynamicMessageFactory factory_{&pool_};
};

google::protobuf::FileDescriptorProto FileOf(const std::string& text) {
  google::protobuf::FileDescriptorProto file;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &file));
  file.set_name("test.proto");
  file.set_package("test");
  file.set_syntax("proto3");
  file.add_dependency("google/protobuf/struct.proto");
  file.add_dependency("google/protobuf/timestamp.proto");
  return file;
}

// A message `Every` with a field of each type, single, repeated, and repeated unpacked.
google::protobuf::FileDescriptorProto EveryType() {
  auto file = FileOf(R"(
    enum_type { name: "Colour"
      value { name: "RED" number: 0 } value { name: "BLUE" number: 7 }
      value { name: "NEGATIVE" number: -1 } }
    message_type { name: "Inner"
      field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "counts" number: 2 type: TYPE_UINT32 label: LABEL_REPEATED }
      field { name: "seen" number: 3 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Timestamp" } }
    message_type { name: "Every" })");
  google::protobuf::DescriptorProto& every = *file.mutable_message_type(1);
  const auto add = [&](const std::string& name, int number, int type, bool repeated) {
    FieldDescriptorProto& field = *every.add_field();
    field.set_name(name + std::to_string(type));
    field.set_number(number + type);
    field.set_type(static_cast<FieldDescriptorProto::Type>(type));
    field.set_label(repeated ? FieldDescriptorProto::LABEL_REPEATED
                             : FieldDescriptorProto::LABEL_OPTIONAL);
    if (type == FieldDescriptor::TYPE_MESSAGE) field.set_type_name(".test.Inner");
    if (type == FieldDescriptor::TYPE_ENUM) field.set_type_name(".test.Colour");
    return &field;
  };
  for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
    if (type == FieldDescriptor::TYPE_GROUP) continue;
    add("single", 0, type, false);
  }
  for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
    if (type == FieldDescriptor::TYPE_GROUP) continue;
    add("list", 100, type, true);
  }
  for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
    if (!FieldDescriptor::IsTypePackable(static_cast<FieldDescriptor::Type>(type))) continue;
    add("unpacked", 200, type, true)->mutable_options()->set_packed(false);
  }
  return file;
}

class Filler {
 public:
  explicit Filler(uint64_t seed) : random_(seed) {}

  void Fill(Message& message) {
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message.GetDescriptor()->field(i);
      const uint64_t count = field.is_repeated() ? random_() % 4 : random_() % 3 == 0 ? 0 : 1;
      for (uint64_t n = 0; n < count; ++n) Put(message, reflection, field);
    }
  }

 private:
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
          return PutTime(*reflection.MutableMessage(&message, &field));
        }
        return Fill(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                        : *reflection.MutableMessage(&message, &field));
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
  return std::move(json).Take();
}

// Times that are absent are printed as 1970, which reads back as present.
void AddTimes(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.message_type() == nullptr) continue;
    if (field.is_repeated()) {
      for (int n = 0; n < reflection.FieldSize(message, &field); ++n) {
        AddTimes(*reflection.MutableRepeatedMessage(&message, &field, n));
      }
    } else if (field.message_type()->full_name() == "google.protobuf.Timestamp") {
      reflection.MutableMessage(&message, &field);
    } else if (reflection.HasField(message, &field)) {
      AddTimes(*reflection.MutableMessage(&message, &field));
    }
  }
}

TEST_CASE("Fields of every type, single and repeated, are written as protobuf writes them") {
  using google::protobuf::util::JsonStringToMessage;
  Types types(EveryType());
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
  const Types types(FileOf(R"(
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

TEST_CASE("A field without a rule is refused by name") {
  const Types types(FileOf(R"(
    message_type { name: "Loop"
      field { name: "self" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".test.Loop" } }
    message_type { name: "WithValue"
      field { name: "value" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Value" } }
    message_type { name: "WithNull"
      field { name: "nothing" number: 1 type: TYPE_ENUM label: LABEL_OPTIONAL
              type_name: ".google.protobuf.NullValue" } }
    message_type { name: "Choice" oneof_decl { name: "choice" }
      field { name: "one" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 } }
    message_type { name: "Optional" oneof_decl { name: "_perhaps" }
      field { name: "perhaps" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 0
              proto3_optional: true } })"));
  const std::pair<const char*, const char*> rows[] = {{"Loop", "test.Loop"},
                                                      {"WithValue", "test.WithValue.value"},
                                                      {"WithNull", "test.WithNull.nothing"},
                                                      {"Choice", "test.Choice.one"},
                                                      {"Optional", "test.Optional.perhaps"}};
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
