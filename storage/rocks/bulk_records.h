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
#include "storage/instant.h"

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
  // Neither half is 0.
  Fingerprint operator()(absl::string_view id) const {
    return {absl::HashOf(first_key_, id) | 1, absl::HashOf(second_key_, id) | uint64_t{1} << 63};
  }

 private:
  uint64_t first_key_;
  uint64_t second_key_;
};

// A set of half fingerprints that holds at most so many and then takes no more: what it says it
// holds it holds. One access to memory a look-up, which Prefetch can begin.
class FingerprintSet {
 public:
  // Takes at most about `memory_bytes`, also while it grows.
  explicit FingerprintSet(size_t memory_bytes);

  void Prefetch(const Fingerprint& fingerprint) const {
    __builtin_prefetch(&slots_[HomeOf(fingerprint.second)]);
  }
  // True when it was not there, added or not.
  bool Insert(const Fingerprint& fingerprint);
  // Gives the memory back.
  void Clear();

 private:
  size_t HomeOf(uint64_t half) const { return half & (slots_.size() - 1); }
  void Grow();

  const size_t slots_max_;
  // 0 is empty. A power of two, at most 3 of 4 are filled.
  std::vector<uint64_t> slots_;
  size_t count_ = 0;
};

// An instant in sorted records, which holds numbers: cheaper than absl::Time where there are
// millions.
void PutBulkTime(const Instant& time, std::string& out);
bool GetBulkTime(absl::string_view* input, Instant* time);

// Node numbers in sorted records: big-endian.
inline constexpr uint64_t kBulkNodesMax = uint64_t{1} << 40;
inline constexpr size_t kBulkNodeBytes = 5;
void PutBulkNode(NodeId node, std::string& out);
// REQUIRES: kBulkNodeBytes at `bytes`.
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
