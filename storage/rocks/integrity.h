// Verifies every invariant of key_format.h against the bytes of a store: ids and nodes are a
// bijection, every relation stands in both lists exactly once and in order, classes and labels
// exist, counters agree, records parse.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/rocks/database.h"

namespace relations {

struct IntegrityOptions {
  // Findings beyond these are counted, not kept.
  size_t max_findings = 100;
  // Told the name of each step as it starts; may be empty.
  std::function<void(absl::string_view step)> progress;
};

struct IntegrityReport {
  uint64_t entities = 0;
  uint64_t relations = 0;
  uint64_t credentials = 0;
  uint64_t finding_count = 0;
  // One sentence each, with the family and the key.
  std::vector<std::string> findings;

  bool clean() const { return finding_count == 0; }
};

// Reads the whole store once, from one snapshot. A block that RocksDB itself finds damaged is a
// finding as well; a status is returned only when checking could not go on.
absl::StatusOr<IntegrityReport> CheckIntegrity(RocksDatabase& database,
                                               const IntegrityOptions& options = {});

}  // namespace relations
