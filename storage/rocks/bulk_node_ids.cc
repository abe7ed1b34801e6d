#include "storage/rocks/bulk_node_ids.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/entity_wire.h"
#include "storage/rocks/key_format.h"

namespace relations {
namespace {

// Half a stride of the longest usual ids.
constexpr size_t kReadBufferBytes = 4 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<BulkNodeIds>> BulkNodeIds::Create(const RocksDatabase* database,
                                                                 const ScratchDirectory* scratch,
                                                                 NodeId first_new) {
  ASSIGN_OR_RETURN(std::unique_ptr<ScratchFile> file, scratch->NewFile());
  return std::unique_ptr<BulkNodeIds>(new BulkNodeIds(database, std::move(file), first_new));
}

absl::Status BulkNodeIds::Add(absl::string_view id) {
  if (count_++ % kStride == 0) offsets_.push_back(file_->size());
  return file_->AppendFrame(id);
}

absl::StatusOr<std::string> BulkNodeIds::IdOf(NodeId node) const {
  if (!IsNew(node)) {
    ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                     database_->Get(Family::kEntities, NodeKey(node)));
    if (!stored.has_value()) {
      return absl::DataLossError(
          absl::StrCat("node ", static_cast<uint64_t>(node), " has no entity"));
    }
    ASSIGN_OR_RETURN(const EntityRecord record, DecodeEntityRecord(*stored));
    ASSIGN_OR_RETURN(const EntityHead head, ReadEntityHead(record.wire));
    return std::string(head.id);
  }
  const uint64_t index = static_cast<uint64_t>(node) - static_cast<uint64_t>(first_new_);
  if (index >= count_) return absl::InternalError("import: the id of an unknown node is asked");
  ScratchReader reader(file_.get(), offsets_[index / kStride], file_->size(), kReadBufferBytes);
  absl::string_view id;
  for (uint64_t i = index / kStride * kStride; i <= index; ++i) {
    ASSIGN_OR_RETURN(const bool found, reader.Next(&id));
    if (!found) return absl::DataLossError("import: a scratch file is damaged");
  }
  return std::string(id);
}

}  // namespace relations
