#include "server/answer.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpc/slice.h"
#include "grpcpp/support/slice.h"
#include "relations/v1/relations.pb.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using google::protobuf::io::CodedOutputStream;

// Field tags: number << 3 | wire type (0 a varint, 2 a length and that many bytes).
constexpr uint8_t kNodesTag = 1 << 3 | 2;
constexpr uint8_t kRelationsTag = 2 << 3 | 2;
constexpr uint8_t kStopReasonTag = 3 << 3 | 0;
constexpr uint8_t kSourceTag = 1 << 3 | 2;
constexpr uint8_t kTargetTag = 2 << 3 | 2;
constexpr uint8_t kTypeTag = 3 << 3 | 2;
constexpr uint8_t kModeTag = 4 << 3 | 2;
constexpr uint8_t kLastSeenTag = 5 << 3 | 2;
constexpr uint8_t kSecondsTag = 1 << 3 | 0;
constexpr uint8_t kNanosTag = 2 << 3 | 0;
constexpr uint8_t kEntityIdTag = 1 << 3 | 2;

size_t VarintSize(uint64_t value) { return CodedOutputStream::VarintSize64(value); }

// The size of a field with a length: tag, length, bytes.
size_t DelimitedSize(size_t bytes) { return 1 + VarintSize(bytes) + bytes; }

// Proto3: an empty text is not sent.
size_t TextSize(absl::string_view text) { return text.empty() ? 0 : DelimitedSize(text.size()); }

// Writes into a buffer whose size was computed before.
class Writer {
 public:
  explicit Writer(uint8_t* position) : position_(position) {}

  void Varint(uint8_t tag, uint64_t value) {
    *position_++ = tag;
    position_ = CodedOutputStream::WriteVarint64ToArray(value, position_);
  }
  // The head of a field with a length.
  void Head(uint8_t tag, size_t bytes) { Varint(tag, bytes); }
  void Raw(absl::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(position_, bytes.data(), bytes.size());
    position_ += bytes.size();
  }
  void Bytes(uint8_t tag, absl::string_view bytes) {
    Head(tag, bytes.size());
    Raw(bytes);
  }
  void Text(uint8_t tag, absl::string_view text) {
    if (!text.empty()) {
      Bytes(tag, text);
    }
  }

 private:
  uint8_t* position_;
};

// A google.protobuf.Timestamp: nanos count forward from the whole second before.
struct WireTimestamp {
  explicit WireTimestamp(absl::Time time)
      : seconds(absl::ToUnixSeconds(time)),
        nanos(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))) {}

  size_t Size() const {
    return (seconds == 0 ? 0 : 1 + VarintSize(static_cast<uint64_t>(seconds))) +
           (nanos == 0 ? 0 : 1 + VarintSize(static_cast<uint64_t>(nanos)));
  }
  void Write(uint8_t tag, Writer& writer) const {
    writer.Head(tag, Size());
    if (seconds != 0) {
      writer.Varint(kSecondsTag, static_cast<uint64_t>(seconds));
    }
    if (nanos != 0) {
      writer.Varint(kNanosTag, static_cast<uint64_t>(nanos));
    }
  }

  int64_t seconds;
  int64_t nanos;
};

// The id at the head of a serialised Entity: at most kEntityIdBytesMax bytes, hence a length of one
// or two bytes.
absl::StatusOr<absl::string_view> IdOf(absl::string_view wire) {
  static_assert(limits::kEntityIdBytesMax < (1 << 14));
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(wire[i]); };
  if (wire.size() >= 3 && byte(0) == kEntityIdTag) {
    const bool long_length = byte(1) >= 0x80;
    const size_t length = long_length ? (byte(1) & 0x7Fu) | size_t{byte(2)} << 7 : byte(1);
    const size_t head = long_length ? 3 : 2;
    if (length > 0 && length <= limits::kEntityIdBytesMax && head + length <= wire.size()) {
      return wire.substr(head, length);
    }
  }
  return absl::DataLossError("the bytes of an entity do not start with its id");
}

// A relation of the answer with its ends' ids and its size.
struct WireRelation {
  absl::string_view source;
  absl::string_view target;
  absl::string_view type;
  absl::string_view mode;
  WireTimestamp last_seen;
  size_t size;
};

absl::StatusOr<std::vector<WireRelation>> MeasureRelations(const ExpandedGraph& graph) {
  std::vector<absl::string_view> ids;
  ids.reserve(graph.nodes.size());
  for (const ExpandedEntity& node : graph.nodes) {
    ASSIGN_OR_RETURN(const absl::string_view id, IdOf(node.head));
    ids.push_back(id);
  }
  std::vector<WireRelation> relations;
  relations.reserve(graph.relations.size());
  for (const ExpandedRelation& relation : graph.relations) {
    WireRelation wire{ids[relation.source],
                      ids[relation.target],
                      relation.type,
                      RelationModeName(relation.mode),
                      WireTimestamp(relation.last_seen),
                      0};
    wire.size = TextSize(wire.source) + TextSize(wire.target) + TextSize(wire.type) +
                TextSize(wire.mode) + DelimitedSize(wire.last_seen.Size());
    relations.push_back(wire);
  }
  return relations;
}

}  // namespace

absl::StatusOr<grpc::ByteBuffer> AssembleAnswer(const ExpandedGraph& graph) {
  ASSIGN_OR_RETURN(const std::vector<WireRelation> relations, MeasureRelations(graph));
  // The stop reason is a one-byte varint.
  size_t size = 2;
  for (const ExpandedEntity& node : graph.nodes) {
    size += DelimitedSize(node.wire_bytes());
  }
  for (const WireRelation& relation : relations) {
    size += DelimitedSize(relation.size);
  }
  if (size > static_cast<size_t>(limits::kAnswerBytesMax)) {
    return absl::InternalError(absl::StrCat("an answer of ", size, " bytes passes the limit of ",
                                            limits::kAnswerBytesMax));
  }

  grpc_slice bytes = grpc_slice_malloc(size);
  Writer writer(GRPC_SLICE_START_PTR(bytes));
  for (const ExpandedEntity& node : graph.nodes) {
    writer.Head(kNodesTag, node.wire_bytes());
    writer.Raw(node.head);
    writer.Raw(node.visible_by);
    writer.Raw(node.tail);
  }
  for (const WireRelation& relation : relations) {
    writer.Head(kRelationsTag, relation.size);
    writer.Text(kSourceTag, relation.source);
    writer.Text(kTargetTag, relation.target);
    writer.Text(kTypeTag, relation.type);
    writer.Text(kModeTag, relation.mode);
    relation.last_seen.Write(kLastSeenTag, writer);
  }
  writer.Varint(kStopReasonTag,
                graph.stopped_by_limit ? v1::STOP_REASON_LIMIT : v1::STOP_REASON_COMPLETE);
  const grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace relations
