#include "tests/support/every_type.h"

#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <vector>

namespace relations {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Type = FieldDescriptorProto::Type;

constexpr char kTimestamp[] = ".google.protobuf.Timestamp";

void Require(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "every_type: %s\n", what);
  std::abort();
}

// A field of `Every`; messages are Inner.
FieldDescriptorProto* AddField(DescriptorProto& every, const std::string& name, int number,
                               int type, FieldDescriptorProto::Label label) {
  FieldDescriptorProto& field = *every.add_field();
  field.set_name(name + std::to_string(type));
  field.set_number(number + type);
  field.set_type(static_cast<Type>(type));
  field.set_label(label);
  if (type == FieldDescriptor::TYPE_MESSAGE) field.set_type_name(".test.Inner");
  if (type == FieldDescriptor::TYPE_ENUM) field.set_type_name(".test.Colour");
  return &field;
}

// map<key, value>, which on the wire is a list of messages.
void AddMap(DescriptorProto& every, int number, int key, int value, const std::string& value_type) {
  const std::string name = "M" + std::to_string(number);
  DescriptorProto& entry = *every.add_nested_type();
  entry.set_name(name + "Entry");
  entry.mutable_options()->set_map_entry(true);
  FieldDescriptorProto* const key_field =
      AddField(entry, "", 1 - key, key, FieldDescriptorProto::LABEL_OPTIONAL);
  key_field->set_name("key");
  FieldDescriptorProto* const value_field =
      AddField(entry, "", 2 - value, value, FieldDescriptorProto::LABEL_OPTIONAL);
  value_field->set_name("value");
  if (!value_type.empty()) value_field->set_type_name(value_type);
  FieldDescriptorProto& map = *every.add_field();
  map.set_name("m" + std::to_string(number));
  map.set_number(number);
  map.set_type(FieldDescriptorProto::TYPE_MESSAGE);
  map.set_label(FieldDescriptorProto::LABEL_REPEATED);
  map.set_type_name(".test.Every." + name + "Entry");
}

bool IsKeyType(int type) {
  return type != FieldDescriptor::TYPE_FLOAT && type != FieldDescriptor::TYPE_DOUBLE &&
         type != FieldDescriptor::TYPE_BYTES && type != FieldDescriptor::TYPE_ENUM &&
         type != FieldDescriptor::TYPE_MESSAGE;
}

void AddMaps(DescriptorProto& every) {
  int number = 2000;
  for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
    if (type == FieldDescriptor::TYPE_GROUP) continue;
    AddMap(every, ++number, FieldDescriptor::TYPE_STRING, type, "");
    if (IsKeyType(type)) AddMap(every, ++number, type, FieldDescriptor::TYPE_STRING, "");
    if (IsKeyType(type)) AddMap(every, ++number, type, FieldDescriptor::TYPE_MESSAGE, "");
  }
  AddMap(every, ++number, FieldDescriptor::TYPE_INT32, FieldDescriptor::TYPE_MESSAGE, kTimestamp);
  AddMap(every, ++number, FieldDescriptor::TYPE_INT64, FieldDescriptor::TYPE_MESSAGE,
         ".test.Every");
  for (const int key : {FieldDescriptor::TYPE_STRING, FieldDescriptor::TYPE_BOOL}) {
    AddMap(every, ++number, key, FieldDescriptor::TYPE_MESSAGE, ".google.protobuf.Value");
  }
}

}  // namespace

RuntimeTypes::RuntimeTypes(const FileDescriptorProto& file) {
  Require(pool_.BuildFile(file) != nullptr, "the file is not valid");
}

const google::protobuf::Descriptor& RuntimeTypes::Find(const std::string& name) const {
  const auto* const type = pool_.FindMessageTypeByName(name);
  Require(type != nullptr, name.c_str());
  return *type;
}

std::unique_ptr<Message> RuntimeTypes::New(const std::string& name) {
  return std::unique_ptr<Message>(factory_.GetPrototype(&Find(name))->New());
}

FileDescriptorProto FileOfTypes(const std::string& text) {
  FileDescriptorProto file;
  Require(google::protobuf::TextFormat::ParseFromString(text, &file), "the text is not valid");
  file.set_name("test.proto");
  file.set_package("test");
  file.set_syntax("proto3");
  file.add_dependency("google/protobuf/struct.proto");
  file.add_dependency("google/protobuf/timestamp.proto");
  return file;
}

