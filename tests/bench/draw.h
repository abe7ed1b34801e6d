// Random draws that are functions of what is drawn: the same seed, stream and index give the same
// number whatever was drawn before, so a graph needs no memory and can be made from any place.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>

namespace relations::bench {

// splitmix64: a bijection of 64-bit numbers whose values look random.
inline uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

// The draws about one thing (an entity, a relation), one after the other.
class Draw {
 public:
  Draw(uint64_t seed, uint64_t stream, uint64_t index)
      : state_(Mix(Mix(seed ^ Mix(stream)) ^ index)) {}

  uint64_t Next() { return state_ = Mix(state_); }
  // 0 to count - 1, each equally likely. REQUIRES: 0 < count < 2^32.
  uint64_t Below(uint64_t count) { return (Next() >> 32) * count >> 32; }
  // 0 inclusive to 1 exclusive.
  double Share() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double share) { return Share() < share; }

 private:
  uint64_t state_;
};

// Ranks 0 to count - 1, rank r about (r + 1)^-exponent as likely as rank 0; 0 <= exponent < 1.
class ZipfRank {
 public:
  ZipfRank(uint64_t count, double exponent)
      : count_(count),
        power_(1 / (1 - exponent)),
        range_(std::pow(static_cast<double>(count) + 1, 1 - exponent) - 1) {}

  uint64_t Of(double share) const {
    const auto rank = static_cast<uint64_t>(std::pow(1 + share * range_, power_) - 1);
    return rank < count_ ? rank : count_ - 1;
  }

 private:
  uint64_t count_;
  double power_;
  double range_;
};

// A permutation of 0 to count - 1 that scatters neighbours: steps of about the golden section, made
// coprime to the count. REQUIRES: 0 < count < 2^32.
class Scatter {
 public:
  Scatter(uint64_t count, uint64_t seed)
      : count_(count),
        step_((static_cast<uint64_t>(static_cast<double>(count) * 0.6180339887) +
               Mix(seed) % (count / 8 + 1)) |
              1),
        offset_(Mix(seed + 1) % count) {
    while (std::gcd(step_, count_) != 1) step_ += 2;
  }

  uint64_t At(uint64_t position) const { return (position * step_ + offset_) % count_; }

 private:
  uint64_t count_;
  uint64_t step_;
  uint64_t offset_;
};

}  // namespace relations::bench
