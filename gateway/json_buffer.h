// The bytes of a JSON text under construction: one block of memory, written through a bare pointer.
// Space is asked for once for a value, not for each of its bytes.
//
//   JsonBuffer json(4096);
//   json.Raw("{\"id\":");
//   if (!AppendString(id, json)) ...
//   Send(json.view());
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace relations::gateway {

class JsonBuffer {
 public:
  // Room that Reserve gives beyond what is asked for, so that short copies may be of fixed size.
  static constexpr size_t kSlack = 32;

  explicit JsonBuffer(size_t capacity) : bytes_(capacity + kSlack, '\0') {}

  // A place to write at most `bytes` (and kSlack more, which count for nothing); Advance tells how
  // many were written. Valid until the next call of a member that is not const.
  char* Reserve(size_t bytes) {
    if (bytes_.size() - size_ < bytes + kSlack) Grow(bytes);
    return bytes_.data() + size_;
  }
  void Advance(const char* end) { size_ = static_cast<size_t>(end - bytes_.data()); }

  void Raw(absl::string_view text) {
    char* const place = Reserve(text.size());
    std::memcpy(place, text.data(), text.size());
    size_ += text.size();
  }
  void Raw(char c) {
    *Reserve(1) = c;
    ++size_;
  }

  // REQUIRES: place < size().
  void Replace(size_t place, char c) { bytes_[place] = c; }

  size_t size() const { return size_; }
  size_t capacity() const { return bytes_.size(); }
  absl::string_view view() const { return {bytes_.data(), size_}; }
  // Forgets what was written from `size` on. REQUIRES: size <= size().
  void Truncate(size_t size) { size_ = size; }

 private:
  void Grow(size_t bytes) { bytes_.resize(std::max(bytes_.size() * 2, size_ + bytes + kSlack)); }

  // All of it is written over; the first size_ bytes are the text.
  std::string bytes_;
  size_t size_ = 0;
};

}  // namespace relations::gateway
