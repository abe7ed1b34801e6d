// How long a crash test runs and from which seed: `--seed N` and `--seconds N` of its program,
// printed as it starts, so that what failed can be run again.
#pragma once

#include <chrono>
#include <cstdint>

namespace relations {

class CrashRun {
 public:
  // As the program was told; 7 seconds from a fixed seed else.
  CrashRun();

  uint64_t seed() const { return seed_; }
  // In all.
  uint64_t seconds() const { return seconds_; }
  // The seed of a round, which `--seed` with it and `--seconds 0` repeats alone.
  uint64_t SeedOf(uint64_t round) const { return seed_ + round; }
  // True for the first round and for later ones until the time is over.
  bool HasTimeFor(uint64_t round) const;

 private:
  uint64_t seed_ = 0;
  uint64_t seconds_ = 0;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace relations
