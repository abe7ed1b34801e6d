// A made-up graph with the shape of a real one: a few percent of the entities (malware families,
// autonomous systems, ...) hold most relations, degrees follow Zipf's law, some entities and
// relations belong to tenants alone. A function of its parameters: the same on every machine, made
// in any order, in memory that does not grow with the relations.
//
//   entities    0 .. hubs - 1             hubs, each with exactly its relations
//               hubs .. + generals - 1    generals: seen by everybody and every tenant
//               the rest                  indicators: public, or of one or two tenants
//   relations   first those of the hubs, then those drawn: from an entity drawn evenly to one drawn
//               by Zipf's law. A drawn relation may repeat an earlier one, so that a store holds a
//               little fewer; those of hubs never do.
//
// A relation is visible to what both of its ends share, or to a part of it. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "relations/v1/relations.pb.h"
#include "storage/import/import_sink.h"
#include "tests/bench/draw.h"
#include "tests/bench/synthetic_values.h"

namespace relations::bench {

struct GraphParams {
  uint64_t entities = 1'000'000;
  // Besides those of the hubs.
  uint64_t relations = 10'000'000;
  uint64_t seed = 1;
  // The number of relations of each hub.
  std::vector<uint64_t> hubs;
  // Tenants: groups "g1", "g2", ...
  uint32_t groups = 8;
  // Share of entities (and of relations where both ends are seen by everybody) that tenants alone
  // see.
  double private_share = 0.2;
  // Zipf's exponent of the drawn ends, below 1.
  double skew = 0.9;
};

// An entity can name this many groups in all (limits::kVisibleByMax), "public" among them.
inline constexpr uint32_t kTenantsMax = 31;

class SyntheticGraph {
 public:
  // INVALID_ARGUMENT: parameters that no graph can have. Takes a microsecond an entity: the ids'
  // hashes are kept, 32 bytes each, up to kHashesKeptMax entities; with more each id is worked out
  // when asked.
  static absl::StatusOr<std::unique_ptr<SyntheticGraph>> Create(GraphParams params);

  static constexpr uint64_t kHashesKeptMax = 32'000'000;

  uint64_t entity_count() const { return params_.entities; }
  uint64_t relation_count() const { return hub_relations_ + params_.relations; }

  std::string IdOf(uint64_t entity) const;
  relations::v1::Entity Entity(uint64_t entity) const;
  ImportedRelation Relation(uint64_t relation) const;

  // An entity by Zipf's law, for `share` from 0 to 1: what callers ask for most.
  uint64_t PopularEntity(double share) const;

  // Gives all entities, in an order that has nothing to do with their place in the graph, then all
  // relations.
  absl::Status Feed(ImportSink& sink) const;

 private:
  using Hash = std::array<char, 32>;
  // Bit 0 is "public", bit n tenant n.
  using Groups = uint32_t;

  explicit SyntheticGraph(GraphParams params);

  uint64_t hubs() const { return params_.hubs.size(); }
  EntityRole RoleOf(uint64_t entity) const;
  absl::string_view TypeOf(uint64_t entity) const;
  Groups GroupsOf(uint64_t entity) const;
  GroupSet NamesOf(Groups groups) const;
  void DrawEnds(Draw& draw, uint64_t* source, uint64_t* target) const;
  void HubEnds(uint64_t relation, uint64_t* source, uint64_t* target) const;

  const GraphParams params_;
  const uint64_t generals_;
  const ZipfRank ranks_;
  const Scatter order_;
  std::vector<Scatter> hub_orders_;
  uint64_t hub_relations_ = 0;
  std::vector<Hash> hashes_;
};

}  // namespace relations::bench
