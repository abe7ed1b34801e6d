// Two properties of the walk, on random graphs with random visibility:
//   1. its answer is the reference's answer, over the RocksDB store and over the model;
//   2. non-interference: adding, changing or removing what the caller may not see leaves every byte
//   of
//      the answer as it is.
// The seed is printed by RapidCheck when a case fails; RC_PARAMS="seed=..." repeats it.
#include <rapidcheck.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/rocks/database.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/traversal.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/reference_walk.h"

namespace relations {
namespace {

struct RandomGraph {
  std::vector<v1::Entity> entities;
  std::vector<PutRelation> relations;
};

GroupSet RandomGroups() {
  static const std::vector<std::string> kGroups = {"g1", "g2", "g3", "g4", "g5", "public"};
  GroupSet groups;
  const int count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count; ++i) groups.push_back(*rc::gen::elementOf(kGroups));
  return CanonicalGroups(groups);
}

std::string EntityName(int number) {
  static const std::vector<std::string> kTypes = {"ip", "domain", "url", "malware"};
  return kTypes[static_cast<size_t>(number) % kTypes.size()] + "-" + std::to_string(number);
}

RandomGraph MakeGraph() {
  RandomGraph graph;
  const int size = *rc::gen::inRange(1, 60);
  // Mostly public entities make connected graphs; a few private ones make holes.
  for (int i = 0; i < size; ++i) {
    const bool open = *rc::gen::weightedElement<bool>({{3, true}, {1, false}});
    graph.entities.push_back(
        TestEntity(EntityName(i), open ? GroupSet{"g1", "public"} : RandomGroups()));
  }
  const int relations = size == 1 ? 0 : *rc::gen::inRange(0, 4 * size);
  const bool hub = *rc::gen::arbitrary<bool>();
  std::set<ModelGraph::RelationKey> known;
  for (int i = 0; i < relations; ++i) {
    const int source = hub && i % 2 == 0 ? 0 : *rc::gen::inRange(0, size);
    const int target = *rc::gen::inRange(0, size);
    if (source == target) continue;
    const bool open = *rc::gen::weightedElement<bool>({{3, true}, {1, false}});
    PutRelation relation =
        TestRelation(EntityName(source), EntityName(target), *rc::gen::inRange(0, 6),
                     open ? GroupSet{"g1", "public"} : RandomGroups(),
                     *rc::gen::element(std::string("uses"), std::string("related-to")));
    if (*rc::gen::inRange(0, 5) == 0) relation.mode = RelationMode::kAggregation;
    if (*rc::gen::inRange(0, 2) == 0) std::swap(relation.source, relation.target);
    // Each relation once: said again with other visibility it would be replaced, not hidden.
    if (known.emplace(relation.source, relation.target, relation.type, relation.mode).second) {
      graph.relations.push_back(std::move(relation));
    }
  }
  return graph;
}

ReferenceQuestion MakeQuestion(const RandomGraph& graph) {
  static const std::vector<GroupSet> kCallers = {
      {"public"}, {"g1"}, {"g2", "g3"}, {"g1", "g2", "g3", "g4", "g5", "public"}, {"g9"}};
  ReferenceQuestion question;
  question.root = *rc::gen::inRange(0, 20) == 0
                      ? "ip-99999"
                      : EntityName(*rc::gen::inRange(0, static_cast<int>(graph.entities.size())));
  question.limit = *rc::gen::weightedOneOf<int>(
      {{3, rc::gen::inRange(1, 20)}, {1, rc::gen::element(1, 50, 100)}});
  question.levels = *rc::gen::inRange(1, 6);
  if (*rc::gen::inRange(0, 4) == 0) question.types = {"ip", "url"};
  question.groups = *rc::gen::elementOf(kCallers);
  return question;
}

// A fresh RocksDB store for one case, on a file system in memory: syncing hundreds of stores to a
// disk would take minutes and prove nothing here. Its node cache holds nothing, something, or all.
class RocksCase {
 public:
  RocksCase() : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) {
    const auto cache_bytes = *rc::gen::element<uint64_t>(0, 200 << 10, 64 << 20);
    database_ = *RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env_.get()});
    store_ = *RocksGraphStore::Open(database_.get(), {cache_bytes});
  }
  GraphStore& store() { return *store_; }

  // The same whether it is asked for the first time or again.
  std::string Answer(const ReferenceQuestion& question) {
    const std::string answer = ExpandToText(*store_, question);
    RC_ASSERT(ExpandToText(*store_, question) == answer);
    return answer;
  }

 private:
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> store_;
};

void Fill(const RandomGraph& graph, size_t batch, GraphStore& store) {
  Mutations entities;
  for (const v1::Entity& entity : graph.entities) entities.entities.push_back({entity});
  RC_ASSERT(store.Apply(entities).ok());
  for (size_t begin = 0; begin < graph.relations.size(); begin += batch) {
    Mutations relations;
    for (size_t i = begin; i < std::min(graph.relations.size(), begin + batch); ++i) {
      relations.relations.push_back(graph.relations[i]);
    }
    RC_ASSERT(store.Apply(relations).ok());
  }
}

TEST_CASE("the walk answers as the reference does, over the model") {
  CHECK(rc::check([] {
    const RandomGraph graph = MakeGraph();
    ModelGraph model;
    Fill(graph, 1000, model);
    for (int i = 0; i < 5; ++i) {
      const ReferenceQuestion question = MakeQuestion(graph);
      RC_ASSERT(ExpandToText(model, question) == ToText(ReferenceWalk(model.state(), question)));
    }
  }));
}

