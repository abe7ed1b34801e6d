#include "storage/rocks/key_format.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/entity_wire.h"
#include "storage/instant.h"
#include "storage/varint.h"

namespace relations {
namespace {

// Above the class in the first number of an entity record.
constexpr int kReportersShift = 32;

constexpr char kHashedId = 'h';
constexpr char kTextId = 't';
constexpr size_t kHashBytes = 32;
constexpr size_t kHashDigits = 2 * kHashBytes;

constexpr uint8_t kPairMode = 0x01;
constexpr uint8_t kPairNanoseconds = 0x02;
constexpr int kPairLabelShift = 2;
constexpr uint32_t kPairLabelFollows = 63;
// The part of an instant that stands for whole seconds.
constexpr size_t kSecondsBytes = 5;

absl::Status Damaged(absl::string_view what, absl::string_view bytes) {
  return absl::DataLossError(
      absl::StrCat("not a valid ", what, ": ", absl::BytesToHexString(bytes.substr(0, 64))));
}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
  });
}

}  // namespace

void PutU32(uint32_t value, std::string& out) {
  char bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (24 - 8 * i));
  out.append(bytes, sizeof bytes);
}

void PutU64(uint64_t value, std::string& out) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  out.append(bytes, sizeof bytes);
}

bool GetU32(absl::string_view* input, uint32_t* value) {
  if (input->size() < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; ++i) *value = *value << 8 | static_cast<uint8_t>((*input)[i]);
  input->remove_prefix(4);
  return true;
}

bool GetU64(absl::string_view* input, uint64_t* value) {
  if (input->size() < 8) return false;
  *value = 0;
  for (int i = 0; i < 8; ++i) *value = *value << 8 | static_cast<uint8_t>((*input)[i]);
  input->remove_prefix(8);
  return true;
}

void PutInstant(absl::Time time, std::string& out) {
  const Instant instant = InstantOf(time);
  out += static_cast<char>(instant.seconds >> 32);
  PutU32(static_cast<uint32_t>(instant.seconds), out);
  PutU32(instant.nanoseconds, out);
}

bool GetInstant(absl::string_view* input, absl::Time* time) {
  if (input->size() < kInstantBytes) return false;
  const uint64_t high = static_cast<uint8_t>(input->front());
  input->remove_prefix(1);
  uint32_t low = 0;
  uint32_t nanoseconds = 0;
  if (!GetU32(input, &low) || !GetU32(input, &nanoseconds) || nanoseconds >= 1'000'000'000) {
    return false;
  }
  *time = TimeOf({high << 32 | low, nanoseconds});
  return IsTimestamp(*time);
}

std::string IdKey(absl::string_view id) {
  std::string key;
  if (id.size() > kHashDigits + 1) {
    const size_t type_bytes = id.size() - kHashDigits - 1;
    const absl::string_view digits = id.substr(type_bytes + 1);
    if (id[type_bytes] == '-' && IsLowerHex(digits)) {
      key += kHashedId;
      key += absl::HexStringToBytes(digits);
      key.append(id.data(), type_bytes);
      return key;
    }
  }
  key += kTextId;
  key.append(id.data(), id.size());
  return key;
}

absl::StatusOr<std::string> IdOfKey(absl::string_view key) {
  if (key.size() > 1 && key.front() == kTextId) {
    return std::string(key.substr(1));
  }
  if (key.size() > 1 + kHashBytes && key.front() == kHashedId) {
    return absl::StrCat(key.substr(1 + kHashBytes), "-",
                        absl::BytesToHexString(key.substr(1, kHashBytes)));
  }
  return Damaged("id key", key);
}

std::string NodeKey(NodeId node) {
  std::string key;
  PutU64(static_cast<uint64_t>(node), key);
  return key;
}

absl::StatusOr<NodeId> NodeOfKey(absl::string_view key) {
  uint64_t node = 0;
  absl::string_view rest = key;
  if (!GetU64(&rest, &node) || !rest.empty() || node == 0) return Damaged("node key", key);
  return NodeId{node};
}

