// All STIX objects of one import: one set, whatever files they came in (S1), in which the versions
// of each id are chosen (S2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "storage/import/import_run.h"
#include "storage/import/json_document.h"
#include "storage/import/stix_object.h"

namespace relations {

struct StixEntry {
  StixObject object;
  std::string file;
  // Place in its document, from 1, for objects without an id.
  uint64_t number = 0;
};

// By pointer: they are sorted, and large.
using StixEntries = std::vector<std::unique_ptr<StixEntry>>;

// Where `entry` stands, for messages.
ImportPosition PositionOf(const StixEntry& entry);

// Not thread-safe. What it emits does not depend on the order in which objects were added.
class StixSet {
 public:
  // Adds the objects of a document: a bundle, an envelope, an array or one object. What is no
  // object is rejected to `run`. RESOURCE_EXHAUSTED beyond limits::kImportStixObjectsMax objects.
  absl::Status AddDocument(const JsonElement& root, const std::string& file, ImportRun& run);

  // Gives the graph of all objects that count to `run`, with what they reject and skip. The set is
  // empty afterwards.
  absl::Status Emit(ImportRun& run);

 private:
  absl::Status AddElement(const JsonElement& element, const std::string& file, uint64_t number,
                          ImportRun& run);
  void AddVersion(std::unique_ptr<StixEntry> entry);

  // By id, the versions with the latest time.
  absl::flat_hash_map<std::string, StixEntries> versions_;
  StixEntries without_id_;
  size_t objects_ = 0;
};

}  // namespace relations
