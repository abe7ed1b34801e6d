// A store that is read beside the process that writes it: each moment is a state that the writer
// was in, whatever it does to its files meanwhile, and nothing of its directory is touched.
#include "storage/rocks/followed_store.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rocksdb/file_system.h"
#include "storage/base/public_error.h"
#include "storage/credential_store.h"
#include "storage/rocks/bulk_import.h"
#include "storage/rocks/integrity.h"
#include "storage/rocks/key_format.h"
#include "storage/traversal.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/reference_import.h"
#include "tests/support/seeded_workload.h"
#include "tests/support/temp_dir.h"
#include "tests/support/turning_ring.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

class Primary {
 public:
  explicit Primary(std::string path) : path_(std::move(path)) { Open(); }

  void Open() {
    database_ = *RocksDatabase::Open({path_, OpenMode::kCreateIfMissing, 8 << 20});
    graph_ = *RocksGraphStore::Open(database_.get());
  }
  void Close() {
    graph_.reset();
    database_.reset();
  }
  std::vector<rocksdb::ColumnFamilyHandle*> families() {
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    for (size_t i = 0; i < kFamilies; ++i) families.push_back(database_->family(Family{int(i)}));
    return families;
  }
  void Flush() { REQUIRE(database_->db().Flush(rocksdb::FlushOptions(), families()).ok()); }
  void Compact() {
    for (rocksdb::ColumnFamilyHandle* const family : families()) {
      REQUIRE(database_->db().CompactRange({}, family, nullptr, nullptr).ok());
    }
  }
  void Put(const std::string& id, int reputation) { PutAll({id}, reputation); }
  void PutAll(const std::vector<std::string>& ids, int reputation) {
    Mutations request;
    for (const std::string& id : ids) request.entities.push_back({Entity(id, reputation)});
    REQUIRE(graph_->Apply(request).ok());
  }
  void Import(const std::string& id, int reputation) {
    BulkImport import(graph_.get(), {.memory_bytes = 1 << 20, .on_rejected = {}, .on_step = {}});
    REQUIRE(import.OnEntity(Entity(id, reputation), {}).ok());
    REQUIRE(import.Finish().ok());
  }
  RocksDatabase& database() { return *database_; }
  RocksGraphStore& graph() { return *graph_; }

 private:
  static v1::Entity Entity(const std::string& id, int reputation) {
    v1::Entity entity = TestEntity(id);
    entity.set_reputation(reputation);
    *entity.mutable_timestamp() = TimestampOf(TestTime(reputation));
    return entity;
  }

  const std::string path_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RocksGraphStore> graph_;
};

// Does something at the worst time: when a log is about to be opened, which was listed just now.
class MeddlingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  MeddlingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "MeddlingFileSystem"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    if (absl::EndsWith(path, ".log") && meddle) std::exchange(meddle, nullptr)();
    return FileSystemWrapper::NewSequentialFile(path, options, file, debug);
  }

  std::function<void()> meddle;
};

absl::StatusOr<std::unique_ptr<FollowedStore>> Follow(const std::string& path,
                                                      rocksdb::Env* env = nullptr) {
  FollowedStore::Options options;
  options.database.env = env;
  options.database.directory = path;
  options.database.cache_bytes = 8 << 20;
  options.graph.node_cache_bytes = 1 << 20;
  return FollowedStore::Open(options);
}

// What a walk tells of an entity; -1 when it is not found.
int ReputationOf(GraphStore& store, const std::string& id) {
  const auto graph = Expand(store, {id, 10, 1, {}, {"public"}, {}});
  if (!graph.ok()) return -1;
  v1::Entity entity;
  entity.ParseFromString(graph->nodes[0].Wire());
  return entity.reputation();
}

std::map<std::string, fs::file_time_type> FilesOf(const std::string& directory) {
  std::map<std::string, fs::file_time_type> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    files.emplace(entry.path().filename().string(), entry.last_write_time());
  }
  return files;
}

