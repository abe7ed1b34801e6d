// Writes what it is given as JSON Lines, the import format of relationsctl.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/import/import_sink.h"

namespace relations::bench {

// Made for made-up graphs, where speed counts: text is written as it is, so it must need no
// escaping in JSON, numbers must be whole, times whole seconds. Not thread-safe.
class JsonLinesSink final : public ImportSink {
 public:
  // `file` is not owned and must outlive this.
  explicit JsonLinesSink(std::FILE* file) : file_(file) {}

  absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition& position) override;
  absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) override;
  absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) override;
  void OnSkipped(absl::string_view) override {}

  // Writes what is left. Call once, at the end.
  absl::Status Finish();

  uint64_t bytes() const { return bytes_; }

 private:
  absl::Status EndLine();
  absl::Status WriteOut();

  std::FILE* const file_;
  std::string buffer_;
  uint64_t bytes_ = 0;
};

}  // namespace relations::bench
