#include "storage/rocks/integrity.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

// A healthy store with a hub of several blocks, several classes and several relations of one pair.
class StoreCheck {
 public:
  StoreCheck() {
    database_ = *RocksDatabase::Open({directory_.path(), OpenMode::kCreateIfMissing, 8 << 20});
    const auto store = RocksGraphStore::Open(database_.get());
    REQUIRE(store.ok());
    Mutations mutations;
    mutations.entities.push_back({TestEntity("hub-0", {"g1", "public"})});
    for (int i = 0; i < 400; ++i) {
      const std::string id = absl::StrCat("ip-", 1000 + i);
      mutations.entities.push_back({TestEntity(id, {"g1", "public"})});
      mutations.relations.push_back(TestRelation("hub-0", id, i % 3));
      if (i % 5 == 0) mutations.relations.push_back(TestRelation(id, "hub-0", i, {"g1"}, "uses"));
    }
    REQUIRE((*store)->Apply(mutations).ok());
  }

  IntegrityReport Check() {
    const auto report = CheckIntegrity(*database_);
    REQUIRE(report.ok());
    return *report;
  }

  void Put(Family family, const std::string& key, const std::string& value) {
    REQUIRE(db().Put(rocksdb::WriteOptions(), database_->family(family), key, value).ok());
  }
  void Delete(Family family, const std::string& key) {
    REQUIRE(db().Delete(rocksdb::WriteOptions(), database_->family(family), key).ok());
  }
  std::string Get(Family family, const std::string& key) { return **database_->Get(family, key); }
  rocksdb::DB& db() { return database_->db(); }

 private:
  TempDir directory_;
  std::unique_ptr<RocksDatabase> database_;
};

// The damaged store has a finding that says `what`.
void RequireFinding(StoreCheck& store, const std::string& what) {
  const IntegrityReport report = store.Check();
  CAPTURE(absl::StrJoin(report.findings, "\n"));
  CHECK_FALSE(report.clean());
  CHECK(std::any_of(report.findings.begin(), report.findings.end(),
                    [&](const std::string& finding) { return absl::StrContains(finding, what); }));
}

const NodeId kHub{1};
const NodeId kLeaf{2};

TEST_CASE("a healthy store has no findings") {
  StoreCheck store;
  const IntegrityReport report = store.Check();
  CAPTURE(absl::StrJoin(report.findings, "\n"));
  CHECK(report.clean());
  CHECK(report.entities == 401);
  CHECK(report.relations == 480);
}

