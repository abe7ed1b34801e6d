// A ring of entities that is re-ordered again and again, each time in one request that removes
// relations and puts others. Whoever looks at a store at one moment sees one ring of all its
// entities: never two, never a gap.
#pragma once

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/mutations.h"
#include "storage/traversal.h"

namespace relations {

class TurningRing {
 public:
  // Half of it is within the deepest walk, in both directions.
  static constexpr int kLength = 10;

  explicit TurningRing(uint64_t seed);

  // The id of one of its entities, 0 to kLength - 1.
  static std::string Id(int number);

  // The request that makes it, and the one for the next order.
  Mutations First() const;
  Mutations Next();

  // Whether the answer to a question of five levels about one of the entities is one whole ring.
  static bool IsWhole(const ExpandedGraph& graph);

 private:
  std::set<std::pair<std::string, std::string>> Edges() const;

  std::mt19937_64 random_;
  std::vector<std::string> order_;
};

}  // namespace relations