std::string ListKey(NodeId node, ClassId visibility) {
  std::string key = NodeKey(node);
  PutU32(static_cast<uint32_t>(visibility), key);
  return key;
}

std::string DirectoryKey(NodeId node) { return ListKey(node, kNobodyClass); }

absl::StatusOr<AdjacencyKey> ParseAdjacencyKey(absl::string_view key) {
  uint64_t node = 0;
  uint32_t visibility = 0;
  absl::string_view rest = key;
  if (!GetU64(&rest, &node) || !GetU32(&rest, &visibility) || node == 0 ||
      (!rest.empty() &&
       (rest.size() <= kInstantBytes || visibility == static_cast<uint32_t>(kNobodyClass)))) {
    return Damaged("adjacency key", key);
  }
  return AdjacencyKey{NodeId{node}, ClassId{visibility}, rest};
}

std::string Boundary(absl::Time last_seen, absl::string_view neighbour_id) {
  std::string boundary;
  PutInstant(last_seen, boundary);
  for (char& c : boundary) c = static_cast<char>(~c);
  boundary.append(neighbour_id.data(), neighbour_id.size());
  return boundary;
}

std::string PairKey(NodeId source, NodeId target) {
  std::string key = NodeKey(source);
  PutU64(static_cast<uint64_t>(target), key);
  return key;
}

absl::StatusOr<NodePair> PairOfKey(absl::string_view key) {
  uint64_t source = 0;
  uint64_t target = 0;
  absl::string_view rest = key;
  if (!GetU64(&rest, &source) || !GetU64(&rest, &target) || !rest.empty() || source == 0 ||
      target == 0) {
    return Damaged("relation key", key);
  }
  return NodePair{NodeId{source}, NodeId{target}};
}

std::string ClassKey(ClassId visibility) {
  std::string key;
  PutU32(static_cast<uint32_t>(visibility), key);
  return key;
}

std::string LabelKey(LabelId label) {
  std::string key;
  PutU32(static_cast<uint32_t>(label), key);
  return key;
}

std::string RevisionKey(NodeId node) { return absl::StrCat(kRevisionPrefix, NodeKey(node)); }

absl::StatusOr<NodeId> NodeOfRevisionKey(absl::string_view key) {
  if (!absl::ConsumePrefix(&key, kRevisionPrefix)) return Damaged("revision key", key);
  return NodeOfKey(key);
}

absl::StatusOr<uint32_t> NumberOfKey(absl::string_view key) {
  uint32_t number = 0;
  absl::string_view rest = key;
  if (!GetU32(&rest, &number) || !rest.empty()) return Damaged("number key", key);
  return number;
}

std::string EncodeNumber(uint64_t number) {
  std::string value;
  PutU64(number, value);
  return value;
}

absl::StatusOr<uint64_t> DecodeNumber(absl::string_view value) {
  uint64_t number = 0;
  absl::string_view rest = value;
  if (!GetU64(&rest, &number) || !rest.empty()) return Damaged("number", value);
  return number;
}

std::string EncodeGroups(const GroupSet& groups) {
  std::string value;
  PutVarint(groups.size(), value);
  for (const std::string& group : groups) {
    PutVarint(group.size(), value);
    value += group;
  }
  return value;
}

absl::StatusOr<GroupSet> DecodeGroups(absl::string_view value) {
  absl::string_view rest = value;
  uint64_t count = 0;
  if (!GetVarint(&rest, &count) || count > value.size()) return Damaged("group set", value);
  GroupSet groups;
  groups.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = 0;
    if (!GetVarint(&rest, &length) || length > rest.size()) return Damaged("group set", value);
    groups.emplace_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  const bool canonical = std::adjacent_find(groups.begin(), groups.end(),
                                            [](const std::string& a, const std::string& b) {
                                              return a >= b;
                                            }) == groups.end();
  if (!rest.empty() || groups.empty() || !canonical) return Damaged("group set", value);
  return groups;
}

