// Lists of one node in all their places: held by the directory, apart in blocks, beyond what a
// directory names; and moved between these by writes, deletions, imports and an upgrade.
#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_graph_store.h"
#include "storage/rocks/slices.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

const GroupSet kAllGroups = {"g0", "g1", "g2", "g3", "g4", "g5", "g6"};

// Each of the 127 sets of groups is a class of its own.
GroupSet GroupsOf(uint64_t mask) {
  GroupSet groups;
  for (size_t i = 0; i < kAllGroups.size(); ++i) {
    if ((mask >> i & 1) != 0) groups.push_back(kAllGroups[i]);
  }
  return groups;
}

// A few sets are common and most are rare.
GroupSet SomeGroups(std::mt19937_64& random) {
  return GroupsOf(1 + std::min(random() % 127, random() % 127) * (random() % 5) / 4);
}

std::string Leaf(uint64_t number) { return absl::StrCat("ip-", number); }

// Time, neighbour, type and direction. Relations that share the first two are ordered by the number
// of the type, which each store gives by itself: see List.
using Entry = std::vector<std::string>;

struct Ids : EntitySink {
  void OnEntity(size_t /*index*/, EntityRecord record) override {
    v1::Entity entity;
    REQUIRE(entity.ParseFromArray(record.wire.data(), static_cast<int>(record.wire.size())));
    ids.push_back(entity.id());
  }
  std::vector<std::string> ids;
};

struct Chunk : ScanSink {
  void OnChunk(size_t /*request*/, RelationChunk chunk, std::optional<ScanCursor> cursor) override {
    for (size_t i = 0; i < chunk.size(); ++i) {
      if (chunk.visible(i)) relations.push_back(chunk[i]);
    }
    next = std::move(cursor);
  }
  std::vector<AdjacentRelation> relations;
  std::optional<ScanCursor> next;
};

// All relations of an entity that a holder of `groups` sees, read in chunks.
std::vector<Entry> List(GraphStore& store, const std::string& id, const GroupSet& groups,
                        size_t chunk) {
  const auto view = *store.View();
  const auto visible = *store.ClassesVisibleTo(groups);
  const std::optional<NodeId> node = *view->Resolve(id);
  REQUIRE(node.has_value());
  std::vector<Entry> entries;
  std::optional<ScanCursor> cursor;
  do {
    const ScanRequest request{*node, chunk, cursor.has_value() ? &*cursor : nullptr};
    Chunk sink;
    const absl::Status status = view->Scan({&request, 1}, *visible, sink);
    CAPTURE(status.ToString());
    REQUIRE(status.ok());
    for (const AdjacentRelation& relation : sink.relations) {
      Ids ids;
      REQUIRE(view->Get({&relation.neighbour, 1}, ids).ok());
      entries.push_back({absl::FormatTime(relation.last_seen), ids.ids.at(0),
                         std::string(*view->LabelText(relation.type)),
                         relation.direction == Direction::kOutgoing ? "out" : "in"});
    }
    cursor = std::move(sink.next);
  } while (cursor.has_value());
  for (auto first = entries.begin(); first != entries.end();) {
    const auto last = std::find_if(first, entries.end(), [&](const Entry& entry) {
      return entry[0] != (*first)[0] || entry[1] != (*first)[1];
    });
    std::sort(first, last);
    first = last;
  }
  return entries;
}

class Pair {
 public:
  explicit Pair(uint64_t cache_bytes) : cache_bytes_(cache_bytes) { Open(); }

  void Open() {
    store_.reset();
    database_.reset();
    auto database = RocksDatabase::Open({directory_.path(), OpenMode::kCreateIfMissing, 8 << 20});
    CAPTURE(database.status().ToString());
    REQUIRE(database.ok());
    database_ = *std::move(database);
    store_ = *RocksGraphStore::Open(database_.get(), {.node_cache_bytes = cache_bytes_});
  }

  void Apply(const Mutations& mutations) {
    const absl::Status status = store_->Apply(mutations);
    CAPTURE(status.ToString());
    REQUIRE(status.ok());
    REQUIRE(model_.Apply(mutations).ok());
  }

