// What was found out about credentials lately: a bounded table from a credential's digest to a
// verdict that counts for a stretch of time. When it is full, the entry that was used longest ago
// goes.
//
// Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace relations {

using CredentialDigest = std::array<uint8_t, 32>;

template <typename Value>
class VerdictCache {
 public:
  explicit VerdictCache(size_t entries_max) : entries_max_(entries_max) {}

  // What was put under the digest, when `now` is within its time; else null. Lives until the next
  // call of Put.
  const Value* Find(const CredentialDigest& digest, absl::Time now) {
    const auto found = index_.find(digest);
    if (found == index_.end()) return nullptr;
    const auto entry = found->second;
    // A clock that was set back makes no entry live longer.
    if (now < entry->from || now >= entry->until) {
      entries_.erase(entry);
      index_.erase(found);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return &entry->value;
  }

  // Counts from `from` until just before `until`.
  void Put(const CredentialDigest& digest, Value value, absl::Time from, absl::Time until) {
    Remove(digest);
    entries_.push_front({digest, std::move(value), from, until});
    index_[digest] = entries_.begin();
    if (entries_.size() > entries_max_) Remove(CredentialDigest(entries_.back().digest));
  }

  void Remove(const CredentialDigest& digest) {
    const auto found = index_.find(digest);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    CredentialDigest digest;
    Value value;
    absl::Time from;
    absl::Time until;
  };

  const size_t entries_max_;
  // The one used last comes first.
  std::list<Entry> entries_;
  absl::flat_hash_map<CredentialDigest, typename std::list<Entry>::iterator> index_;
};

}  // namespace relations
