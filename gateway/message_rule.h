// How the messages of one type are written as JSON: a table made from the type's descriptor, and
// the loop over it. A new field of the API needs no change here unless it is of a new kind.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/json_buffer.h"
#include "gateway/scalar_rule.h"
#include "gateway/wire_reader.h"
#include "google/protobuf/descriptor.h"

namespace relations::gateway {

class MessageRule {
 public:
  // Room for the fields of the message being written, kept from one message to the next.
  struct Scratch {
    struct Occurrence {
      uint32_t slot;
      WireField field;
    };
    std::vector<Occurrence> occurrences;
  };

  // The rule for messages of `type`, for its first `fields_max` fields. Scalars of every type,
  // strings and messages have rules, single and repeated; so have Timestamp and maps from strings
  // to google.protobuf.Value. INTERNAL names a field of another kind: other well-known types, other
  // maps, members of a oneof and `optional` scalars, and messages that contain themselves.
  static absl::StatusOr<MessageRule> Make(const google::protobuf::Descriptor& type, int fields_max);

  // Appends the message as an object with every field of the rule, in the order of declaration,
  // whatever their order on the wire. Of a single field that stands there twice the last counts, as
  // in any protobuf reader, and of a message the parts merge; fields without a rule are passed
  // over. A message within that is not there is null. DATA_LOSS as AnswerWriter::Write; `json` then
  // ends anywhere.
  absl::Status Write(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const;

 private:
  enum class Kind : uint8_t {
    kString,
    kStringList,
    kInt32,
    kTimestamp,
    kValueMap,
    kScalar,
    kScalarList,
    kMessage,
    kMessageList,
  };
  // What is wrong with the bytes, a literal; nullptr: nothing.
  using Fault = const char*;

  // The key with its separators, `{"id":` or `,"type":`: copied by a move of fixed size, with what
  // is behind its end.
  struct Label {
    static constexpr size_t kBytesMax = JsonBuffer::kSlack;
    std::array<char, kBytesMax> text = {};
    size_t size = 0;
  };
  struct Field {
    uint32_t number;
    Kind kind;
    WireField::Type wire_type;
    Label label;
    // Of kScalar and kScalarList.
    std::optional<ScalarRule> scalar;
    // Of kMessage and kMessageList.
    std::shared_ptr<const MessageRule> message;
  };
  using Occurrences = const std::vector<Scratch::Occurrence>&;
  enum class Order { kAsDeclared, kOther };

  static absl::StatusOr<MessageRule> MakeAt(const google::protobuf::Descriptor& type,
                                            int fields_max, int depth);
  static absl::StatusOr<Kind> KindOf(const google::protobuf::FieldDescriptor& field);
  static absl::StatusOr<Label> LabelOf(const google::protobuf::FieldDescriptor& field);
  static void WriteLabel(const Label& label, JsonBuffer& json);
  static void WriteDefault(const Field& field, JsonBuffer& json);

  // The place in fields_ of a field on the wire; the number of fields where it has none.
  size_t SlotOf(const WireField& field) const;

  // Writes field by field as they come, which is the order in which every protobuf writer writes
  // them. Says kOther, and takes back what it wrote, at the first one out of that order.
  Fault WriteInOrder(absl::string_view wire, JsonBuffer& json, Order& order) const;
  // Appends the value of fields_[slot], of which `field` is the first occurrence, and reads on to
  // the first field that is another's. False in `more` at the end.
  Fault WriteRun(const Field& rule, size_t slot, WireReader& reader, WireField& field, bool& more,
                 JsonBuffer& json, Order& order) const;

  // Appends what one occurrence of a list of scalars or messages holds, each behind `separator`.
  static Fault WriteElements(const Field& rule, const WireField& field, char& separator,
                             JsonBuffer& json);
  static Fault WriteMessage(const Field& rule, absl::string_view wire, JsonBuffer& json);
  Fault WriteWhole(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const;

  // The same for fields in any order: collected, sorted, written.
  Fault WriteCollected(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const;
  Fault Collect(absl::string_view wire, Scratch& scratch) const;
  // Appends the value of `field`, whose occurrences are [begin, end), at least one.
  static Fault WriteValue(const Field& field, Occurrences occurrences, size_t begin, size_t end,
                          JsonBuffer& json);
  static Fault WriteTimestamp(Occurrences occurrences, size_t begin, size_t end, JsonBuffer& json);
  static Fault WriteMerged(const Field& field, Occurrences occurrences, size_t begin, size_t end,
                           JsonBuffer& json);
  static Fault WriteMap(Occurrences occurrences, size_t begin, size_t end, JsonBuffer& json);

  std::vector<Field> fields_;
  // Field number -> place in fields_, or the number of fields.
  std::vector<uint32_t> slot_of_number_;
};

}  // namespace relations::gateway
