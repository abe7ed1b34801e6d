// Import: intelligence files in, entities and relations out to a sink. The rules from files to
// graph are those of storage/import/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/graph_types.h"
#include "storage/import/import_sink.h"

namespace relations {

enum class ImportFormat {
  // Each file is what its content says it is.
  kAuto,
  kJsonLines,
  kStix,
  kMisp,
};

// Parses "auto", "jsonl", "stix" or "misp" into `*format`; false, and it untouched, for others.
bool ParseImportFormat(absl::string_view name, ImportFormat* format);

struct ImportOptions {
  ImportFormat format = ImportFormat::kAuto;
  // Of the entities that STIX and MISP make, and of JSON Lines entities that name none.
  GroupSet visible_by = {"public"};
  // The first rejection ends the import.
  bool strict = false;
  // The time of entities of which the input tells none; must be set. The importers read no clock.
  absl::Time now = absl::InfinitePast();
};

struct ImportTotals {
  // Inputs opened; of them, and of all else that failed, how much was rejected.
  uint64_t files = 0;
  uint64_t rejected = 0;
  // Bytes read from the inputs, and what they hold when decompressed.
  uint64_t bytes_read = 0;
  uint64_t bytes = 0;
  // References to ids that the input does not hold; each is a relation that is not there.
  uint64_t dangling = 0;
  // What is not mapped, by kind. Of very many kinds the late ones are counted as "other kinds".
  std::map<std::string, uint64_t> skipped;
};

// Told how far an import is. Called on the thread of the import.
class ImportProgress {
 public:
  virtual ~ImportProgress() = default;
  // `total` is the size of all inputs, or 0 when it is not known (a pipe).
  virtual void OnBytes(uint64_t bytes_read, uint64_t total) = 0;
};

// Imports `paths`: files, directories (their .json .jsonl .ndjson .stix .stix2 .misp files, each
// also with .gz, recursively, in the order of their names) and "-" for standard input, in any mix
// of formats; gzip is told by its content. JSON Lines are read in bounded memory; a STIX or MISP
// document is held whole, and so is what the STIX objects of the call say. `progress` may be null.
//
// What cannot be read or understood is given to `sink` as rejected and the import goes on. Errors:
// NOT_FOUND or INVALID_ARGUMENT before anything is read (a path that is not there, a table, bad
// options); INVALID_ARGUMENT for the first rejection when options.strict; RESOURCE_EXHAUSTED when
// the STIX objects of the call are more than can be held; any status that `sink` returns. What the
// sink was given before an error stays given.
absl::StatusOr<ImportTotals> Import(absl::Span<const std::string> paths,
                                    const ImportOptions& options, ImportSink& sink,
                                    ImportProgress* progress);

}  // namespace relations
