// What the credential store read lately, by the key of the record, so that a caller who comes again
// costs a hash look-up and not a read of the store and a record taken apart.
//
// Exactness: all that is held was read when the database was at one sequence number, which every
// write moves on. Who asks says at which it is now, and is given nothing that was read at another:
// so a revocation counts at once, whoever wrote it, and so does what a store that follows another
// catches up with.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "relations/store/v1/credential.pb.h"

namespace relations {

class CredentialCache {
 public:
  using Record = std::shared_ptr<const store::v1::CredentialRecord>;

  // Of the records held, as they are stored: tens of thousands of the usual size. When they would
  // be more, all are forgotten and read anew.
  static constexpr size_t kBytesMax = 8 << 20;

  // The record under `key` if it was read at `sequence`, or null.
  Record Find(absl::string_view key, uint64_t sequence) const;

  // `sequence`: of the database before the record was read.
  void Insert(absl::string_view key, Record record, uint64_t sequence);

 private:
  mutable std::mutex mutex_;
  // State below is guarded by mutex_.
  absl::flat_hash_map<std::string, Record> records_;
  size_t bytes_ = 0;
  // At which all of them were read.
  uint64_t sequence_ = 0;
};

}  // namespace relations
