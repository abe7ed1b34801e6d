// The feed of changes: what each caller is told equals what he can see, and what he cannot see
// leaves no trace in it.
#include "storage/change_feed.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/env.h"
#include "storage/base/feed_limits.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/entity_wire.h"
#include "storage/rocks/backup.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/graph_writer.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/rocks_change_feed.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

using RelationId = std::tuple<std::string, std::string, std::string, std::string>;

// What a client keeps: entities by id and relations, each as its canonical text.
struct Copy {
  std::map<std::string, std::string> entities;
  std::map<RelationId, std::string> relations;

  void Apply(const v1::WatchResponse& page) {
    for (const std::string& id : page.gone_entities()) {
      entities.erase(id);
      for (auto relation = relations.begin(); relation != relations.end();) {
        const bool its = std::get<0>(relation->first) == id || std::get<1>(relation->first) == id;
        relation = its ? relations.erase(relation) : std::next(relation);
      }
    }
    for (const auto& gone : page.gone_relations()) {
      relations.erase({gone.source(), gone.target(), gone.type(), gone.mode()});
    }
    for (const v1::Entity& entity : page.entities()) {
      entities[entity.id()] = SerializeEntity(entity);
    }
    for (const v1::Relation& relation : page.relations()) {
      // One that came before an end comes again.
      if (!entities.contains(relation.source()) || !entities.contains(relation.target())) continue;
      relations[{relation.source(), relation.target(), relation.type(), relation.mode()}] =
          relation.last_seen().ShortDebugString();
    }
  }
};

std::string Name(uint64_t number) { return absl::StrCat("ip-", number); }

enum class Place { kMemory, kDisk };

struct Store {
  explicit Store(RocksGraphStore::Options options = {}, Place place = Place::kMemory)
      : options(options) {
    if (place == Place::kMemory) env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
    Open();
  }
  void Open() {
    database =
        *RocksDatabase::Open({directory / "store", OpenMode::kCreateIfMissing, 8 << 20, env.get()});
    graph = *RocksGraphStore::Open(database.get(), options);
    feed = std::make_unique<RocksChangeFeed>(graph.get());
  }
  void Reopen() {
    feed.reset();
    graph.reset();
    database.reset();
    Open();
  }
  FeedPosition End() { return *feed->End(); }
  absl::StatusOr<v1::WatchResponse> Next(FeedReader& reader) {
    while (true) {
      auto page = reader.Next();
      if (!page.ok()) return page.status();
      if (page->has_value()) return **std::move(page);
    }
  }
  // All pages from a position to the end, which is then moved there.
  std::vector<v1::WatchResponse> Pages(FeedPosition* position, const GroupSet& groups) {
    const std::unique_ptr<FeedReader> reader = feed->Read(*position, groups);
    std::vector<v1::WatchResponse> pages;
    do {
      auto page = Next(*reader);
      REQUIRE(page.ok());
      pages.push_back(*std::move(page));
    } while (!pages.back().current());
    *position = reader->position();
    return pages;
  }
  // The only page, or what cannot be read.
  absl::StatusOr<v1::WatchResponse> Page(const FeedPosition& position, const GroupSet& groups) {
    return Next(*feed->Read(position, groups));
  }
  std::vector<std::string> Findings() { return CheckIntegrity(*database, {})->findings; }
  // What a holder of `groups` can see of some ids and the relations among them.
  Copy Visible(const GroupSet& groups, uint64_t ids);

  const RocksGraphStore::Options options;
  TempDir directory;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<RocksDatabase> database;
  std::unique_ptr<RocksGraphStore> graph;
  std::unique_ptr<RocksChangeFeed> feed;
};

struct EntitiesSeen final : EntitySink {
  void OnEntity(size_t index, EntityRecord record) override {
    records[index] = {std::string(record.wire), record.visibility};
  }
  std::map<size_t, std::pair<std::string, ClassId>> records;
};