  // As an import. What it says must be new.
  void Import(const Mutations& mutations) {
    BulkImport import(store_.get(), {.memory_bytes = 1 << 20, .on_rejected = {}, .on_step = {}});
    for (const PutEntity& put : mutations.entities) {
      REQUIRE(import.OnEntity(put.entity, {"a", 1, ""}).ok());
    }
    for (const PutRelation& put : mutations.relations) {
      REQUIRE(import
                  .OnRelation(
                      {put.source, put.target, put.type, put.mode, put.last_seen, put.visible_by},
                      {"a", 1, ""})
                  .ok());
    }
    const auto finished = import.Finish();
    CAPTURE(finished.status().ToString());
    REQUIRE(finished.ok());
    REQUIRE(model_.Apply(mutations).ok());
  }

  void RequireSound() {
    const auto report = CheckIntegrity(*database_);
    REQUIRE(report.ok());
    CAPTURE(absl::StrJoin(report->findings, "\n"));
    REQUIRE(report->clean());
  }

  void RequireSame(const std::string& id, std::mt19937_64& random) {
    for (const size_t chunk : {size_t{5}, size_t{1000}}) {
      const GroupSet groups = random() % 4 == 0 ? kAllGroups : SomeGroups(random);
      CAPTURE(id, absl::StrJoin(groups, ","), chunk);
      REQUIRE(List(*store_, id, groups, chunk) == List(model_, id, groups, chunk));
    }
  }

  ListDirectory Directory(const std::string& id) {
    const std::optional<NodeId> node = *(*store_->View())->Resolve(id);
    directory_value_ = (*database_->Get(Family::kAdjacency, DirectoryKey(*node))).value_or("");
    return *DecodeListDirectory(directory_value_);
  }

  RocksDatabase& database() { return *database_; }

 private:
  const uint64_t cache_bytes_;
  TempDir directory_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> store_;
  ModelGraph model_;
  std::string directory_value_;
};

TEST_CASE("lists are the same wherever they stand, by writes, deletions and imports") {
  const uint64_t cache_bytes = GENERATE(uint64_t{0}, uint64_t{4} << 20);
  const uint32_t seed = GENERATE(range(1U, 3U));
  CAPTURE(cache_bytes, seed);
  std::mt19937_64 random(seed);
  Pair stores(cache_bytes);
  Mutations first;
  first.entities.push_back({TestEntity("domain-hub", kAllGroups)});
  stores.Apply(first);
  uint64_t leaves = 0;
  std::vector<PutRelation> live;
  bool held_and_apart = false;
  bool others = false;
  for (int round = 0; round < 24; ++round) {
    CAPTURE(round);
    Mutations put;
    const uint64_t count = 1 + random() % (round % 3 == 0 ? 200 : 20);
    const bool is_import = random() % 2 == 0;
    // Some times are so common that lists tie, and a node meets the hub in several classes.
    for (uint64_t i = 0; i < count; ++i) {
      if (leaves == 0 || random() % 2 == 0) {
        put.entities.push_back({TestEntity(Leaf(++leaves), kAllGroups)});
      }
      PutRelation relation =
          TestRelation("domain-hub", Leaf(1 + random() % leaves),
                       static_cast<int64_t>(random() % 4 == 0 ? 7 : random() % 1000),
                       SomeGroups(random), absl::StrCat("r", round, "-", i % 7, "-", i));
      if (random() % 2 == 0) std::swap(relation.source, relation.target);
      put.relations.push_back(relation);
      live.push_back(std::move(relation));
    }
    is_import ? stores.Import(put) : stores.Apply(put);
    if (round % 2 == 1) {
      Mutations taken;
      std::shuffle(live.begin(), live.end(), random);
      for (uint64_t i = random() % live.size(); i > 0; --i) {
        const PutRelation& relation = live.back();
        taken.deleted_relations.push_back(
            {{relation.source, relation.target, relation.type, relation.mode}});
        live.pop_back();
      }
      stores.Apply(taken);
    }
    stores.RequireSound();
    for (int i = 0; i < 4; ++i) stores.RequireSame("domain-hub", random);
    stores.RequireSame(Leaf(1 + random() % leaves), random);
    const ListDirectory directory = stores.Directory("domain-hub");
    size_t apart = 0;
    for (const ListDirectory::List& list : directory.lists) apart += list.apart() ? 1 : 0;
    held_and_apart |= apart != 0 && apart != directory.lists.size();
    others |= directory.others;
  }
  CHECK(held_and_apart);
  CHECK(others);
}

