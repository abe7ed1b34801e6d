#include "storage/rocks/bulk_records.h"

#include <algorithm>
#include <bit>
#include <random>

#include "storage/varint.h"

namespace relations {
namespace {

uint64_t RandomWord() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

FingerprintMaker::FingerprintMaker() : first_key_(RandomWord()), second_key_(RandomWord()) {}

FingerprintSet::FingerprintSet(size_t memory_bytes)
    // While it grows, the old table stands beside one of twice its size.
    : slots_max_(std::bit_floor(std::max<size_t>(memory_bytes / sizeof(uint64_t) / 3 * 2, 2))),
      slots_(std::min<size_t>(slots_max_, 1024)) {}

bool FingerprintSet::Insert(const Fingerprint& fingerprint) {
  const uint64_t half = fingerprint.second;
  size_t at = HomeOf(half);
  while (slots_[at] != 0) {
    if (slots_[at] == half) return false;
    at = (at + 1) & (slots_.size() - 1);
  }
  if ((count_ + 1) * 4 > slots_.size() * 3) {
    if (slots_.size() >= slots_max_) return true;
    Grow();
    return Insert(fingerprint);
  }
  slots_[at] = half;
  ++count_;
  return true;
}

void FingerprintSet::Clear() {
  slots_ = std::vector<uint64_t>(2);
  count_ = 0;
}

void FingerprintSet::Grow() {
  std::vector<uint64_t> before(slots_.size() * 2);
  before.swap(slots_);
  for (const uint64_t half : before) {
    if (half == 0) continue;
    size_t at = HomeOf(half);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = half;
  }
}

// The lowest bit of the first number says whether nanoseconds follow.
void PutBulkTime(const Instant& time, std::string& out) {
  PutVarint(time.seconds << 1 | (time.nanoseconds != 0 ? 1 : 0), out);
  if (time.nanoseconds != 0) PutVarint(time.nanoseconds, out);
}

bool GetBulkTime(absl::string_view* input, Instant* time) {
  uint64_t seconds = 0;
  uint64_t nanoseconds = 0;
  if (!GetVarint(input, &seconds)) return false;
  if ((seconds & 1) != 0 && !GetVarint(input, &nanoseconds)) return false;
  *time = {seconds >> 1, static_cast<uint32_t>(nanoseconds)};
  return true;
}

void PutBulkNode(NodeId node, std::string& out) {
  char bytes[kBulkNodeBytes];
  for (size_t i = 0; i < kBulkNodeBytes; ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(node) >> (8 * (kBulkNodeBytes - 1 - i)));
  }
  out.append(bytes, sizeof bytes);
}

NodeId BulkNodeAt(const char* bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < kBulkNodeBytes; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return NodeId{number};
}

void PositionCoder::Put(const ImportPosition& position, std::string& out) {
  PutVarint(files_.NumberOf(position.file), out);
  PutVarint(position.line, out);
  PutVarint(position.where.size(), out);
  out += position.where;
}

bool PositionCoder::Get(absl::string_view* input, ImportPosition* position) const {
  uint64_t file = 0;
  uint64_t length = 0;
  if (!GetVarint(input, &file) || file >= files_.size() || !GetVarint(input, &position->line) ||
      !GetVarint(input, &length) || length > input->size()) {
    return false;
  }
  position->file = files_.value(static_cast<uint32_t>(file));
  position->where.assign(input->data(), length);
  input->remove_prefix(length);
  return true;
}

}  // namespace relations