FileDescriptorProto EveryType() {
  auto file = FileOfTypes(R"(
    enum_type { name: "Colour"
      value { name: "RED" number: 0 } value { name: "BLUE" number: 7 }
      value { name: "NEGATIVE" number: -1 } }
    message_type { name: "Inner"
      field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "counts" number: 2 type: TYPE_UINT32 label: LABEL_REPEATED }
      field { name: "seen" number: 3 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Timestamp" } }
    message_type { name: "Every" oneof_decl { name: "one" } oneof_decl { name: "other" }
      field { name: "a_name_that_is_longer_than_the_head_of_a_label" number: 3001
              type: TYPE_SINT32 label: LABEL_OPTIONAL }
      field { name: "high" number: 536870911 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "self" number: 3002 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".test.Every" }
      field { name: "time" number: 3003 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Timestamp" }
      field { name: "times" number: 3004 type: TYPE_MESSAGE label: LABEL_REPEATED
              type_name: ".google.protobuf.Timestamp" }
      field { name: "one_time" number: 3005 type: TYPE_MESSAGE label: LABEL_OPTIONAL
              type_name: ".google.protobuf.Timestamp" oneof_index: 0 } })");
  DescriptorProto& every = *file.mutable_message_type(1);
  // Members of a oneof stand together; the text above ends with the first one's.
  for (const int oneof : {0, 1}) {
    for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
      if (type == FieldDescriptor::TYPE_GROUP || type % 2 != oneof) continue;
      AddField(every, "choice", 300, type, FieldDescriptorProto::LABEL_OPTIONAL)
          ->set_oneof_index(oneof);
    }
  }
  for (int type = 1; type <= FieldDescriptor::MAX_TYPE; ++type) {
    if (type == FieldDescriptor::TYPE_GROUP) continue;
    AddField(every, "single", 0, type, FieldDescriptorProto::LABEL_OPTIONAL);
    AddField(every, "list", 100, type, FieldDescriptorProto::LABEL_REPEATED);
    if (FieldDescriptor::IsTypePackable(static_cast<FieldDescriptor::Type>(type))) {
      AddField(every, "unpacked", 200, type, FieldDescriptorProto::LABEL_REPEATED)
          ->mutable_options()
          ->set_packed(false);
    }
    // What `optional` is made of; oneofs of this kind stand behind all others.
    FieldDescriptorProto* const field =
        AddField(every, "perhaps", 400, type, FieldDescriptorProto::LABEL_OPTIONAL);
    field->set_proto3_optional(true);
    field->set_oneof_index(every.oneof_decl_size());
    every.add_oneof_decl()->set_name("_" + field->name());
  }
  AddMaps(every);
  return file;
}

void AddTimes(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.message_type() == nullptr) continue;
    if (field.is_repeated()) {
      for (int n = 0; n < reflection.FieldSize(message, &field); ++n) {
        AddTimes(*reflection.MutableRepeatedMessage(&message, &field, n));
      }
    } else if (reflection.HasField(message, &field) ||
               message.GetDescriptor()->options().map_entry()) {
      // The value of an entry is there also where it is not on the wire.
      AddTimes(*reflection.MutableMessage(&message, &field));
    } else if (field.message_type()->full_name() == "google.protobuf.Timestamp" &&
               field.containing_oneof() == nullptr) {
      reflection.MutableMessage(&message, &field);
    }
  }
}

void DropBeatenEntries(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  reflection.MutableUnknownFields(&message)->Clear();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.message_type() == nullptr) continue;
    if (!field.is_repeated()) {
      if (reflection.HasField(message, &field)) {
        DropBeatenEntries(*reflection.MutableMessage(&message, &field));
      }
      continue;
    }
    std::vector<std::unique_ptr<Message>> kept;
    std::set<std::string> keys;
    for (int n = reflection.FieldSize(message, &field) - 1; n >= 0; --n) {
      Message& entry = *reflection.MutableRepeatedMessage(&message, &field, n);
      DropBeatenEntries(entry);
      std::unique_ptr<Message> key(entry.New());
      key->CopyFrom(entry);
      if (field.is_map()) {
        key->GetReflection()->ClearField(key.get(), field.message_type()->map_value());
        if (!keys.insert(key->SerializeAsString()).second) continue;
      }
      kept.emplace_back(entry.New())->CopyFrom(entry);
    }
    reflection.ClearField(&message, &field);
    for (auto entry = kept.rbegin(); entry != kept.rend(); ++entry) {
      reflection.AddMessage(&message, &field)->CopyFrom(**entry);
    }
  }
}

}  // namespace relations
