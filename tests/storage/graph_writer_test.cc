// Deletions, narrowings and reports over the RocksDB store: against the model at random, and what
// only this store has: groups, revisions in steps, the node cache.
#include "storage/rocks/graph_writer.h"

#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/env.h"
#include "storage/base/limits.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/traversal.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/reference_import.h"

namespace relations {
namespace {

// A store on a file system in memory, with its node cache on.
class Store {
 public:
  Store() : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) { Open(); }
  RocksGraphStore& graph() { return *graph_; }
  RocksDatabase& database() { return *database_; }
  void Reopen() {
    graph_.reset();
    database_.reset();
    Open();
  }
  std::vector<std::string> Findings() { return CheckIntegrity(*database_, {})->findings; }

 private:
  void Open() {
    database_ = *RocksDatabase::Open({"/store", OpenMode::kCreateIfMissing, 8 << 20, env_.get()});
    graph_ = *RocksGraphStore::Open(database_.get());
  }
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> graph_;
};

// The ids that a holder of `groups` gets around `id`; empty when there is no such entity for him.
std::vector<std::string> Around(GraphStore& store, const std::string& id, const GroupSet& groups) {
  ExpandParams params;
  params.root_id = id;
  params.limit = limits::kRelatedEntitiesMax;
  params.levels = 1;
  params.groups = groups;
  const auto graph = Expand(store, params);
  std::vector<std::string> ids;
  if (!graph.ok()) {
    REQUIRE(graph.status().code() == absl::StatusCode::kNotFound);
    return ids;
  }
  for (const auto& node : graph->nodes) {
    v1::Entity entity;
    REQUIRE(entity.ParseFromString(node.Wire()));
    ids.push_back(entity.id());
  }
  return ids;
}

v1::Entity Reported(const std::string& id, GroupSet groups, int reputation = 0,
                    int64_t seconds = 0) {
  v1::Entity entity = TestEntity(id, std::move(groups));
  entity.set_reputation(reputation);
  entity.set_best_reputation(reputation);
  entity.set_worst_reputation(reputation);
  *entity.mutable_last_seen() = TimestampOf(TestTime(seconds));
  return entity;
}

ReportRelation Link(const std::string& source, const std::string& target, GroupSet groups,
                    ReportRelation::Ends ends = ReportRelation::Ends::kReported) {
  ReportRelation report;
  report.source = source;
  report.target = target;
  report.type = "related-to";
  report.last_seen = TestTime(0);
  report.visible_by = std::move(groups);
  report.ends = ends;
  return report;
}

std::string Name(int number) { return absl::StrCat("ip-", number); }

GroupSet SomeGroups() {
  return CanonicalGroups(*rc::gen::container<std::vector<std::string>>(
      static_cast<size_t>(*rc::gen::inRange(1, 4)),
      rc::gen::element<std::string>("g1", "g2", "g3", "public")));
}

// One request of few parts, of which some are to be refused.
Mutations SomeRequest() {
  const auto id = [] { return Name(*rc::gen::inRange(0, 8)); };
  Mutations request;
  for (int parts = *rc::gen::inRange(1, 4); parts > 0; --parts) {
    switch (*rc::gen::weightedElement<int>(
        {{6, 0}, {6, 1}, {1, 2}, {2, 3}, {2, 4}, {2, 5}, {2, 6}, {2, 7}})) {
      case 0:
        request.entity_reports.push_back(
            {Reported(id(), SomeGroups(), *rc::gen::inRange(-3, 4), *rc::gen::inRange(0, 5)),
             static_cast<uint64_t>(*rc::gen::inRange(1, 6))});
        break;
      case 1:
        request.relation_reports.push_back(Link(id(), id(), SomeGroups(),
                                                *rc::gen::arbitrary<bool>()
                                                    ? ReportRelation::Ends::kVisible
                                                    : ReportRelation::Ends::kReported));
        request.relation_reports.back().last_seen = TestTime(*rc::gen::inRange(0, 5));
        if (*rc::gen::arbitrary<bool>()) {
          request.relation_reports.back().mode = RelationMode::kAggregation;
        }
        break;
      case 2:
        request.deleted_entities.push_back({id()});
        break;
      case 3:
        request.deleted_relations.push_back({{id(), id(), "", std::nullopt}});
        break;
      case 4:
        request.narrowed_entities.push_back({id(), SomeGroups()});
        break;
      case 5:
        request.narrowed_relations.push_back(
            {{id(), id(), "related-to", RelationMode::kAssociation}, SomeGroups()});
        break;
      case 6:
        request.entities.push_back({TestEntity(id(), SomeGroups())});
        break;
      default:
        request.relations.push_back(
            TestRelation(id(), id(), *rc::gen::inRange(0, 5), SomeGroups(), "uses"));
    }
  }
  return request;
}

TEST_CASE("any requests in any groups leave what the model has, with the same statuses") {
  CHECK(rc::check([] {
    Store store;
    ModelGraph model;
    for (int groups = *rc::gen::inRange(1, 8); groups > 0; --groups) {
      std::vector<Mutations> requests;
      for (int size = *rc::gen::inRange(1, 8); size > 0; --size) requests.push_back(SomeRequest());
      std::vector<const Mutations*> group;
      for (const Mutations& request : requests) group.push_back(&request);
      const std::vector<absl::Status> found = store.graph().ApplyGroup(group);
      const std::vector<absl::Status> expected = model.ApplyGroup(group);
      for (size_t i = 0; i < group.size(); ++i) RC_ASSERT(found[i].code() == expected[i].code());
      if (*rc::gen::inRange(0, 4) == 0) store.Reopen();
      ModelGraph::State expected_state = model.state();
      expected_state.reporters.clear();
      RC_ASSERT(Difference(expected_state, StateOf(store.database())) == "");
    }
    RC_ASSERT(store.Findings() == std::vector<std::string>());
  }));
}

TEST_CASE("a refused request leaves nothing, and its group is written all the same") {
  Store store;
  std::vector<Mutations> requests(3);
  requests[0].entity_reports = {{Reported("ip-1", {"public"}), 1}};
  requests[1].entity_reports = {{Reported("ip-2", {"public"}), 1}};
  requests[1].relation_reports = {Link("ip-2", "ip-9", {"public"})};
  requests[2].entity_reports = {{Reported("ip-3", {"public"}), 1}};
  requests[2].relation_reports = {Link("ip-3", "ip-1", {"public"})};
  const Mutations* const group[] = {&requests[0], &requests[1], &requests[2]};
  const auto statuses = store.graph().ApplyGroup(group);
  CHECK(statuses[0].ok());
  CHECK(statuses[1].code() == absl::StatusCode::kNotFound);
  CHECK(statuses[2].ok());
  CHECK(Around(store.graph(), "ip-1", {"public"}) == std::vector<std::string>{"ip-1", "ip-3"});
  CHECK(Around(store.graph(), "ip-2", {"public"}).empty());
  CHECK(store.Findings().empty());
}

TEST_CASE("accuracy counts distinct reporters, over a restart too, and stops at 3") {
  Store store;
  const auto accuracy = [&](uint64_t reporter) {
    Mutations request;
    request.entity_reports = {{Reported("ip-1", {"public"}), reporter}};
    REQUIRE(store.graph().Apply(request).ok());
    return StateOf(store.database()).entities.at("ip-1").accuracy();
  };
  CHECK(accuracy(7) == 1);
  CHECK(accuracy(7) == 1);
  CHECK(accuracy(8) == 2);
  store.Reopen();
  CHECK(accuracy(8) == 2);
  CHECK(accuracy(9) == 3);
  CHECK(accuracy(10) == 3);
  CHECK(store.Findings().empty());
}

TEST_CASE("a well-known entity keeps a reputation of at least 0") {
  Store store;
  Mutations request;
  request.entity_reports = {{Reported("ip-1", {"public"}), 1}};
  request.entity_reports[0].entity.add_tags("well-known");
  REQUIRE(store.graph().Apply(request).ok());
  request.entity_reports = {{Reported("ip-1", {"public"}, -3, 1), 2}};
  REQUIRE(store.graph().Apply(request).ok());
  const v1::Entity entity = StateOf(store.database()).entities.at("ip-1");
  CHECK(entity.reputation() == 0);
  CHECK(entity.worst_reputation() == -3);
}

TEST_CASE("what is deleted or narrowed is hidden from the very next read, out of the cache too") {
  Store store;
  Mutations request;
  for (int i = 0; i < 4; ++i) request.entities.push_back({TestEntity(Name(i), {"g1", "g2"})});
  for (int i = 1; i < 4; ++i) {
    request.relations.push_back(TestRelation(Name(0), Name(i), -i, {"g1", "g2"}));
  }
  REQUIRE(store.graph().Apply(request).ok());
  const auto all = std::vector<std::string>{"ip-0", "ip-1", "ip-2", "ip-3"};
  // Twice: the second one is answered from the cache.
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == all);
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == all);
  CHECK(Around(store.graph(), "ip-1", {"g1"}) == std::vector<std::string>{"ip-1", "ip-0"});

  Mutations narrowing;
  narrowing.narrowed_entities = {{"ip-1", {"g2"}}};
  REQUIRE(store.graph().Apply(narrowing).ok());
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == std::vector<std::string>{"ip-0", "ip-2", "ip-3"});
  CHECK(Around(store.graph(), "ip-1", {"g1"}).empty());
  CHECK(Around(store.graph(), "ip-0", {"g2"}) == all);
  narrowing = {};
  narrowing.narrowed_relations = {{{"ip-0", "ip-2", "", std::nullopt}, {"g2"}}};
  REQUIRE(store.graph().Apply(narrowing).ok());
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == std::vector<std::string>{"ip-0", "ip-3"});
  CHECK(Around(store.graph(), "ip-0", {"g2"}) == all);

  Mutations deletion;
  deletion.deleted_relations = {{{"ip-0", "ip-3", "", std::nullopt}}};
  REQUIRE(store.graph().Apply(deletion).ok());
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == std::vector<std::string>{"ip-0"});
  deletion = {};
  deletion.deleted_entities = {{"ip-0"}};
  REQUIRE(store.graph().Apply(deletion).ok());
  CHECK(Around(store.graph(), "ip-0", {"g1", "g2"}).empty());
  CHECK(Around(store.graph(), "ip-1", {"g2"}) == std::vector<std::string>{"ip-1"});
  CHECK(store.graph().Apply(deletion).code() == absl::StatusCode::kNotFound);
  CHECK(store.Findings().empty());

  // The id is free again, and what it was related to is not.
  Mutations again;
  again.entities = {{TestEntity("ip-0", {"g1"})}};
  REQUIRE(store.graph().Apply(again).ok());
  CHECK(Around(store.graph(), "ip-0", {"g1"}) == std::vector<std::string>{"ip-0"});
  CHECK(store.Findings().empty());
}

