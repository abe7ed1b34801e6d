#include "storage/rocks/bulk_records.h"

#include <random>

#include "storage/varint.h"

namespace relations {
namespace {

// Seconds between 0001-01-01T00:00:00Z and the Unix epoch.
constexpr int64_t kUnixEpochSeconds = 62'135'596'800;

uint64_t RandomWord() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

FingerprintMaker::FingerprintMaker() : first_key_(RandomWord()), second_key_(RandomWord()) {}

BulkTime BulkTimeOf(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  return {static_cast<uint64_t>(seconds + kUnixEpochSeconds),
          static_cast<uint32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds)))};
}

absl::Time TimeOf(const BulkTime& time) {
  return absl::FromUnixSeconds(static_cast<int64_t>(time.seconds) - kUnixEpochSeconds) +
         absl::Nanoseconds(time.nanoseconds);
}

// The lowest bit of the first number says whether nanoseconds follow.
void PutBulkTime(const BulkTime& time, std::string& out) {
  PutVarint(time.seconds << 1 | (time.nanoseconds != 0 ? 1 : 0), out);
  if (time.nanoseconds != 0) PutVarint(time.nanoseconds, out);
}

bool GetBulkTime(absl::string_view* input, BulkTime* time) {
  uint64_t seconds = 0;
  uint64_t nanoseconds = 0;
  if (!GetVarint(input, &seconds)) return false;
  if ((seconds & 1) != 0 && !GetVarint(input, &nanoseconds)) return false;
  *time = {seconds >> 1, static_cast<uint32_t>(nanoseconds)};
  return true;
}

void PutBulkNode(NodeId node, std::string& out) {
  const auto number = static_cast<uint64_t>(node);
  for (int shift = 32; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

NodeId BulkNodeAt(const char* bytes) {
  uint64_t number = 0;
  for (int i = 0; i < 5; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
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