TEST_CASE("the walk answers as the reference does, over RocksDB") {
  CHECK(rc::check([] {
    const RandomGraph graph = MakeGraph();
    ModelGraph model;
    Fill(graph, 1000, model);
    RocksCase rocks;
    Fill(graph, static_cast<size_t>(*rc::gen::inRange(1, 100)), rocks.store());
    for (int i = 0; i < 20; ++i) {
      const ReferenceQuestion question = MakeQuestion(graph);
      RC_ASSERT(rocks.Answer(question) == ToText(ReferenceWalk(model.state(), question)));
    }
  }));
}

TEST_CASE("what the caller may not see leaves the answer byte-identical") {
  CHECK(rc::check([] {
    const RandomGraph graph = MakeGraph();
    const ReferenceQuestion question = MakeQuestion(graph);
    const auto hidden = [&](const GroupSet& groups) {
      return SharedGroups(groups, question.groups).empty();
    };

    // The same visible graph with other hidden parts: what is hidden is dropped or changed, and
    // more of it is put in between.
    RandomGraph other;
    const GroupSet secret = {"secret"};
    for (const v1::Entity& entity : graph.entities) {
      const bool is_hidden = hidden({entity.visible_by().begin(), entity.visible_by().end()});
      if (is_hidden && *rc::gen::arbitrary<bool>()) continue;
      v1::Entity kept = entity;
      if (is_hidden) kept.set_reputation(*rc::gen::inRange(-3, 4));
      other.entities.push_back(kept);
    }
    const size_t added = static_cast<size_t>(*rc::gen::inRange(0, 20));
    for (size_t i = 0; i < added; ++i) {
      other.entities.insert(other.entities.begin(),
                            TestEntity("hidden-" + std::to_string(i), secret));
    }
    const auto in_other = [&](const std::string& id) {
      return std::any_of(other.entities.begin(), other.entities.end(),
                         [&](const v1::Entity& entity) { return entity.id() == id; });
    };
    for (const PutRelation& relation : graph.relations) {
      if (!in_other(relation.source) || !in_other(relation.target)) continue;
      PutRelation kept = relation;
      if (hidden(relation.visible_by)) {
        if (*rc::gen::arbitrary<bool>()) continue;
        kept.last_seen += absl::Seconds(*rc::gen::inRange(-9, 9));
      }
      other.relations.push_back(kept);
    }
    for (const v1::Entity& entity : std::vector<v1::Entity>(other.entities)) {
      if (added == 0 || entity.id().substr(0, 7) == "hidden-") continue;
      // Fresher than all that can be seen, from and to everything; and beside relations that can
      // be.
      other.relations.push_back(
          TestRelation(entity.id(), "hidden-" + std::to_string(*rc::gen::inRange<size_t>(0, added)),
                       1000, secret));
    }
    for (const PutRelation& relation : graph.relations) {
      if (!in_other(relation.source) || !in_other(relation.target)) continue;
      if (*rc::gen::inRange(0, 3) == 0) {
        other.relations.push_back(
            TestRelation(relation.target, relation.source, 500, secret, "secretly"));
      }
    }

    RocksCase before;
    Fill(graph, 1000, before.store());
    RocksCase after;
    Fill(other, 50, after.store());
    RC_ASSERT(before.Answer(question) == after.Answer(question));
  }));
}

TEST_CASE("hubs beyond one chunk answer as the reference does") {
  CHECK(rc::check([] {
    RandomGraph graph;
    const int leaves = *rc::gen::inRange(150, 700);
    const int hubs = *rc::gen::inRange(1, 4);
    for (int i = 0; i < leaves; ++i) {
      graph.entities.push_back(TestEntity(EntityName(i), RandomGroups()));
    }
    for (int hub = 0; hub < hubs; ++hub) {
      const std::string name = "hub-" + std::to_string(hub);
      graph.entities.push_back(TestEntity(name, {"g1", "g2", "public"}));
      for (int i = 0; i < leaves; ++i) {
        graph.relations.push_back(
            TestRelation(name, EntityName(i), *rc::gen::inRange(0, 50), RandomGroups(), "uses"));
        if (i % 7 == 0) {
          graph.relations.push_back(TestRelation(EntityName(i), name, *rc::gen::inRange(0, 50)));
        }
      }
      for (int other = 0; other < hub; ++other) {
        graph.relations.push_back(TestRelation(name, "hub-" + std::to_string(other), -100));
      }
    }
    ModelGraph model;
    Fill(graph, 100'000, model);
    RocksCase rocks;
    Fill(graph, 300, rocks.store());
    for (int i = 0; i < 10; ++i) {
      ReferenceQuestion question = MakeQuestion(graph);
      if (i % 2 == 0) question.root = "hub-0";
      RC_ASSERT(rocks.Answer(question) == ToText(ReferenceWalk(model.state(), question)));
    }
  }));
}

TEST_CASE("a walk ends with the status of a caller that is gone") {
  ModelGraph model;
  RandomGraph graph;
  graph.entities = {TestEntity("ip-1"), TestEntity("ip-2")};
  graph.relations = {TestRelation("ip-1", "ip-2")};
  Mutations mutations;
  for (const v1::Entity& entity : graph.entities) mutations.entities.push_back({entity});
  mutations.relations = graph.relations;
  REQUIRE(model.Apply(mutations).ok());
  int calls_left = GENERATE(0, 1, 2);
  ExpandParams params{"ip-1", 50, 3, {}, {"public"}, [&] {
                        return calls_left-- > 0 ? absl::OkStatus()
                                                : absl::DeadlineExceededError("late");
                      }};
  CHECK(Expand(model, params).status().code() == absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace relations