// A hub with more relations than one batch changes, in a few of its steps.
constexpr int kLeaves = 2 * static_cast<int>(limits::kRevisionStepRelations) + 10;

void FillHub(Store& store) {
  Mutations request;
  request.entities.push_back({TestEntity("hub-0", {"g1", "g2"})});
  for (int i = 0; i < kLeaves; ++i) {
    request.entities.push_back({TestEntity(Name(i), {"g1", "g2"})});
    PutRelation relation = TestRelation("hub-0", Name(i), i % 50, {"g1", "g2"});
    if (i % 3 == 0) std::swap(relation.source, relation.target);
    request.relations.push_back(std::move(relation));
  }
  REQUIRE(store.graph().Apply(request).ok());
}

TEST_CASE("a hub is deleted whole, in as many batches as it takes") {
  Store store;
  FillHub(store);
  Mutations deletion;
  deletion.deleted_entities = {{"hub-0"}};
  REQUIRE(store.graph().Apply(deletion).ok());
  CHECK(store.graph().Stats()->relations == 0);
  CHECK(store.graph().Stats()->entities == kLeaves);
  CHECK(store.Findings().empty());
  CHECK(StateOf(store.database()).relations.empty());
}

TEST_CASE(
    "a deletion that was cut short hides its entity at once and is finished by later writes") {
  Store store;
  FillHub(store);
  CHECK(Around(store.graph(), "hub-0", {"g1"}).size() == 101);
  CHECK(Around(store.graph(), "ip-5", {"g1"}).size() == 2);
  Mutations request;
  request.deleted_entities = {{"hub-0"}};
  {
    GraphWriter writer(&store.graph());
    REQUIRE(writer.Add(request).ok());
    REQUIRE(writer.Write().ok());
    CHECK(writer.unfinished().size() == 1);
  }
  CHECK(Around(store.graph(), "hub-0", {"g1"}).empty());
  CHECK(Around(store.graph(), "ip-5", {"g1"}).size() == 1);
  CHECK(store.Findings().empty());
  CHECK(store.graph().Stats()->entities == kLeaves);
  store.Reopen();
  CHECK(Around(store.graph(), "hub-0", {"g1"}).empty());
  CHECK(store.Findings().empty());
  // Its id can be used again meanwhile.
  request = {};
  request.entities = {{TestEntity("hub-0", {"g1"})}};
  for (int i = 0; i < 4; ++i) REQUIRE(store.graph().Apply(request).ok());
  CHECK(store.graph().Stats()->relations == 0);
  CHECK(Around(store.graph(), "hub-0", {"g1"}) == std::vector<std::string>{"hub-0"});
  CHECK(store.Findings().empty());
  CHECK_FALSE(store.database().Get(Family::kMeta, RevisionKey(NodeId{1}))->has_value());
}

TEST_CASE("a hub is narrowed with all its relations") {
  Store store;
  FillHub(store);
  Mutations narrowing;
  narrowing.narrowed_entities = {{"hub-0", {"g2"}}};
  REQUIRE(store.graph().Apply(narrowing).ok());
  CHECK(Around(store.graph(), "hub-0", {"g1"}).empty());
  CHECK(Around(store.graph(), "hub-0", {"g2"}).size() == 101);
  for (const auto& [key, relation] : StateOf(store.database()).relations) {
    if (relation.visible_by != GroupSet{"g2"}) FAIL(relation.target);
  }
  CHECK(store.graph().Stats()->relations == kLeaves);
  CHECK(store.Findings().empty());
}

}  // namespace
}  // namespace relations
