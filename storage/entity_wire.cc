#include "storage/entity_wire.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "storage/varint.h"

namespace relations {
namespace {

// Tags of length-delimited fields.
constexpr char kIdTag = (v1::Entity::kIdFieldNumber << 3) | 2;
constexpr char kTypeTag = (v1::Entity::kTypeFieldNumber << 3) | 2;
constexpr char kVisibleByTag = (v1::Entity::kVisibleByFieldNumber << 3) | 2;

bool GetLengthDelimited(absl::string_view* input, char tag, absl::string_view* field) {
  uint64_t length = 0;
  if (input->empty() || input->front() != tag) return false;
  input->remove_prefix(1);
  if (!GetVarint(input, &length) || length > input->size()) return false;
  *field = input->substr(0, length);
  input->remove_prefix(length);
  return true;
}

}  // namespace

std::string SerializeEntity(const relations::v1::Entity& entity) {
  std::string wire;
  google::protobuf::io::StringOutputStream stream(&wire);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  entity.SerializeToCodedStream(&coded);
  coded.Trim();
  return wire;
}

absl::StatusOr<EntityHead> ReadEntityHead(absl::string_view wire) {
  EntityHead head;
  absl::string_view rest = wire;
  if (!GetLengthDelimited(&rest, kIdTag, &head.id) ||
      !GetLengthDelimited(&rest, kTypeTag, &head.type)) {
    return absl::DataLossError(absl::StrCat("not a serialised entity: ",
                                            absl::BytesToHexString(wire.substr(0, 64))));
  }
  return head;
}

void AppendVisibleBy(absl::Span<const absl::string_view> groups, std::string& wire) {
  for (const absl::string_view group : groups) {
    wire += kVisibleByTag;
    PutVarint(group.size(), wire);
    wire.append(group.data(), group.size());
  }
}

}  // namespace relations
