#include "storage/credential_cache.h"

#include <utility>

namespace relations {

CredentialCache::Record CredentialCache::Find(absl::string_view key) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : found->second;
}

CredentialCache::Ticket CredentialCache::TakeTicket() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ticket_;
}

void CredentialCache::Insert(absl::string_view key, Record record, Ticket ticket) {
  const size_t bytes = key.size() + record->ByteSizeLong();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ticket != ticket_ || bytes > kBytesMax) return;
  if (bytes_ + bytes > kBytesMax) Clear();
  if (records_.emplace(key, std::move(record)).second) bytes_ += bytes;
}

void CredentialCache::Forget() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++ticket_;
  Clear();
}

void CredentialCache::Clear() {
  records_.clear();
  bytes_ = 0;
}

}  // namespace relations
