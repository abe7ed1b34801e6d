// Sorts any number of records by their keys' bytes within a budget of memory: full chunks are
// sorted and written to scratch as runs, the runs are merged while they are read.
//
//   RETURN_IF_ERROR(sorter.Add(key, payload));  ...
//   RETURN_IF_ERROR(sorter.Finish());
//   while (true) {
//     ASSIGN_OR_RETURN(const bool more, sorter.Next());
//     if (!more) break;
//     Use(sorter.key(), sorter.payload());
//   }
//
// In a run, a record is a frame:  u8 bytes shared with the key before | varint rest's length | rest
// of the key | payload. Keys have at most 250 bytes. Records of equal keys come in no particular
// order, unless they are said to be the same: then one of them comes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/rocks/background_worker.h"
#include "storage/rocks/bulk_scratch.h"

namespace relations {

// Not thread-safe.
class BulkSorter {
 public:
  enum class EqualKeys { kKeepAll, kKeepOne };

  // `scratch` and `worker` are not owned and must outlive the sorter. `worker` sorts and writes the
  // runs meanwhile; null: the caller's thread does.
  BulkSorter(const ScratchDirectory* scratch, BackgroundWorker* worker, size_t memory_bytes,
             EqualKeys equal_keys = EqualKeys::kKeepAll);
  ~BulkSorter();

  absl::Status Add(absl::string_view key, absl::string_view payload);
  absl::Status Finish();

  // The next record in the order of keys; false at the end. The views are valid until the next
  // call.
  absl::StatusOr<bool> Next();
  absl::string_view key() const { return key_; }
  absl::string_view payload() const { return payload_; }

  // Runs that were written, for tests.
  size_t runs() const { return runs_.size(); }

 private:
  class Chunk;
  class RunReader;
  // A part of a scratch file.
  struct Run {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  size_t chunk_bytes() const { return memory_bytes_ / 3; }
  absl::Status Seal();
  absl::Status WriteRun(Chunk& chunk);
  absl::Status OpenReaders(size_t first, size_t count);
  absl::StatusOr<bool> NextOfRuns();
  // Restores the heap's order after the record of its top changed.
  void SiftDown(size_t at);
  // Merges runs until few enough are left to be read together.
  absl::Status MergeRuns();

  const ScratchDirectory* const scratch_;
  BackgroundWorker* const worker_;
  const size_t memory_bytes_;
  const EqualKeys equal_keys_;
  std::unique_ptr<Chunk> chunk_;
  // Written by the worker until Finish has waited for it.
  std::unique_ptr<ScratchFile> file_;
  std::vector<Run> runs_;

  // While reading: either the one chunk that was never written, or a heap of runs, least key on
  // top.
  size_t next_of_chunk_ = 0;
  std::vector<std::unique_ptr<RunReader>> readers_;
  std::vector<RunReader*> heap_;
  bool top_is_read_ = false;
  std::string last_key_;
  bool has_last_ = false;
  absl::string_view key_;
  absl::string_view payload_;
};

}  // namespace relations
