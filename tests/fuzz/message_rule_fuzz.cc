// Wire bytes of a message with fields of every kind: they are refused, or become JSON that says
// what Protobuf reads in the same bytes.
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "gateway/message_rule.h"
#include "tests/fuzz/property.h"
#include "tests/support/every_type.h"

namespace relations::gateway {
namespace {

using google::protobuf::util::MessageDifferencer;

bool SaysTheSame(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  return differencer.Compare(a, b);
}

void Check(const std::string& wire) {
  static RuntimeTypes types(EveryType());
  static const MessageRule rule =
      MessageRule::Make(types.Find("test.Every"), std::numeric_limits<int>::max()).value();
  MessageRule::Scratch scratch;
  JsonBuffer json(0);
  if (!rule.Write(wire, scratch, json).ok()) return;
  const auto read = types.New("test.Every");
  // Protobuf refuses some damage in fields that are passed over here.
  if (!read->ParseFromString(wire)) return;
  const auto from_json = types.New("test.Every");
  const std::string text(json.view());
  fuzz::Require(google::protobuf::util::JsonStringToMessage(text, from_json.get()).ok(),
                "the JSON is one of the message");
  read->DiscardUnknownFields();
  DropBeatenEntries(*read);
  AddTimes(*read);
  fuzz::Require(SaysTheSame(*read, *from_json), "the JSON says what the bytes say");
}

}  // namespace
}  // namespace relations::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A buffer of exactly this size: a sanitizer sees each byte that is read past its end.
  relations::gateway::Check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
