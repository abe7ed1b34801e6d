// Sorted files for one family, written beside the database and taken in by it in one step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/sst_file_writer.h"
#include "storage/rocks/database.h"

namespace relations {

// Keys must come in ascending order, each once. Not thread-safe.
class SstOutput {
 public:
  // Files go into `directory`, on the file system of the database, which is not owned.
  SstOutput(const RocksDatabase* database, Family family, std::string directory);
  ~SstOutput();

  absl::Status Put(absl::string_view key, absl::string_view value);
  absl::Status Delete(absl::string_view key);
  // Ends the file; what follows starts another one and may have any keys that no file has.
  absl::Status Finish();

  Family family() const { return family_; }
  const std::vector<std::string>& files() const { return files_; }

 private:
  // Opens a file when none is open, and ends one that is large.
  absl::Status Prepare();

  const RocksDatabase* const database_;
  const Family family_;
  const std::string directory_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  uint64_t bytes_ = 0;
  std::vector<std::string> files_;
};

// Makes all files part of the database, all at once or none; durable when OK returns.
// REQUIRES: each output is finished.
absl::Status IngestOutputs(RocksDatabase& database, absl::Span<SstOutput* const> outputs);

}  // namespace relations
