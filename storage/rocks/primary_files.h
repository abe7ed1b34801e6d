// What the files of a database tell of its state, looked at from outside while another process
// writes it.
//
// Reading a database takes time, and its writer may change files meanwhile. RocksDB passes over
// that without a word: a log that is gone before it was opened is taken as empty, a table that is
// gone leaves its family at an older state than the others. So whoever reads looks twice:
//
//   before = LookAtPrimary(); read; after = LookAtPrimary(); IsOneMoment(before, after)?
//
// Every flush, compaction and import appends to the MANIFEST (or starts another one) before a file
// that it replaces is removed. Where the MANIFEST has not changed, all tables that it names were
// there; where no log has gone either, every log that the MANIFEST leaves to be read was read. What
// was read is then the state that the writer itself would recover: a whole number of its batches.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/env.h"

namespace relations {

struct PrimaryFiles {
  // The MANIFEST that CURRENT names.
  std::string manifest;
  uint64_t manifest_bytes = 0;
  // Bytes of each log file, by number.
  std::map<uint64_t, uint64_t> logs;

  friend bool operator==(const PrimaryFiles& a, const PrimaryFiles& b) {
    return a.manifest == b.manifest && a.manifest_bytes == b.manifest_bytes && a.logs == b.logs;
  }
};

// NOT_FOUND: there is no database, or none yet. UNAVAILABLE: the files changed during the look.
absl::StatusOr<PrimaryFiles> LookAtPrimary(rocksdb::Env& env, const std::string& directory);

// Whether what was read between the two looks is of one moment.
bool IsOneMoment(const PrimaryFiles& before, const PrimaryFiles& after);

}  // namespace relations
