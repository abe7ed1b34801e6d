#include "storage/rocks/bulk_entities.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/consolidation.h"
#include "storage/entity_id.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr uint64_t kNamedOnly = std::numeric_limits<uint64_t>::max();
// What a record has beside the wire bytes after the id.
constexpr size_t kRecordHeadBytesMax = 16;

absl::Status CheckEntity(const relations::v1::Entity& entity, const GroupSet& groups) {
  if (!IsEntityId(entity.id())) {
    return absl::InvalidArgumentError("an entity's id is not of the form of an id");
  }
  if (entity.type().empty() || entity.type().size() > limits::kTypeBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(entity.id(), ": its type must have 1 to ", limits::kTypeBytesMax, " bytes"));
  }
  const bool canonical =
      !groups.empty() && groups.size() <= limits::kVisibleByMax &&
      std::all_of(groups.begin(), groups.end(),
                  [](const std::string& group) { return IsGroupName(group); }) &&
      std::adjacent_find(groups.begin(), groups.end(), std::greater_equal<>()) == groups.end();
  if (!canonical) {
    return absl::InvalidArgumentError(absl::StrCat(entity.id(),
                                                   ": visibleBy is not a canonical set of 1 to ",
                                                   limits::kVisibleByMax, " group names"));
  }
  return absl::OkStatus();
}

// Where the fields after `visible_by` begin: the attributes, which are last.
bool AttributesOffset(absl::string_view wire, size_t* offset) {
  constexpr char kAttributesTag = (v1::Entity::kAttributesFieldNumber << 3) | 2;
  absl::string_view rest = wire;
  while (!rest.empty() && rest.front() != kAttributesTag) {
    const int wire_type = rest.front() & 7;
    uint64_t value = 0;
    rest.remove_prefix(1);
    if (!GetVarint(&rest, &value)) return false;
    if (wire_type == 2) {
      if (value > rest.size()) return false;
      rest.remove_prefix(value);
    } else if (wire_type != 0) {
      return false;
    }
  }
  *offset = wire.size() - rest.size();
  return true;
}

}  // namespace

absl::Status BulkEntities::AddReport(relations::v1::Entity entity, const ImportPosition& position) {
  if (!std::equal(entity.visible_by().begin(), entity.visible_by().end(), groups_.begin(),
                  groups_.end())) {
    groups_.assign(entity.visible_by().begin(), entity.visible_by().end());
  }
  RETURN_IF_ERROR(CheckEntity(entity, groups_));
  const absl::Time last_seen = TimeOf(entity.last_seen());
  if (!IsTimestamp(last_seen)) {
    return absl::InvalidArgumentError(absl::StrCat(entity.id(), ": lastSeen is out of range"));
  }
  key_ = entity.id();
  key_ += '\0';
  PutU64(arrivals_++, key_);
  const size_t id_bytes = entity.id().size();
  entity.clear_id();
  entity.clear_visible_by();
  const std::string wire = SerializeEntity(entity);
  if (id_bytes + wire.size() + kRecordHeadBytesMax > limits::kEntityRecordBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the entity's record is larger than ",
                                                   limits::kEntityRecordBytesMax, " bytes"));
  }
  size_t offset = 0;
  if (!AttributesOffset(wire, &offset)) {
    return absl::InternalError("import: a serialised entity does not parse");
  }
  report_.clear();
  positions_->Put(position, report_);
  PutBulkTime(InstantOf(last_seen), report_);
  PutVarint(group_sets_.NumberOf(groups_), report_);
  PutVarint(offset, report_);
  report_ += wire;
  return sorter_.Add(key_, report_);
}

absl::Status BulkEntities::AddMention(absl::string_view id) {
  key_.assign(id.data(), id.size());
  key_ += '\0';
  PutU64(kNamedOnly, key_);
  return sorter_.Add(key_, {});
}

}  // namespace relations
