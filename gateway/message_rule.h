// How the messages of one type are written as JSON: a table made from the type's descriptor, and
// the loop over it. A new field of the API needs no change here unless it is of a new kind.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/json_buffer.h"
#include "gateway/map_rule.h"
#include "gateway/scalar_rule.h"
#include "gateway/value_rule.h"
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
  // strings, messages (also within themselves) and Timestamp have rules, single, `optional`, in a
  // oneof and repeated; so have maps with keys of every type and such values, or
  // google.protobuf.Value. INTERNAL names a field of another kind: groups and the other types of
  // the package google.protobuf.
  static absl::StatusOr<MessageRule> Make(const google::protobuf::Descriptor& type, int fields_max);

  // Appends the message as an object with every field of the rule, in the order of declaration,
  // whatever their order on the wire. Of a single field that stands there twice the last counts, as
  // in any protobuf reader, and of a message the parts merge; fields without a rule are passed
  // over. A field that says whether it is there (`optional`, a member of a oneof) is left out where
  // it is not; another message that is not there is null. DATA_LOSS as AnswerWriter::Write; `json`
  // then ends anywhere.
  absl::Status Write(absl::string_view wire, Scratch& scratch, JsonBuffer& json) const;

  // What is wrong with the bytes, a literal; nullptr: nothing.
  using Fault = const char*;

  // The same for a message that stands within `depth` others. At most kDepthMax are written.
  static constexpr int kDepthMax = 100;
  Fault WriteWithin(absl::string_view wire, int depth, JsonBuffer& json) const;

 private:
  enum class Kind : uint8_t {
    kString,
    kStringList,
    kInt32,
    kTimestamp,
    kValueMap,
    kScalar,
    kMessage,
    kList,
    kMap,
  };

  // The key with its separators, `,"type":`; the comma of an object's first key becomes its `{` in
  // the end. The head of a label is copied by a move of fixed size, with what is behind its end.
  struct Label {
    static constexpr size_t kHeadBytesMax = JsonBuffer::kSlack;
    std::array<char, kHeadBytesMax> head = {};
    size_t head_size = 0;
    // What is behind the head; null where nothing is.
    std::unique_ptr<const std::string> rest;
  };
  static constexpr int kNoOneof = -1;
  struct Field {
    uint32_t number = 0;
    Kind kind = Kind::kScalar;
    WireField::Type wire_type = WireField::Type::kBytes;
    Label label;
    // Left out where it is not there.
    bool may_be_absent = false;
    // Of its members only the last on the wire counts. At most kOneofsMax in a message.
    int oneof = kNoOneof;
    // Of kScalar.
    std::optional<ScalarRule> scalar;
    // Of kMessage and kList.
    std::unique_ptr<const ValueRule> value;
    // Of kValueMap and kMap.
    std::unique_ptr<const MapRule> map;
  };
  static constexpr int kOneofsMax = 64;
  class Maker;
  using Occurrences = const std::vector<Scratch::Occurrence>&;
  enum class Order { kAsDeclared, kOther };

  static absl::StatusOr<Kind> KindOf(const google::protobuf::FieldDescriptor& field);
  static Label LabelOf(const google::protobuf::FieldDescriptor& field);
  static void WriteLabel(const Label& label, JsonBuffer& json);
  static void WriteDefault(const Field& field, JsonBuffer& json);
  // `start`: where the object begins in `json`.
  static void EndObject(size_t start, JsonBuffer& json);

  // The place in fields_ of a field on the wire; the number of fields where it has none.
  size_t SlotOf(const WireField& field) const;
  size_t HighSlotOf(uint32_t number) const;

  // Writes field by field as they come, which is the order in which every protobuf writer writes
  // them. Says kOther, and takes back what it wrote, at the first one out of that order.
  Fault WriteInOrder(absl::string_view wire, int depth, JsonBuffer& json, Order& order) const;
  // Appends the value of fields_[slot], of which `field` is the first occurrence, and reads on to
  // the first field that is another's. False in `more` at the end.
  Fault WriteRun(size_t slot, int depth, WireReader& reader, WireField& field, bool& more,
                 JsonBuffer& json, Order& order) const;
  // The same for fields of one kind.
  Fault WriteTexts(size_t slot, WireReader& reader, WireField& field, bool& more,
                   JsonBuffer& json) const;
  Fault WriteAttributes(size_t slot, WireReader& reader, WireField& field, bool& more,
                        JsonBuffer& json, Order& order) const;
  Fault WriteElements(size_t slot, int depth, WireReader& reader, WireField& field, bool& more,
                      JsonBuffer& json) const;
  Fault WriteEntries(size_t slot, int depth, WireReader& reader, WireField& field, bool& more,
                     JsonBuffer& json) const;
  // Appends the value of a field that is neither list nor map.
  static Fault WriteSingle(const Field& rule, const WireField& field, int depth, JsonBuffer& json);
  Fault WriteWhole(absl::string_view wire, int depth, Scratch& scratch, JsonBuffer& json) const;

  // The same for fields in any order: collected, sorted, written.
  Fault WriteCollected(absl::string_view wire, int depth, Scratch& scratch, JsonBuffer& json) const;
  Fault Collect(absl::string_view wire, Scratch& scratch) const;
  // Of the members of a oneof the last one counts, and of that what came since another did: all
  // else goes. `occurrences` stand as on the wire.
  void DropBeaten(std::vector<Scratch::Occurrence>& occurrences) const;
  // Appends the value of `field`, whose occurrences are [begin, end), at least one.
  static Fault WriteValue(const Field& field, Occurrences occurrences, size_t begin, size_t end,
                          int depth, JsonBuffer& json);
  static Fault WriteTimestamp(Occurrences occurrences, size_t begin, size_t end, JsonBuffer& json);
  static Fault WriteMerged(const Field& field, Occurrences occurrences, size_t begin, size_t end,
                           int depth, JsonBuffer& json);
  static Fault WriteMap(const Field& field, Occurrences occurrences, size_t begin, size_t end,
                        int depth, JsonBuffer& json);

  std::vector<Field> fields_;
  bool has_oneofs_ = false;
  // Field number -> place in fields_, or the number of fields; of numbers below kNumbersIndexed.
  std::vector<uint32_t> slot_of_number_;
  // The rest, by number.
  std::vector<std::pair<uint32_t, uint32_t>> high_slots_;
  // The rules of the messages within, at any depth; of the outermost rule alone.
  std::vector<std::unique_ptr<MessageRule>> owned_;
};

}  // namespace relations::gateway