struct RelationsSeen final : PairSink {
  void OnPair(size_t index, Direction direction,
              absl::Span<const PairRelation> relations) override {
    if (direction != Direction::kOutgoing) return;
    pairs[index].assign(relations.begin(), relations.end());
  }
  std::map<size_t, std::vector<PairRelation>> pairs;
};

Copy Store::Visible(const GroupSet& groups, uint64_t ids) {
  Copy copy;
  const auto view = *graph->View();
  const auto classes = *graph->ClassesVisibleTo(groups);
  std::vector<NodeId> nodes;
  for (uint64_t i = 0; i < ids; ++i) {
    const auto node = view->Resolve(Name(i));
    REQUIRE(node.ok());
    if (node->has_value()) nodes.push_back(**node);
  }
  EntitiesSeen entities;
  REQUIRE(view->Get(nodes, entities).ok());
  std::map<NodeId, std::string> names;
  for (const auto& [index, record] : entities.records) {
    if (!classes->Contains(record.second)) continue;
    v1::Entity entity;
    REQUIRE(entity.ParseFromString(record.first));
    const GroupSet seen = SharedGroups(**view->ClassGroups(record.second), groups);
    entity.mutable_visible_by()->Assign(seen.begin(), seen.end());
    names[nodes[index]] = entity.id();
    copy.entities[entity.id()] = SerializeEntity(entity);
  }
  std::vector<NodePair> pairs;
  for (const auto& [source, source_name] : names) {
    for (const auto& [target, target_name] : names) {
      if (source != target) pairs.push_back({source, target});
    }
  }
  RelationsSeen relations;
  REQUIRE(view->GetPairs(pairs, relations).ok());
  for (const auto& [index, all] : relations.pairs) {
    for (const PairRelation& relation : all) {
      if (!classes->Contains(relation.visibility)) continue;
      copy.relations[{names[pairs[index].source], names[pairs[index].target],
                      std::string(*view->LabelText(relation.type)),
                      std::string(RelationModeName(relation.mode))}] =
          TimestampOf(relation.last_seen).ShortDebugString();
    }
  }
  return copy;
}

ReportEntity Reported(const std::string& id, GroupSet groups, int64_t seconds = 0) {
  ReportEntity report{TestEntity(id, std::move(groups)), 1};
  *report.entity.mutable_last_seen() = TimestampOf(TestTime(seconds));
  return report;
}

ReportRelation Link(const std::string& source, const std::string& target, GroupSet groups,
                    int64_t seconds = 0) {
  ReportRelation report;
  report.source = source;
  report.target = target;
  report.type = "related-to";
  report.last_seen = TestTime(seconds);
  report.visible_by = std::move(groups);
  report.ends = ReportRelation::Ends::kVisible;
  return report;
}

Mutations Reports(std::vector<ReportEntity> entities, std::vector<ReportRelation> relations = {}) {
  Mutations request;
  request.entity_reports = std::move(entities);
  request.relation_reports = std::move(relations);
  return request;
}

// One request as reporters and administrators make them; some are to be refused.
Mutations SomeRequest(std::mt19937_64& random, uint64_t ids) {
  const auto draw = [&](uint64_t bound) { return random() % bound; };
  const auto id = [&] { return Name(draw(ids)); };
  const auto groups = [&] {
    static const std::string kGroups[] = {"g1", "g2", "g3", "public"};
    GroupSet some;
    for (uint64_t i = 1 + draw(3); i > 0; --i) some.push_back(kGroups[draw(4)]);
    return CanonicalGroups(std::move(some));
  };
  Mutations request;
  for (uint64_t parts = 1 + draw(3); parts > 0; --parts) {
    switch (draw(12)) {
      case 0:
        request.deleted_entities.push_back({id()});
        break;
      case 1:
        request.deleted_relations.push_back({{id(), id(), "", std::nullopt}});
        break;
      case 2:
        request.narrowed_entities.push_back({id(), groups()});
        break;
      case 3:
        request.narrowed_relations.push_back({{id(), id(), "", std::nullopt}, groups()});
        break;
      case 4:
      case 5:
      case 6:
        request.entity_reports.push_back(Reported(id(), groups(), static_cast<int64_t>(draw(3))));
        break;
      default:
        request.relation_reports.push_back(
            Link(id(), id(), groups(), static_cast<int64_t>(draw(3))));
        if (draw(3) == 0) request.relation_reports.back().mode = RelationMode::kAggregation;
        break;
    }
  }
  return request;
}

