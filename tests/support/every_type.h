// A message type with a field of every kind that protobuf knows, made at run time: `test.Every`,
// for tests of what goes by descriptors.
#pragma once

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>
#include <string>

namespace relations {

// Types made at run time, beside those that are linked.
class RuntimeTypes {
 public:
  // Ends the process when `file` is no file of protobuf's language.
  explicit RuntimeTypes(const google::protobuf::FileDescriptorProto& file);

  // REQUIRES: there is such a type.
  const google::protobuf::Descriptor& Find(const std::string& name) const;
  std::unique_ptr<google::protobuf::Message> New(const std::string& name);

 private:
  google::protobuf::DescriptorPool pool_{google::protobuf::DescriptorPool::generated_pool()};
  google::protobuf::DynamicMessageFactory factory_{&pool_};
};

// `text` is a FileDescriptorProto in the text format; adds the name, the package `test`, the syntax
// proto3 and the dependencies on Timestamp and Value.
google::protobuf::FileDescriptorProto FileOfTypes(const std::string& text);

// `test.Every`: for each type but groups a field that is single, repeated, repeated unpacked,
// `optional`, and in one of two oneofs; Timestamps likewise; maps of every key type and every value
// type; and itself.
google::protobuf::FileDescriptorProto EveryType();

// Adds the Timestamps that are absent and are neither `optional` nor in a oneof: the JSON of this
// API says 1970 for those.
void AddTimes(google::protobuf::Message& message);

// Leaves of the entries of a map that have the same key the last one: a message made by reflection
// or read at run time may hold several.
void DropBeatenEntries(google::protobuf::Message& message);

}  // namespace relations