TEST_CASE("what the writer does is seen after the next look and not before") {
  const TempDir directory;
  Primary primary(directory / "store");
  primary.Put("ip-1", 1);
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  FollowedStore& store = **follower;
  CHECK(ReputationOf(store, "ip-1") == 1);

  // Whatever way the change takes into the files.
  const auto change = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(change);
  for (int round = 2; round < 6; ++round) {
    CAPTURE(round);
    if (change == 3) {
      primary.Import("ip-1", round);
    } else {
      primary.Put("ip-1", round);
    }
    if (change == 1) primary.Flush();
    if (change == 2) primary.Compact();
    if (change == 4) {
      primary.Close();
      primary.Open();
    }
    CHECK(ReputationOf(store, "ip-1") == round - 1);
    REQUIRE(store.CatchUp().ok());
    CHECK(ReputationOf(store, "ip-1") == round);
  }
  CHECK(store.progress().sequence == primary.database().db().GetLatestSequenceNumber());
  CHECK(store.progress().failures == 0);
}

TEST_CASE("a writer that only logs is followed without opening its files again") {
  const TempDir directory;
  Primary primary(directory / "store");
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  for (int round = 1; round <= 6; ++round) {
    primary.Put("ip-1", round);
    REQUIRE((*follower)->CatchUp().ok());
    CHECK(ReputationOf(**follower, "ip-1") == round);
  }
  // The first two: a database is gone on from in turns with the one that is served.
  CHECK((*follower)->progress().opened == 2);
  CHECK((*follower)->progress().from_log == 5);
  // Nothing new: nothing is read.
  REQUIRE((*follower)->CatchUp().ok());
  CHECK((*follower)->progress().opened + (*follower)->progress().from_log == 7);
}

TEST_CASE("a view stays at its moment while the writer removes the files under it") {
  const TempDir directory;
  Primary primary(directory / "store");
  std::vector<std::string> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(absl::StrCat("ip-", i));
  primary.PutAll(ids, 1);
  primary.Flush();
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  const ModelGraph::State before = StateOf(*(*follower)->moment()->database);
  const auto moment = (*follower)->moment();
  const auto view = (*follower)->View();
  REQUIRE(view.ok());
  primary.PutAll(ids, 2);
  primary.Compact();
  REQUIRE((*follower)->CatchUp().ok());
  CHECK(ReputationOf(**follower, "ip-7") == 2);
  CHECK((*view)->Resolve("ip-7").ok());
  CHECK(Difference(before, StateOf(*moment->database)) == "");
}

TEST_CASE("what the writer removes while it is read is read again") {
  const TempDir directory;
  Primary primary(directory / "store");
  primary.Put("ip-1", 1);
  const auto files = std::make_shared<MeddlingFileSystem>();
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
  files->meddle = [&] {
    primary.Put("ip-1", 2);
    primary.Flush();
  };
  const auto follower = Follow(directory / "store", env.get());
  REQUIRE(follower.ok());
  CHECK(files->meddle == nullptr);
  CHECK(ReputationOf(**follower, "ip-1") == 2);

  primary.Put("ip-1", 3);
  files->meddle = [&] {
    primary.Put("ip-1", 4);
    primary.Flush();
  };
  REQUIRE((*follower)->CatchUp().ok());
  CHECK(files->meddle == nullptr);
  CHECK(ReputationOf(**follower, "ip-1") == 4);
}

TEST_CASE("files that never rest are an error, and what was read before goes on") {
  const TempDir directory;
  Primary primary(directory / "store");
  primary.Put("ip-1", 1);
  const auto files = std::make_shared<MeddlingFileSystem>();
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
  const auto follower = Follow(directory / "store", env.get());
  REQUIRE(follower.ok());
  std::function<void()> restless = [&] {
    primary.Put("ip-1", 2);
    primary.Flush();
    files->meddle = restless;
  };
  primary.Put("ip-1", 2);
  files->meddle = restless;
  CHECK((*follower)->CatchUp().code() == absl::StatusCode::kUnavailable);
  CHECK(ReputationOf(**follower, "ip-1") == 1);
  files->meddle = nullptr;
  REQUIRE((*follower)->CatchUp().ok());
  CHECK(ReputationOf(**follower, "ip-1") == 2);
}