TEST_CASE("each kind of damage is found") {
  StoreCheck store;
  const std::string hub_directory = store.Get(Family::kAdjacency, DirectoryKey(kHub));
  SECTION("an entity without its id") {
    store.Delete(Family::kIds, IdKey("ip-1000"));
    RequireFinding(store, "ids does not lead ip-1000 back to it");
  }
  SECTION("an id without its entity") {
    store.Put(Family::kIds, IdKey("ip-x"), NodeKey(NodeId{77777}));
    RequireFinding(store, "402 ids for 401 entities");
  }
  SECTION("a lost entity") {
    store.Delete(Family::kEntities, NodeKey(kLeaf));
    RequireFinding(store, "an end without an entity");
  }
  SECTION("an entity whose bytes are not canonical") {
    const std::string value = store.Get(Family::kEntities, NodeKey(kLeaf));
    store.Put(Family::kEntities, NodeKey(kLeaf), value + std::string("\x18\x00", 2));
    RequireFinding(store, "not the canonical bytes");
  }
  SECTION("an entity of an unknown class") {
    const auto record = DecodeEntityRecord(store.Get(Family::kEntities, NodeKey(kLeaf)));
    v1::Entity entity = TestEntity("ip-1000");
    store.Put(Family::kEntities, NodeKey(kLeaf), EncodeEntityRecord(entity, ClassId{99}));
    RequireFinding(store, "an unknown visibility class");
  }
  SECTION("a relation that only its lists know") {
    store.Delete(Family::kRelations, PairKey(kHub, kLeaf));
    RequireFinding(store, "they are not the two ends of each");
  }
  SECTION("a relation that its lists do not know") {
    store.Put(
        Family::kRelations, PairKey(NodeId{3}, NodeId{4}),
        EncodePairRelations({{LabelId{0}, RelationMode::kAssociation, kPublicClass, TestTime(0)}}));
    RequireFinding(store, "they are not the two ends of each");
  }
  SECTION("a relation seen at another time in a list") {
    AdjacencyBlock block;
    const std::string key = ListKey(NodeId{3}, ClassId{1});
    std::unique_ptr<rocksdb::Iterator> iterator(
        store.db().NewIterator(rocksdb::ReadOptions(), store.db().DefaultColumnFamily()));
    store.Put(Family::kRelations, PairKey(kHub, NodeId{3}),
              EncodePairRelations(
                  {{LabelId{0}, RelationMode::kAssociation, kPublicClass, TestTime(99)}}));
    RequireFinding(store, "they are not the two ends of each");
  }
  SECTION("a first block that is gone") {
    store.Delete(Family::kAdjacency, ListKey(kHub, kPublicClass));
    RequireFinding(store, "a list without its first block");
  }
  SECTION("entries out of order") {
    const std::string key = ListKey(kHub, kPublicClass);
    AdjacencyBlock block;
    REQUIRE(DecodeAdjacencyBlock(store.Get(Family::kAdjacency, key), &block).ok());
    std::swap(block.entries[0], block.entries[1]);
    store.Put(Family::kAdjacency, key, EncodeAdjacencyBlock(block.entries, block.more_may_follow));
    RequireFinding(store, "entries out of order");
  }
  SECTION("a block that denies its successor") {
    const std::string key = ListKey(kHub, kPublicClass);
    AdjacencyBlock block;
    REQUIRE(DecodeAdjacencyBlock(store.Get(Family::kAdjacency, key), &block).ok());
    store.Put(Family::kAdjacency, key, EncodeAdjacencyBlock(block.entries, false));
    RequireFinding(store, "the block before says that none follows");
  }
  SECTION("bytes that are no block") {
    store.Put(Family::kAdjacency, ListKey(kHub, kPublicClass), "garbage");
    RequireFinding(store, "not an adjacency block");
  }
  SECTION("lists whose directory is gone") {
    store.Delete(Family::kAdjacency, DirectoryKey(kHub));
    RequireFinding(store, "lists without a directory");
  }
  SECTION("a directory that names a list that is not there") {
    ListDirectory directory = *DecodeListDirectory(hub_directory);
    directory.Set(ClassId{0x7fff}, {});
    store.Put(Family::kAdjacency, DirectoryKey(kHub), EncodeListDirectory(directory));
    RequireFinding(store, "a list that is named and not there");
  }
  SECTION("a directory that does not name a list that is there") {
    ListDirectory directory = *DecodeListDirectory(hub_directory);
    directory.Remove(kPublicClass);
    store.Put(Family::kAdjacency, DirectoryKey(kHub), EncodeListDirectory(directory));
    RequireFinding(store, "a list that is not named");
  }
  SECTION("a list that stands twice") {
    const std::string block = EncodeAdjacencyBlock(
        {{TestTime(0), kHub, LabelId{0}, Direction::kIncoming, {}, true}}, false);
    store.Put(Family::kAdjacency, ListKey(kLeaf, kPublicClass), block);
    RequireFinding(store, "a list both held and apart");
  }
  SECTION("a directory that holds too much") {
    AdjacencyBlock block;
    const std::string first = store.Get(Family::kAdjacency, ListKey(kHub, kPublicClass));
    REQUIRE(DecodeAdjacencyBlock(first, &block).ok());
    const std::string held = EncodeAdjacencyBlock(block.entries, false);
    ListDirectory directory = *DecodeListDirectory(hub_directory);
    directory.Set(ClassId{40}, held);
    directory.Set(ClassId{41}, held);
    store.Put(Family::kAdjacency, DirectoryKey(kHub), EncodeListDirectory(directory));
    RequireFinding(store, "too large a directory");
  }
  SECTION("a held list that does not end") {
    ListDirectory directory;
    const std::string block = EncodeAdjacencyBlock(
        {{TestTime(0), kHub, LabelId{0}, Direction::kIncoming, {}, true}}, true);
    directory.Set(kPublicClass, block);
    store.Put(Family::kAdjacency, DirectoryKey(kLeaf), EncodeListDirectory(directory));
    RequireFinding(store, "a held list that says that more follows");
  }
  SECTION("bytes that are no directory") {
    store.Put(Family::kAdjacency, DirectoryKey(kLeaf), "garbage");
    RequireFinding(store, "not a directory of lists");
  }
  SECTION("bytes that are no pair record") {
    store.Put(Family::kRelations, PairKey(kHub, kLeaf), "garbage");
    RequireFinding(store, "not a pair record");
  }
  SECTION("a counter that is wrong") {
    store.Put(Family::kMeta, kRelationCountKey, EncodeNumber(3));
    RequireFinding(store, "counts 3 relations, there are 480");
  }
  SECTION("a counter of a type that is wrong") {
    store.Put(Family::kMeta, absl::StrCat(kEntityCountPrefix, "ip"), EncodeNumber(3));
    RequireFinding(store, "counts 3 entities of type ip, there are 400");
  }
  SECTION("next_node that would be given again") {
    store.Put(Family::kMeta, kNextNodeKey, EncodeNumber(5));
    RequireFinding(store, "a node beyond next_node");
  }
  SECTION("a visibility class that is gone") {
    store.Delete(Family::kVisibility, ClassKey(ClassId{1}));
    RequireFinding(store, "an unknown visibility class");
  }
  SECTION("a label that is gone") {
    store.Delete(Family::kLabels, LabelKey(LabelId{1}));
    RequireFinding(store, "an unknown label");
  }
  SECTION("a record of changes that is lost, and the name of the feed") {
    store.Delete(Family::kChanges, ChangeKey(2));
    RequireFinding(store, "does not follow the record before");
    store.Put(Family::kChanges, ChangeKey(2), "\x01");
    RequireFinding(store, "not a record of changes");
    store.Delete(Family::kMeta, kFeedKey);
    RequireFinding(store, "the feed has no name");
  }
  SECTION("a credential that does not parse") {
    store.Put(Family::kCredentials, "kxyz", "\xFF");
    RequireFinding(store, "not a credential record");
  }
}

TEST_CASE("findings beyond the limit are counted") {
  StoreCheck store;
  for (uint64_t node = 2; node < 50; ++node) {
    store.Put(Family::kEntities, NodeKey(NodeId{node}), "");
  }
  const auto report = store.Check();
  CHECK(report.finding_count >= 48);
  CHECK(report.findings.size() <= 100);
}

}  // namespace
}  // namespace relations
