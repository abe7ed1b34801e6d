// A random history of requests to a store, the same for the same seed: entities and relations put,
// reported, narrowed and deleted, in few ids so that they meet, some of them to be refused.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "storage/mutations.h"

namespace relations {

class SeededWorkload {
 public:
  explicit SeededWorkload(uint64_t seed) : random_(seed) {}

  // The next request. Each also sets the entity `clock-0` anew: what a store holds after different
  // requests that it took differs.
  Mutations Next();

  // One of the ids that requests are about.
  std::string AnyId();
  GroupSet AnyGroups();

 private:
  // Less than `bound`.
  uint64_t Draw(uint64_t bound) { return random_() % bound; }
  void AddPart(Mutations& request);

  std::mt19937_64 random_;
  int step_ = 0;
};

}  // namespace relations