TEST_CASE("a node without relations has no directory") {
  Pair stores(0);
  Mutations put;
  put.entities = {{TestEntity("ip-1")}, {TestEntity("ip-2")}};
  put.relations = {TestRelation("ip-1", "ip-2")};
  stores.Apply(put);
  CHECK(stores.Directory("ip-1").lists.size() == 1);
  Mutations taken;
  taken.deleted_relations = {{{"ip-1", "ip-2", "", std::nullopt}}};
  stores.Apply(taken);
  CHECK_FALSE(stores.database().Get(Family::kAdjacency, DirectoryKey(NodeId{1}))->has_value());
  CHECK_FALSE(stores.database().Get(Family::kAdjacency, DirectoryKey(NodeId{2}))->has_value());
}

// Leaves the store as one of format 2 was, but for the nodes that `skip` chooses: these are as an
// interrupted upgrade leaves them.
void TakeDirectoriesAway(RocksDatabase& database, uint64_t skip) {
  rocksdb::WriteBatch batch;
  rocksdb::ColumnFamilyHandle* const family = database.family(Family::kAdjacency);
  const absl::Status status = database.ForEach(
      Family::kAdjacency, "", [&](absl::string_view key, absl::string_view value) -> absl::Status {
        ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(key));
        if (!parsed.is_directory()) return absl::OkStatus();
        if (skip != 0 && static_cast<uint64_t>(parsed.node) % skip == 0) return absl::OkStatus();
        ASSIGN_OR_RETURN(const ListDirectory directory, DecodeListDirectory(value));
        for (const ListDirectory::List& list : directory.lists) {
          if (list.apart()) continue;
          batch.Put(family, ListKey(parsed.node, list.visibility), SliceOf(list.block));
        }
        batch.Delete(family, SliceOf(key));
        return absl::OkStatus();
      });
  REQUIRE(status.ok());
  const std::string version = skip != 0 ? absl::StrCat(kFormatVersion) : "2";
  batch.Put(database.family(Family::kMeta), kCreatedKey,
            absl::StrCat(version, "\n", database.store_id(), "\n"));
  if (skip != 0) batch.Put(database.family(Family::kMeta), kUpgradeListsKey, "");
  REQUIRE(database.Write(batch).ok());
}

TEST_CASE("a store without directories gets them when it is opened, in as many goes as it takes") {
  // 0: all are missing, 2 or 3: an upgrade was interrupted.
  const uint64_t skip = GENERATE(0, 2, 3);
  CAPTURE(skip);
  std::mt19937_64 random(99);
  Pair stores(0);
  Mutations put;
  put.entities.push_back({TestEntity("domain-hub", kAllGroups)});
  put.entities.push_back({TestEntity("domain-small", kAllGroups)});
  for (uint64_t i = 1; i <= 900; ++i) {
    put.entities.push_back({TestEntity(Leaf(i), kAllGroups)});
    put.relations.push_back(TestRelation("domain-hub", Leaf(i), static_cast<int64_t>(random() % 50),
                                         SomeGroups(random)));
    if (i % 100 == 0) {
      put.relations.push_back(TestRelation("domain-small", Leaf(i), 3, GroupsOf(1 + i / 100)));
    }
  }
  stores.Apply(put);
  TakeDirectoriesAway(stores.database(), skip);
  stores.Open();
  stores.RequireSound();
  CHECK(stores.Directory("domain-hub").others);
  CHECK(stores.Directory("domain-small").lists.size() == 9);
  CHECK_FALSE(stores.database().Get(Family::kMeta, kUpgradeListsKey)->has_value());
  for (int i = 0; i < 10; ++i) {
    stores.RequireSame("domain-hub", random);
    stores.RequireSame("domain-small", random);
  }
}

}  // namespace
}  // namespace relations
