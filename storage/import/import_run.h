// One running import: what the readers tell it goes to the sink and into the totals.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/import/import_sink.h"
#include "storage/import/importer.h"

namespace relations {

// Not thread-safe. Every status of this class that is not OK ends the import.
class ImportRun {
 public:
  // Keeps references: both outlive the run.
  ImportRun(const ImportOptions& options, ImportSink& sink) : options_(options), sink_(sink) {}
  ImportRun(const ImportRun&) = delete;
  ImportRun& operator=(const ImportRun&) = delete;

  const ImportOptions& options() const { return options_; }
  ImportTotals& totals() { return totals_; }

  absl::Status Entity(relations::v1::Entity entity, const ImportPosition& position) {
    return sink_.OnEntity(std::move(entity), position);
  }
  absl::Status Relation(ImportedRelation relation, const ImportPosition& position) {
    return sink_.OnRelation(std::move(relation), position);
  }
  // Something that should have been imported and cannot be: an error when the import is strict.
  absl::Status Reject(const ImportPosition& position, absl::string_view reason);
  // Something that is not mapped. `kind` may hold text of the input: it is cut and made printable.
  void Skip(absl::string_view kind);
  void Dangling();

 private:
  const ImportOptions& options_;
  ImportSink& sink_;
  ImportTotals totals_;
};

// "FILE:LINE: ", "FILE: WHERE: " or "FILE: ", for messages.
std::string PositionText(const ImportPosition& position);

}  // namespace relations