const std::vector<GroupSet>& Callers() {
  static const std::vector<GroupSet> callers = {
      {"g1"}, {"g1", "g2"}, {"public"}, {"g1", "g2", "g3", "public"}, {"nobody"}};
  return callers;
}

TEST_CASE("what each caller is told makes exactly what he can see, also resumed and reopened") {
  constexpr uint64_t kIds = 10;
  const uint64_t seed = GENERATE(1, 2, 3, 4);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Store store;
  std::vector<Copy> copies(Callers().size());
  std::vector<FeedPosition> positions(Callers().size(), store.End());
  for (int round = 0; round < 150; ++round) {
    for (uint64_t i = 1 + random() % 10; i > 0; --i) {
      store.graph->Apply(SomeRequest(random, kIds)).IgnoreError();
    }
    if (random() % 20 == 0) store.Reopen();
    for (size_t caller = 0; caller < Callers().size(); ++caller) {
      // Some fall behind.
      if (random() % 3 == 0) continue;
      CAPTURE(round, caller);
      for (const v1::WatchResponse& page : store.Pages(&positions[caller], Callers()[caller])) {
        copies[caller].Apply(page);
      }
      const Copy expected = store.Visible(Callers()[caller], kIds);
      REQUIRE(copies[caller].entities == expected.entities);
      REQUIRE(copies[caller].relations == expected.relations);
    }
  }
  CHECK(copies.back().entities.empty());
  CHECK(store.Findings().empty());
}

