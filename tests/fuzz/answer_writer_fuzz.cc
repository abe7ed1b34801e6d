// Wire bytes of an answer, from a backend that is broken in any way: they are refused, or become
// JSON that says what Protobuf reads in the same bytes.
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <cstdint>
#include <memory>
#include <string>

#include "gateway/answer_writer.h"
#include "relations/v1/relations.pb.h"
#include "tests/fuzz/property.h"

namespace relations::gateway {
namespace {

using fuzz::Require;
using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::MessageDifferencer;

// Absent times are printed as 1970, which is what they mean.
void AddTimes(v1::GetRelationsResponse& message) {
  for (v1::Entity& node : *message.mutable_nodes()) {
    node.mutable_timestamp();
    node.mutable_last_seen();
  }
  for (v1::Relation& relation : *message.mutable_relations()) relation.mutable_last_seen();
}

void CompareWithProtobuf(const std::string& wire, const RestAnswer& answer) {
  v1::GetRelationsResponse read;
  // Protobuf refuses some damage in fields that are passed over here.
  if (!read.ParseFromString(wire)) return;
  v1::GetRelationsResponse from_json;
  Require(JsonStringToMessage(answer.json, &from_json).ok(), "the JSON is one of the message");
  Require((read.stop_reason() == v1::STOP_REASON_LIMIT) == (answer.stop_reason == "limit"),
          "the stop reason is that of the message");
  read.DiscardUnknownFields();
  read.clear_stop_reason();
  AddTimes(read);
  Require(MessageDifferencer::Equals(read, from_json), "the JSON says what the bytes say");
}

}  // namespace
}  // namespace relations::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace relations::gateway;
  static const std::unique_ptr<AnswerWriter> writer = MakeAnswerWriter().value();
  // A buffer of exactly this size: a sanitizer sees each byte that is read past its end.
  const std::string wire(reinterpret_cast<const char*>(data), size);
  const auto whole = writer->Write(wire, RelationDetails::kInclude);
  const auto pairs = writer->Write(wire, RelationDetails::kLeaveOut);
  relations::fuzz::Require(!whole.ok() || pairs.ok(), "what has details can leave them out");
  if (whole.ok()) CompareWithProtobuf(wire, *whole);
  return 0;
}
