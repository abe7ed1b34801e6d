#include "gateway/answer_writer.h"

#include <limits>
#include <utility>

#include "absl/memory/memory.h"
#include "gateway/message_rule.h"
#include "gateway/wire_reader.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

constexpr uint32_t kNodes = v1::GetRelationsResponse::kNodesFieldNumber;
constexpr uint32_t kRelations = v1::GetRelationsResponse::kRelationsFieldNumber;
constexpr uint32_t kStopReason = v1::GetRelationsResponse::kStopReasonFieldNumber;
// Of a relation without details: source and target.
constexpr int kPairFields = 2;
// A buffer of each thread that writes, used again and again; what an unusually large answer made of
// it is given back.
constexpr size_t kBufferBytes = 128 << 10;
constexpr size_t kBufferBytesKeptMax = 1 << 20;
constexpr size_t kNone = std::numeric_limits<size_t>::max();

class WireAnswerWriter : public AnswerWriter {
 public:
  WireAnswerWriter(MessageRule node, MessageRule pair, MessageRule relation)
      : node_(std::move(node)), pair_(std::move(pair)), relation_(std::move(relation)) {}

  absl::StatusOr<RestAnswer> Write(absl::string_view wire, RelationDetails details) const override {
    thread_local JsonBuffer json(kBufferBytes);
    if (json.capacity() > kBufferBytesKeptMax) json = JsonBuffer(kBufferBytes);
    json.Truncate(0);
    RestAnswer answer;
    MessageRule::Scratch scratch;
    json.Raw("{\"nodes\":[");
    ASSIGN_OR_RETURN(answer.stop_reason, WriteNodes(wire, scratch, json));
    json.Raw("],\"relations\":[");
    RETURN_IF_ERROR(WriteRelations(wire, details, scratch, json));
    json.Raw("]}");
    answer.json = std::string(json.view());
    return answer;
  }

 private:
  // Appends the nodes and returns the word for the stop reason. Walks all of the top level.
  absl::StatusOr<absl::string_view> WriteNodes(absl::string_view wire,
                                               MessageRule::Scratch& scratch,
                                               JsonBuffer& json) const {
    WireReader reader(wire);
    WireField field;
    uint64_t stop_reason = v1::STOP_REASON_UNSPECIFIED;
    bool first = true;
    while (reader.NextField(field)) {
      if (field.number == kStopReason && field.type == WireField::Type::kVarint) {
        stop_reason = field.scalar;
      }
      if (field.number != kNodes || field.type != WireField::Type::kBytes) continue;
      if (!first) json.Raw(',');
      first = false;
      RETURN_IF_ERROR(node_.Write(field.bytes, scratch, json));
    }
    if (!reader.ok()) {
      return absl::DataLossError("answer of the backend: the message is cut short");
    }
    if (stop_reason == v1::STOP_REASON_COMPLETE) return absl::string_view("complete");
    if (stop_reason == v1::STOP_REASON_LIMIT) return absl::string_view("limit");
    return absl::DataLossError("answer of the backend: no known stop reason");
  }

  absl::Status WriteRelations(absl::string_view wire, RelationDetails details,
                              MessageRule::Scratch& scratch, JsonBuffer& json) const {
    const bool pairs_only = details == RelationDetails::kLeaveOut;
    const MessageRule& rule = pairs_only ? pair_ : relation_;
    WireReader reader(wire);
    WireField field;
    size_t previous = kNone;  // where the previous entry starts in `json`
    while (reader.NextField(field)) {
      if (field.number != kRelations || field.type != WireField::Type::kBytes) continue;
      const bool first = previous == kNone;
      const size_t end = json.size();
      if (!first) json.Raw(',');
      const size_t start = json.size();
      RETURN_IF_ERROR(rule.Write(field.bytes, scratch, json));
      // Relations of one pair that differ in type or mode are neighbours; as pairs they are equal.
      if (pairs_only && !first &&
          json.view().substr(previous, end - previous) == json.view().substr(start)) {
        json.Truncate(end);
        continue;
      }
      previous = start;
    }
    return absl::OkStatus();
  }

  const MessageRule node_;
  const MessageRule pair_;
  const MessageRule relation_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AnswerWriter>> MakeAnswerWriter() {
  constexpr int kAll = std::numeric_limits<int>::max();
  ASSIGN_OR_RETURN(MessageRule node, MessageRule::Make(*v1::Entity::descriptor(), kAll));
  ASSIGN_OR_RETURN(MessageRule pair, MessageRule::Make(*v1::Relation::descriptor(), kPairFields));
  ASSIGN_OR_RETURN(MessageRule relation, MessageRule::Make(*v1::Relation::descriptor(), kAll));
  return absl::make_unique<WireAnswerWriter>(std::move(node), std::move(pair), std::move(relation));
}

}  // namespace relations::gateway
