// What the credential store read lately, by the key of the record, so that a caller who comes again
// costs a hash look-up and not a read of the store and a record taken apart.
//
// Exactness: once Forget has returned, nobody finds what was read before it, nor does anybody put
// it back: who reads takes a ticket before the read, and Insert refuses a ticket from before a
// Forget.
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
  using Ticket = uint64_t;

  // Of the records held, as they are stored: tens of thousands of the usual size. When they would
  // be more, all are forgotten and read anew.
  static constexpr size_t kBytesMax = 8 << 20;

  // The record under `key`, or null.
  Record Find(absl::string_view key) const;

  // To be taken before the record is read.
  Ticket TakeTicket() const;
  void Insert(absl::string_view key, Record record, Ticket ticket);

  // To be called after a record has changed.
  void Forget();

 private:
  void Clear();

  mutable std::mutex mutex_;
  // State below is guarded by mutex_.
  absl::flat_hash_map<std::string, Record> records_;
  size_t bytes_ = 0;
  Ticket ticket_ = 0;
};

}  // namespace relations
