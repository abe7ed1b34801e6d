// The ids of nodes during a bulk import: of new nodes from scratch, of stored ones from the store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/graph_types.h"
#include "storage/rocks/bulk_scratch.h"
#include "storage/rocks/database.h"

namespace relations {

// Not thread-safe.
class BulkNodeIds {
 public:
  // New nodes are those from `first_new` on. `database` is not owned and must outlive this.
  static absl::StatusOr<std::unique_ptr<BulkNodeIds>> Create(const RocksDatabase* database,
                                                             const ScratchDirectory* scratch,
                                                             NodeId first_new);

  // Adds the id of the next new node.
  absl::Status Add(absl::string_view id);
  // To be called before IdOf.
  absl::Status Flush() { return file_->Flush(); }

  bool IsNew(NodeId node) const { return node >= first_new_; }
  NodeId first_new() const { return first_new_; }
  absl::StatusOr<std::string> IdOf(NodeId node) const;

 private:
  // One offset is held for so many ids.
  static constexpr uint64_t kStride = 64;

  BulkNodeIds(const RocksDatabase* database, std::unique_ptr<ScratchFile> file, NodeId first_new)
      : database_(database), file_(std::move(file)), first_new_(first_new) {}

  const RocksDatabase* const database_;
  // Frames, in the order of nodes.
  const std::unique_ptr<ScratchFile> file_;
  const NodeId first_new_;
  uint64_t count_ = 0;
  std::vector<uint64_t> offsets_;
};

}  // namespace relations