TEST_CASE("beside writers that go on, a reader ends with what it can see") {
  constexpr uint64_t kIds = 12;
  Store store;
  const FeedPosition start = store.End();
  std::atomic<int> writing = 2;
  std::vector<std::thread> writers;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    writers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 600; ++i) store.graph->Apply(SomeRequest(random, kIds)).IgnoreError();
      --writing;
    });
  }
  std::vector<std::thread> readers;
  std::vector<Copy> copies(Callers().size());
  for (size_t caller = 0; caller < Callers().size(); ++caller) {
    readers.emplace_back([&, caller] {
      const std::unique_ptr<FeedReader> reader = store.feed->Read(start, Callers()[caller]);
      for (bool last = false; !last;) {
        last = writing == 0;
        for (bool current = false; !current;) {
          const auto page = store.Next(*reader);
          if (!page.ok()) return;
          copies[caller].Apply(*page);
          current = page->current();
        }
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  for (std::thread& thread : readers) thread.join();
  for (size_t caller = 0; caller < Callers().size(); ++caller) {
    CAPTURE(caller);
    const Copy expected = store.Visible(Callers()[caller], kIds);
    CHECK(copies[caller].entities == expected.entities);
    CHECK(copies[caller].relations == expected.relations);
  }
}

TEST_CASE("what a caller cannot see changes no page: neither what it holds nor where it ends") {
  const GroupSet groups = {"g1"};
  std::mt19937_64 random(7);
  Store with_hidden;
  Store without;
  FeedPosition with_position = with_hidden.End();
  FeedPosition without_position = without.End();
  // More than two pages of what can be seen, and among it as much that cannot.
  const size_t visible = 2 * limits::kFeedPageChangesMax + 100;
  REQUIRE(without.graph->Apply(Reports({Reported("ip-root", {"g1"})})).ok());
  REQUIRE(with_hidden.graph->Apply(Reports({Reported("ip-root", {"g1"})})).ok());
  for (size_t i = 0; i < visible; ++i) {
    const Mutations seen = Reports({Reported(Name(i % 1500), {"g1"}, static_cast<int64_t>(i))},
                                   {Link(Name(i % 1500), "ip-root", {"g1"})});
    REQUIRE(without.graph->Apply(seen).ok());
    REQUIRE(with_hidden.graph->Apply(seen).ok());
    if (i == 0) REQUIRE(with_hidden.graph->Apply(Reports({Reported("domain-1", {"g2"})})).ok());
    for (uint64_t more = random() % 3; more > 0; --more) {
      const std::string id = absl::StrCat("domain-", 2 + random() % 50);
      REQUIRE(with_hidden.graph
                  ->Apply(Reports({Reported(id, {"g2"}, static_cast<int64_t>(i))},
                                  {Link(id, "domain-1", {"g2"}, static_cast<int64_t>(i))}))
                  .ok());
    }
  }
  const auto pages = with_hidden.Pages(&with_position, groups);
  const auto expected = without.Pages(&without_position, groups);
  REQUIRE(pages.size() >= 3);
  REQUIRE(pages.size() == expected.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    CAPTURE(i);
    CHECK(pages[i].entities_size() == expected[i].entities_size());
    CHECK((pages[i].DebugString() == expected[i].DebugString()));
    CHECK(static_cast<size_t>(pages[i].entities_size() + pages[i].relations_size()) <=
          limits::kFeedPageChangesMax);
  }
}

TEST_CASE("a page that is full ends the same with and without hidden changes after it") {
  Store store;
  const FeedPosition start = store.End();
  Mutations request;
  for (size_t i = 0; i < limits::kFeedPageChangesMax; ++i) {
    request.entity_reports.push_back(Reported(Name(i), {"g1"}));
  }
  REQUIRE(store.graph->Apply(request).ok());
  CHECK(store.Page(start, {"g1"})->current());
  REQUIRE(store.graph->Apply(Reports({Reported("domain-1", {"g2"})})).ok());
  CHECK(store.Page(start, {"g1"})->current());
  REQUIRE(store.graph->Apply(Reports({Reported("domain-2", {"g1"})})).ok());
  CHECK_FALSE(store.Page(start, {"g1"})->current());
  // What is large ends a page too.
  FeedPosition position = store.End();
  for (int i = 0; i < 3; ++i) {
    ReportEntity large = Reported(absl::StrCat("url-", i), {"g1"});
    for (int j = 0; j < 10; ++j) {
      (*large.entity.mutable_attributes())[absl::StrCat("a", j)].set_string_value(
          std::string(limits::kValueBytesMax, 'x'));
    }
    REQUIRE(store.graph->Apply(Reports({large})).ok());
  }
  CHECK(store.Pages(&position, {"g1"}).size() == 2);
}

TEST_CASE("a change that shows the caller nothing else is none for him") {
  Store store;
  REQUIRE(
      store.graph->Apply(Reports({Reported("ip-1", {"g1"}), Reported("ip-2", {"g1", "g2"})})).ok());
  const FeedPosition start = store.End();
  // Another group comes to see it, and goes: he is not told of other groups.
  REQUIRE(store.graph->Apply(Reports({Reported("ip-1", {"g2"})})).ok());
  Mutations narrowing;
  narrowing.narrowed_entities = {{"ip-1", {"g1"}}};
  REQUIRE(store.graph->Apply(narrowing).ok());
  // A relation that he cannot see, between entities that he can.
  REQUIRE(
      store.graph->Apply(Reports({Reported("ip-1", {"g2"})}, {Link("ip-1", "ip-2", {"g2"})})).ok());
  const auto page = store.Page(start, {"g1"});
  REQUIRE(page.ok());
  CHECK(page->current());
  CHECK(page->entities_size() + page->relations_size() == 0);
  CHECK(page->gone_entities_size() + page->gone_relations_size() == 0);
  // The other one sees all of it, and of the groups only his own.
  const auto other = store.Page(start, {"g2"});
  REQUIRE(other.ok());
  REQUIRE(other->entities_size() == 1);
  CHECK(other->entities(0).id() == "ip-1");
  REQUIRE(other->entities(0).visible_by_size() == 1);
  CHECK(other->entities(0).visible_by(0) == "g2");
  CHECK(other->relations_size() == 1);
}

TEST_CASE("deleting and narrowing take away from those who could see it, by name") {
  Store store;
  REQUIRE(store.graph
              ->Apply(Reports({Reported("ip-1", {"g1", "g2"}), Reported("ip-2", {"g1", "g2"}),
                               Reported("ip-3", {"g1"})},
                              {Link("ip-1", "ip-2", {"g1", "g2"}), Link("ip-1", "ip-3", {"g1"})}))
              .ok());
  FeedPosition position = store.End();
  Mutations narrowing;
  narrowing.narrowed_relations = {{{"ip-1", "ip-2", "", std::nullopt}, {"g1"}}};
  REQUIRE(store.graph->Apply(narrowing).ok());
  const auto relation = store.Page(position, {"g2"});
  REQUIRE(relation->gone_relations_size() == 1);
  CHECK(relation->gone_relations(0).source() == "ip-1");
  CHECK(relation->gone_relations(0).target() == "ip-2");
  CHECK(relation->gone_relations(0).type() == "related-to");
  CHECK(relation->gone_relations(0).mode() == "association");
  CHECK(store.Page(position, {"g1"})->gone_relations_size() == 0);

  position = store.End();
  Mutations deletion;
  deletion.deleted_entities = {{"ip-1"}};
  REQUIRE(store.graph->Apply(deletion).ok());
  const auto gone = store.Page(position, {"g1"});
  REQUIRE(gone->gone_entities_size() == 1);
  CHECK(gone->gone_entities(0) == "ip-1");
  // Its relations go with it, unsaid.
  CHECK(gone->gone_relations_size() == 0);
  CHECK(store.Page(position, {"g3"})->gone_entities_size() == 0);

  // It comes back as another one, of which only the present is told.
  REQUIRE(store.graph->Apply(Reports({Reported("ip-1", {"g1"})})).ok());
  const auto back = store.Page(position, {"g1"});
  CHECK(back->gone_entities_size() == 1);
  REQUIRE(back->entities_size() == 1);
  CHECK(back->entities(0).id() == "ip-1");
}

TEST_CASE("a reader that falls behind what is kept is told to start again, others go on") {
  RocksGraphStore::Options options;
  options.feed = {uint64_t{1} << 20, 100};
  Store store(options);
  const FeedPosition start = store.End();
  std::vector<FeedPosition> positions = {start};
  for (int i = 1; i <= 500; ++i) {
    REQUIRE(store.graph->Apply(Reports({Reported("ip-1", {"g1"}, i)})).ok());
    positions.push_back(store.End());
  }
  const ChangeLog::Counts counts = store.graph->change_log_counts();
  CHECK(counts.changes >= 100);
  CHECK(counts.changes <= 112);
  CHECK(counts.last == 500);
  CHECK(counts.first == counts.last - counts.changes + 1);
  const auto outcome = [&](const FeedPosition& from) { return store.Page(from, {"g1"}).status(); };
  CHECK(outcome(start).code() == absl::StatusCode::kOutOfRange);
  CHECK(ReasonOf(outcome(start)) == "feed_restart");
  CHECK(outcome(positions[counts.first - 2]).code() == absl::StatusCode::kOutOfRange);
  CHECK(outcome(positions[counts.first - 1]).ok());
  CHECK(outcome(positions[499]).ok());
  CHECK(store.Page(positions[500], {"g1"})->current());
  CHECK(store.Findings().empty());
  // What is kept is counted the same after another start, and there is no place after the end.
  store.Reopen();
  const ChangeLog::Counts again = store.graph->change_log_counts();
  CHECK(again.first == counts.first);
  CHECK(again.bytes == counts.bytes);
  CHECK(outcome({start.feed, 501, 0}).code() == absl::StatusCode::kOutOfRange);
  CHECK(outcome(positions[500]).ok());
}

TEST_CASE("what is kept is bounded in bytes, and the newest change always stays") {
  RocksGraphStore::Options options;
  options.feed = {1, 1};
  Store store(options);
  for (int i = 0; i < 5; ++i) {
    Mutations request;
    for (int j = 0; j < 1000; ++j) {
      request.entity_reports.push_back(Reported(Name(static_cast<uint64_t>(j)), {"g1"}, i));
    }
    REQUIRE(store.graph->Apply(request).ok());
  }
  // The four records of the last write.
  const ChangeLog::Counts counts = store.graph->change_log_counts();
  CHECK(counts.last - counts.first == 3);
  CHECK(counts.changes == 1000);
  CHECK(store.Findings().empty());
}

TEST_CASE("after an import and after a restore the feed does not go on from before") {
  Store store({}, Place::kDisk);
  REQUIRE(store.graph->Apply(Reports({Reported("ip-1", {"g1"})})).ok());
  const FeedPosition before = store.End();
  BulkImport import(store.graph.get(), BulkImport::Options());
  REQUIRE(import.OnEntity(TestEntity("ip-2", {"g1"}), {}).ok());
  bool told = false;
  store.feed->SetListener([&told] { told = true; });
  REQUIRE(import.Finish().ok());
  CHECK(told);
  store.feed->SetListener(nullptr);
  CHECK(store.Page(before, {"g1"}).status().code() == absl::StatusCode::kOutOfRange);

  const FeedPosition after = store.End();
  CHECK(store.Page(after, {"g1"}).ok());
  REQUIRE(CreateBackup(*store.database, store.directory / "backups").ok());
  REQUIRE(RestoreBackup(store.directory / "backups", 0, store.directory / "restored").ok());
  const auto database = *RocksDatabase::Open({store.directory / "restored"});
  const auto graph = *RocksGraphStore::Open(database.get());
  RocksChangeFeed restored(graph.get());
  CHECK(restored.Read(after, {"g1"})->Next().status().code() == absl::StatusCode::kOutOfRange);
  CHECK(restored.Read(*restored.End(), {"g1"})->Next().ok());
  CHECK(CheckIntegrity(*database, {})->findings.empty());
}

TEST_CASE("one that is widened while its relations are still being narrowed breaks the feed") {
  Store store;
  // More relations than one step of a narrowing takes.
  const size_t spokes = limits::kRevisionStepRelations + 10;
  Mutations hub = Reports({Reported("hub-0", {"g1", "g2"})});
  for (size_t i = 0; i < spokes; ++i) hub.entity_reports.push_back(Reported(Name(i), {"g1", "g2"}));
  REQUIRE(store.graph->Apply(hub).ok());
  Mutations links;
  for (size_t i = 0; i < spokes; ++i) {
    links.relation_reports.push_back(Link("hub-0", Name(i), {"g1", "g2"}));
  }
  REQUIRE(store.graph->Apply(links).ok());
  const FeedPosition before = store.End();
  Mutations narrowing;
  narrowing.narrowed_entities = {{"hub-0", {"g1"}}};
  {
    // The first step alone, as if others were quicker than the next.
    GraphWriter writer(store.graph.get());
    REQUIRE(writer.Add(narrowing).ok());
    REQUIRE(writer.Write().ok());
    REQUIRE(writer.unfinished().size() == 1);
  }
  const auto gone = store.Page(before, {"g2"});
  REQUIRE(gone.ok());
  CHECK(gone->gone_entities_size() == 1);
  // Narrower still is only less.
  Mutations nothing_new = Reports({Reported("hub-0", {"g1"}, 1)});
  {
    GraphWriter writer(store.graph.get());
    REQUIRE(writer.Add(nothing_new).ok());
    REQUIRE(writer.Write().ok());
  }
  CHECK(store.Page(before, {"g2"}).ok());
  REQUIRE(store.graph->Apply(Reports({Reported("hub-0", {"g2"}, 1)})).ok());
  CHECK(store.Page(before, {"g2"}).status().code() == absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace relations