TEST_CASE("every moment is a state that the writer was in") {
  const uint64_t seed = 20267;
  CAPTURE(seed);
  const TempDir directory;
  Primary primary(directory / "store");
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  SeededWorkload workload(seed);
  for (int step = 0; step < 100; ++step) {
    CAPTURE(step);
    // What it refuses it refuses.
    (void)primary.graph().Apply(workload.Next());
    if (step % 13 == 0) primary.Flush();
    if (step % 31 == 0) primary.Compact();
    if (step % 47 == 0) {
      primary.Close();
      primary.Open();
    }
    if (step % 3 != 0) continue;
    REQUIRE((*follower)->CatchUp().ok());
    const auto moment = (*follower)->moment();
    REQUIRE(Difference(StateOf(primary.database()), StateOf(*moment->database)) == "");
    if (step % 30 != 0) continue;
    const auto report = CheckIntegrity(*moment->database);
    REQUIRE(report.ok());
    CAPTURE(absl::StrJoin(report->findings, "\n"));
    REQUIRE(report->clean());
  }
  CHECK((*follower)->progress().from_log > 0);
}

TEST_CASE("whoever looks beside the writer sees one whole ring") {
  const TempDir directory;
  Primary primary(directory / "store");
  TurningRing ring(11);
  REQUIRE(primary.graph().Apply(ring.First()).ok());
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  std::atomic<bool> done = false;
  std::atomic<int> broken = 0;
  std::atomic<int> failed = 0;
  std::vector<std::jthread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      do {
        const auto graph =
            Expand(**follower, {TurningRing::Id(reader), 100, 5, {}, {"public"}, {}});
        if (!graph.ok() || !TurningRing::IsWhole(*graph)) ++broken;
      } while (!done);
    });
  }
  threads.emplace_back([&] {
    do {
      // The files may change too quickly; that is no reason to show anything else.
      const absl::Status status = (*follower)->CatchUp();
      if (!status.ok() && status.code() != absl::StatusCode::kUnavailable) ++failed;
    } while (!done);
  });
  threads.emplace_back([&] {
    do {
      primary.Flush();
      primary.Compact();
    } while (!done);
  });
  for (int turn = 0; turn < 300; ++turn) REQUIRE(primary.graph().Apply(ring.Next()).ok());
  done = true;
  threads.clear();
  CHECK(broken == 0);
  CHECK(failed == 0);
  REQUIRE((*follower)->CatchUp().ok());
  CHECK((*follower)->progress().sequence == primary.database().db().GetLatestSequenceNumber());
  CHECK(Difference(StateOf(primary.database()), StateOf(*(*follower)->moment()->database)) == "");
}

TEST_CASE("a follower writes nothing and touches no file") {
  const TempDir directory;
  const std::string path = directory / "store";
  {
    Primary primary(path);
    primary.Put("ip-1", 1);
    primary.Flush();
    primary.Put("ip-2", 1);
  }
  const auto before = FilesOf(path);
  {
    const auto follower = Follow(path);
    REQUIRE(follower.ok());
    CHECK(ReputationOf(**follower, "ip-2") == 1);
    REQUIRE((*follower)->CatchUp().ok());
    const absl::Status refused = (*follower)->Apply({});
    CHECK(refused.code() == absl::StatusCode::kPermissionDenied);
    CHECK(ReasonOf(refused) == reason::kReadOnly);
    rocksdb::WriteBatch batch;
    CHECK((*follower)->moment()->database->Write(batch) == refused);
    CHECK((*follower)->Stats()->entities == 2);
  }
  CHECK(FilesOf(path) == before);
}

TEST_CASE("credentials of the writer count after the next look") {
  const TempDir directory;
  Primary primary(directory / "store");
  CredentialStore at_primary(&primary.database());
  const auto follower = Follow(directory / "store");
  REQUIRE(follower.ok());
  CredentialStore here([&] { return (*follower)->moment()->database; });
  const CreateCredentialParams params{
      "7e57e57e-0000-4000-8000-000000000001", "", {"public"}, {"user"}, 1};
  const auto session = at_primary.CreateSession(params);
  REQUIRE(session.ok());
  CHECK_FALSE((*here.FindSession(session->bearer, absl::Now())).has_value());
  REQUIRE((*follower)->CatchUp().ok());
  CHECK((*here.FindSession(session->bearer, absl::Now())).has_value());
  const auto kind = store::v1::CredentialRecord::KIND_SESSION;
  REQUIRE(at_primary.Revoke(kind, session->record.id()).ok());
  REQUIRE((*follower)->CatchUp().ok());
  CHECK_FALSE((*here.FindSession(session->bearer, absl::Now())).has_value());

  CHECK(ReasonOf(here.CreateSession(params).status()) == reason::kReadOnly);
  CHECK(here.List(kind)->size() == 1);
}

