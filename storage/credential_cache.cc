#include "storage/credential_cache.h"

#include <utility>

namespace relations {

CredentialCache::Record CredentialCache::Find(absl::string_view key, uint64_t sequence) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sequence != sequence_) return nullptr;
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : found->second;
}

void CredentialCache::Insert(absl::string_view key, Record record, uint64_t sequence) {
  const size_t bytes = key.size() + record->ByteSizeLong();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sequence < sequence_ || bytes > kBytesMax) return;
  if (sequence > sequence_ || bytes_ + bytes > kBytesMax) {
    records_.clear();
    bytes_ = 0;
    sequence_ = sequence;
  }
  if (records_.emplace(key, std::move(record)).second) bytes_ += bytes;
}

}  // namespace relations
