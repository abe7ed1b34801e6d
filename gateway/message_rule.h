// How the messages of one type are written as JSON: a table made from the type's descriptor, and
// the loop over it. A new field of the API needs no change here unless it is of a new kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

  // The rule for messages of `type`, for its first `fields_max` fields. INTERNAL for a field of a
  // kind that has no rule (strings, int32 and Timestamp have one, single or repeated strings, and
  // maps from strings to google.protobuf.Value).
  static absl::StatusOr<MessageRule> Make(const google::protobuf::Descriptor& type, int fields_max);

  // Appends the message as an object with every field of the rule, in the order of declaration,
  // whatever their order on the wire. Of a single field that stands there twice the last counts, as
  // in any protobuf reader; fields without a rule are passed over. DATA_LOSS as
  // AnswerWriter::Write; `json` then ends anywhere.
  absl::Status Write(absl::string_view wire, Scratch& scratch, std::string& json) const;

 private:
  enum class Kind : uint8_t { kString, kStringList, kInt32, kTimestamp, kValueMap };
  struct Field {
    uint32_t number;
    Kind kind;
    // The key with its separators: `{"id":` or `,"type":`.
    std::string label;
  };
  using Occurrences = const std::vector<Scratch::Occurrence>&;

  static absl::StatusOr<Kind> KindOf(const google::protobuf::FieldDescriptor& field);
  absl::Status Collect(absl::string_view wire, Scratch& scratch) const;
  // Appends the value of `field`, whose occurrences are [begin, end).
  static absl::Status WriteValue(const Field& field, Occurrences occurrences, size_t begin,
                                 size_t end, std::string& json);
  static absl::Status WriteTimestamp(Occurrences occurrences, size_t begin, size_t end,
                                     std::string& json);
  static absl::Status WriteMap(Occurrences occurrences, size_t begin, size_t end,
                               std::string& json);

  std::vector<Field> fields_;
  // Field number -> place in fields_, or kNoSlot.
  std::vector<uint32_t> slot_of_number_;
};

}  // namespace relations::gateway