std::string EncodePairRelations(const std::vector<PairRelation>& relations) {
  std::string value;
  std::string instant;
  for (const PairRelation& relation : relations) {
    instant.clear();
    PutInstant(relation.last_seen, instant);
    const bool whole_second = absl::EndsWith(instant, absl::string_view("\0\0\0\0", 4));
    const auto label = static_cast<uint32_t>(relation.type);
    const uint32_t short_label = std::min(label, kPairLabelFollows);
    uint8_t flags = static_cast<uint8_t>(short_label << kPairLabelShift);
    if (relation.mode == RelationMode::kAggregation) flags |= kPairMode;
    if (!whole_second) flags |= kPairNanoseconds;
    value += static_cast<char>(flags);
    if (short_label == kPairLabelFollows) PutVarint(label, value);
    PutVarint(static_cast<uint32_t>(relation.visibility), value);
    value.append(instant, 0, whole_second ? kSecondsBytes : kInstantBytes);
  }
  return value;
}

absl::StatusOr<std::vector<PairRelation>> DecodePairRelations(absl::string_view value) {
  std::vector<PairRelation> relations;
  absl::string_view rest = value;
  do {
    if (rest.empty()) return Damaged("pair record", value);
    const auto flags = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    uint64_t label = flags >> kPairLabelShift;
    uint64_t visibility = 0;
    if ((label == kPairLabelFollows && (!GetVarint(&rest, &label) || label > UINT32_MAX)) ||
        !GetVarint(&rest, &visibility) || visibility > UINT32_MAX) {
      return Damaged("pair record", value);
    }
    const size_t bytes = (flags & kPairNanoseconds) != 0 ? kInstantBytes : kSecondsBytes;
    if (rest.size() < bytes) return Damaged("pair record", value);
    std::string instant(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
    instant.resize(kInstantBytes, '\0');
    absl::string_view whole = instant;
    PairRelation relation;
    if (!GetInstant(&whole, &relation.last_seen)) return Damaged("pair record", value);
    relation.type = LabelId{static_cast<uint32_t>(label)};
    relation.mode =
        (flags & kPairMode) != 0 ? RelationMode::kAggregation : RelationMode::kAssociation;
    relation.visibility = ClassId{static_cast<uint32_t>(visibility)};
    if (!relations.empty() && std::make_pair(relations.back().type, relations.back().mode) >=
                                  std::make_pair(relation.type, relation.mode)) {
      return Damaged("pair record", value);
    }
    relations.push_back(relation);
  } while (!rest.empty());
  return relations;
}

std::string EncodeEntityRecord(const relations::v1::Entity& entity, ClassId visibility,
                               absl::string_view reporters) {
  relations::v1::Entity before = entity;
  before.clear_visible_by();
  const std::string wire = SerializeEntity(before);
  before.clear_attributes();
  // Fields are serialised in order, so what stands before `visible_by` is what is left without the
  // only field after it.
  const size_t offset = before.ByteSizeLong();
  const uint64_t count = reporters.size() / kReporterBytes;
  std::string value;
  value.reserve(wire.size() + reporters.size() + 16);
  PutVarint(count << kReportersShift | static_cast<uint32_t>(visibility), value);
  PutVarint(offset, value);
  value.append(reporters.data(), reporters.size());
  value += wire;
  return value;
}

absl::StatusOr<EntityRecord> DecodeEntityRecord(absl::string_view value) {
  absl::string_view rest = value;
  uint64_t head = 0;
  uint64_t offset = 0;
  if (!GetVarint(&rest, &head) || head >> kReportersShift > kReportersMax ||
      !GetVarint(&rest, &offset)) {
    return Damaged("entity record", value);
  }
  const size_t reporter_bytes = (head >> kReportersShift) * kReporterBytes;
  if (reporter_bytes > rest.size() || offset > rest.size() - reporter_bytes) {
    return Damaged("entity record", value);
  }
  return EntityRecord{rest.substr(reporter_bytes), offset, ClassId{static_cast<uint32_t>(head)},
                      nullptr, rest.substr(0, reporter_bytes)};
}

}  // namespace relations