TEST_CASE("what cannot be followed is refused with its cause") {
  const TempDir directory;
  const std::string path = directory / "store";
  const auto code = [&] { return Follow(path).status().code(); };

  SECTION("no directory") { CHECK(code() == absl::StatusCode::kNotFound); }
  SECTION("an empty directory") {
    fs::create_directory(path);
    CHECK(code() == absl::StatusCode::kNotFound);
    CHECK(fs::is_empty(path));
  }
  SECTION("a log file that is gone") {
    { Primary(path).Put("ip-1", 1); }
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".log") fs::remove(entry.path());
    }
    CHECK(code() == absl::StatusCode::kDataLoss);
  }
  const auto put = [&](const std::string& key, int version) {
    Primary primary(path);
    rocksdb::WriteBatch batch;
    const std::string value = absl::StrCat(version, "\n", primary.database().store_id(), "\n");
    REQUIRE(batch.Put(primary.database().family(Family::kMeta), key, value).ok());
    REQUIRE(primary.database().Write(batch).ok());
  };
  SECTION("a store of a newer format") {
    put(kCreatedKey, kFormatVersion + 1);
    CHECK(code() == absl::StatusCode::kFailedPrecondition);
  }
  SECTION("a store of an older format, which only a writer brings forward") {
    put(kCreatedKey, kFormatVersion - 1);
    CHECK(code() == absl::StatusCode::kFailedPrecondition);
  }
  SECTION("a store that is being brought forward") {
    put(kUpgradeListsKey, kFormatVersion);
    CHECK(code() == absl::StatusCode::kUnavailable);
  }
  SECTION("a database of another program") {
    rocksdb::DB* db = nullptr;
    rocksdb::Options options;
    options.create_if_missing = true;
    REQUIRE(rocksdb::DB::Open(options, path, &db).ok());
    delete db;
    CHECK(code() == absl::StatusCode::kNotFound);
  }
}

TEST_CASE("another store in place of the first is told, and the first goes on") {
  const TempDir directory;
  const std::string path = directory / "store";
  { Primary(path).Put("ip-1", 1); }
  fs::copy(path, directory / "older");
  { Primary(path).Put("ip-1", 2); }
  const auto follower = Follow(path);
  REQUIRE(follower.ok());
  fs::rename(path, directory / "moved");

  SECTION("none at all") { CHECK((*follower)->CatchUp().code() == absl::StatusCode::kNotFound); }
  SECTION("a new one") {
    { Primary(path).Put("ip-1", 3); }
    CHECK((*follower)->CatchUp().code() == absl::StatusCode::kFailedPrecondition);
  }
  SECTION("an older state of it") {
    fs::rename(directory / "older", path);
    const absl::Status status = (*follower)->CatchUp();
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(status.message(), "older"));
  }
  CHECK((*follower)->progress().failures == 1);
  CHECK(ReputationOf(**follower, "ip-1") == 2);
}

TEST_CASE("two looks tell whether what lies between them is of one moment") {
  const PrimaryFiles before{"MANIFEST-000005", 100, {{4, 10}, {7, 20}}};
  PrimaryFiles after = before;
  CHECK(IsOneMoment(before, after));
  after.logs[7] = 30;
  after.logs[9] = 0;
  CHECK(IsOneMoment(before, after));
  SECTION("not when a log is gone") { after.logs.erase(4); }
  SECTION("not when the list of files has changed") { after.manifest_bytes = 101; }
  SECTION("not when there is another list of files") { after.manifest = "MANIFEST-000011"; }
  CHECK_FALSE(IsOneMoment(before, after));
}

}  // namespace
}  // namespace relations
