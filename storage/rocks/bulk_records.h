// The small pieces that the records of a bulk import are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/graph_types.h"
#include "storage/import/import_sink.h"

namespace relations {

// 128 bits of hash stand for an entity's id while relations wait for their ends. The keys are
// random for each import, so nobody can choose ids that collide.
struct Fingerprint {
  uint64_t first = 0;
  uint64_t second = 0;

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

class FingerprintMaker {
 public:
  FingerprintMaker();
  // Never all zeros.
  Fingerprint operator()(absl::string_view id) const {
    return {absl::HashOf(first_key_, id) | 1, absl::HashOf(second_key_, id)};
  }

 private:
  uint64_t first_key_;
  uint64_t second_key_;
};

// An instant as numbers that order as time: cheaper than absl::Time where there are millions.
struct BulkTime {
  // Since 0001-01-01T00:00:00Z.
  uint64_t seconds = 0;
  uint32_t nanoseconds = 0;

  friend auto operator<=>(const BulkTime&, const BulkTime&) = default;
};
// REQUIRES: IsTimestamp(time).
BulkTime BulkTimeOf(absl::Time time);
absl::Time TimeOf(const BulkTime& time);
void PutBulkTime(const BulkTime& time, std::string& out);
bool GetBulkTime(absl::string_view* input, BulkTime* time);

// Node numbers in sorted records: 5 bytes, big-endian.
inline constexpr uint64_t kBulkNodesMax = uint64_t{1} << 40;
void PutBulkNode(NodeId node, std::string& out);
// REQUIRES: 5 bytes at `bytes`.
NodeId BulkNodeAt(const char* bytes);

// Numbers for values that come again and again, in order of first sight.
template <typename Value>
class Numbering {
 public:
  uint32_t NumberOf(const Value& value) {
    // Neighbouring records mostly agree.
    if (last_ < values_.size() && values_[last_] == value) return last_;
    const auto [place, is_new] = numbers_.emplace(value, static_cast<uint32_t>(values_.size()));
    if (is_new) values_.push_back(value);
    return last_ = place->second;
  }
  const Value& value(uint32_t number) const { return values_[number]; }
  size_t size() const { return values_.size(); }

 private:
  std::vector<Value> values_;
  absl::flat_hash_map<Value, uint32_t> numbers_;
  uint32_t last_ = 0;
};

// Positions in the input, as bytes. Files are few: each is held once and named by its number.
class PositionCoder {
 public:
  void Put(const ImportPosition& position, std::string& out);
  bool Get(absl::string_view* input, ImportPosition* position) const;

 private:
  Numbering<std::string> files_;
};

}  // namespace relations
