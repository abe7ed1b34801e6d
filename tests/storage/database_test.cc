#include "storage/rocks/database.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::unique_ptr<RocksDatabase>> Open(const std::string& directory,
                                                    OpenMode mode = OpenMode::kExisting) {
  return RocksDatabase::Open({directory, mode, 8 << 20});
}

void Put(RocksDatabase& database, const std::string& key, const std::string& value = "v") {
  rocksdb::WriteBatch batch;
  REQUIRE(batch.Put(database.family(Family::kCredentials), key, value).ok());
  REQUIRE(database.Write(batch).ok());
}

// What a process that is killed leaves: a copy of the files of a store that is still open.
void CopyOpenStore(const std::string& from, const std::string& to) {
  fs::create_directory(to);
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    if (entry.path().filename() == "LOCK") continue;
    fs::copy_file(entry.path(), fs::path(to) / entry.path().filename());
  }
}

fs::path NewestLog(const std::string& directory) {
  fs::path newest;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".log" &&
        (newest.empty() || entry.path().filename() > newest.filename())) {
      newest = entry.path();
    }
  }
  REQUIRE_FALSE(newest.empty());
  return newest;
}

void WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("a store is created only when that is asked for") {
  const TempDir directory;
  const std::string path = directory / "store";
  const auto none = Open(path);
  CHECK(none.status().code() == absl::StatusCode::kNotFound);
  CHECK(absl::StrContains(none.status().message(), path));
  CHECK_FALSE(fs::exists(path));
  fs::create_directory(path);
  CHECK(Open(path).status().code() == absl::StatusCode::kNotFound);
  CHECK(fs::is_empty(path));
  REQUIRE(Open(path, OpenMode::kCreateIfMissing).ok());
  CHECK(Open(path).ok());
}

TEST_CASE("a store keeps its id and its writes") {
  const TempDir directory;
  std::string id;
  {
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    REQUIRE(database.ok());
    id = (*database)->store_id();
    CHECK(id.size() == 36);
    Put(**database, "a", "1");
    REQUIRE((*database)->Close().ok());
  }
  const auto database = Open(directory.path());
  REQUIRE(database.ok());
  CHECK((*database)->store_id() == id);
  const auto value = (*database)->Get(Family::kCredentials, "a");
  REQUIRE(value.ok());
  CHECK(*value == "1");
}

TEST_CASE("a directory of something else is refused and left alone") {
  const TempDir directory;
  SECTION("with foreign files") {
    WriteFile(directory / "notes.txt", "mine");
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    CHECK(database.status().code() == absl::StatusCode::kFailedPrecondition);
    CHECK(absl::StrContains(database.status().message(), "notes.txt"));
    CHECK(ReadFile(directory / "notes.txt") == "mine");
  }
  SECTION("with a database of another program") {
    rocksdb::DB* db = nullptr;
    rocksdb::Options options;
    options.create_if_missing = true;
    REQUIRE(rocksdb::DB::Open(options, directory.path(), &db).ok());
    REQUIRE(db->Put(rocksdb::WriteOptions(), "theirs", "1").ok());
    REQUIRE(db->Close().ok());
    delete db;
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    CHECK(database.status().code() == absl::StatusCode::kFailedPrecondition);
    std::vector<std::string> families;
    REQUIRE(
        rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), directory.path(), &families).ok());
    CHECK(families.size() == 1);
  }
  SECTION("with a file in place of the directory") {
    WriteFile(directory / "file", "x");
    CHECK(Open(directory / "file", OpenMode::kCreateIfMissing).status().code() ==
          absl::StatusCode::kFailedPrecondition);
  }
}

TEST_CASE("a store that another process has open is refused by name") {
  const TempDir directory;
  const auto first = Open(directory.path(), OpenMode::kCreateIfMissing);
  REQUIRE(first.ok());
  const auto second = Open(directory.path());
  CHECK(second.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(second.status().message(), "in use by another process"));
}

TEST_CASE("a newer format is refused with both versions named") {
  const TempDir directory;
  {
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    REQUIRE(database.ok());
    rocksdb::WriteBatch batch;
    REQUIRE(batch
                .Put((*database)->family(Family::kMeta), kCreatedKey,
                     absl::StrCat(kFormatVersion + 1, "\n", (*database)->store_id(), "\n"))
                .ok());
    REQUIRE((*database)->Write(batch).ok());
  }
  const auto database = Open(directory.path());
  CHECK(database.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(
      absl::StrContains(database.status().message(), absl::StrCat("format ", kFormatVersion + 1)));
}

TEST_CASE("a store of an older format opens and is one of this format from then on") {
  const TempDir directory;
  std::string store_id;
  const auto created = [&] {
    const auto database = Open(directory.path());
    REQUIRE(database.ok());
    return **(*database)->Get(Family::kMeta, kCreatedKey);
  };
  {
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    REQUIRE(database.ok());
    store_id = (*database)->store_id();
    rocksdb::WriteBatch batch;
    REQUIRE(batch
                .Put((*database)->family(Family::kMeta), kCreatedKey,
                     absl::StrCat("1\n", store_id, "\n"))
                .ok());
    REQUIRE((*database)->Write(batch).ok());
  }
  CHECK(created() == absl::StrCat(kFormatVersion, "\n", store_id, "\n"));
}

TEST_CASE("a crash loses no acknowledged write") {
  const TempDir directory;
  const std::string store = directory / "store";
  const std::string copy = directory / "copy";
  const auto database = Open(store, OpenMode::kCreateIfMissing);
  REQUIRE(database.ok());
  for (int i = 0; i < 1000; ++i) Put(**database, absl::StrCat("key", i));
  CopyOpenStore(store, copy);

  SECTION("when the process is killed") {
    const auto recovered = Open(copy);
    REQUIRE(recovered.ok());
    for (int i = 0; i < 1000; ++i) {
      CHECK((*recovered)->Get(Family::kCredentials, absl::StrCat("key", i))->has_value());
    }
  }
  SECTION("when the last record of the log is torn") {
    const fs::path log = NewestLog(copy);
    fs::resize_file(log, fs::file_size(log) - 10);
    const auto recovered = Open(copy);
    REQUIRE(recovered.ok());
    CHECK((*recovered)->Get(Family::kCredentials, "key998")->has_value());
    CHECK_FALSE((*recovered)->Get(Family::kCredentials, "key999")->has_value());
  }
  SECTION("and damage in the middle of the log stops the start") {
    const fs::path log = NewestLog(copy);
    std::string bytes = ReadFile(log);
    bytes[bytes.size() / 2] ^= 0x40;
    WriteFile(log, bytes);
    const auto recovered = Open(copy);
    CHECK(recovered.status().code() == absl::StatusCode::kDataLoss);
    CHECK(absl::StrContains(recovered.status().message(), "backup"));
  }
}

TEST_CASE("a log that vanished is noticed by the high-water mark") {
  const TempDir directory;
  {
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    REQUIRE(database.ok());
    for (int i = 0; i < 100; ++i) Put(**database, absl::StrCat("key", i));
    REQUIRE((*database)->Close().ok());
  }
  fs::remove(NewestLog(directory.path()));
  const auto database = Open(directory.path());
  CHECK(database.status().code() == absl::StatusCode::kDataLoss);
  CHECK(absl::StrContains(database.status().message(), "acknowledged writes are missing"));
}

TEST_CASE("a store whose files are gone, but for the high-water mark, is not created anew") {
  const TempDir directory;
  REQUIRE((*Open(directory.path(), OpenMode::kCreateIfMissing))->Close().ok());
  for (const fs::directory_entry& entry : fs::directory_iterator(directory.path())) {
    if (entry.path().filename() != "HIGH_WATER") fs::remove_all(entry.path());
  }
  CHECK(Open(directory.path(), OpenMode::kCreateIfMissing).status().code() ==
        absl::StatusCode::kDataLoss);
}

TEST_CASE("a high-water mark of another store, or a damaged one, is refused") {
  const TempDir directory;
  REQUIRE((*Open(directory.path(), OpenMode::kCreateIfMissing))->Close().ok());
  const std::string text = ReadFile(directory / "HIGH_WATER");
  SECTION("of another store") {
    std::string other = text;
    char& digit = other[other.find('\n') + 1];
    digit = digit == 'a' ? 'b' : 'a';
    WriteFile(directory / "HIGH_WATER", other);
  }
  SECTION("damaged") { WriteFile(directory / "HIGH_WATER", text.substr(0, text.size() / 2)); }
  CHECK(Open(directory.path()).status().code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("an interrupted creation is gone on with") {
  const TempDir directory;
  {
    // Some families, no record `created`, no high-water mark.
    rocksdb::DB* db = nullptr;
    rocksdb::Options options;
    options.create_if_missing = true;
    REQUIRE(rocksdb::DB::Open(options, directory.path(), &db).ok());
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    REQUIRE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "meta", &handle).ok());
    REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
    REQUIRE(db->Close().ok());
    delete db;
  }
  const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
  REQUIRE(database.ok());
  CHECK_FALSE((*database)->store_id().empty());
}

TEST_CASE("a damaged data block is data loss, never a shorter answer") {
  const TempDir directory;
  {
    const auto database = Open(directory.path(), OpenMode::kCreateIfMissing);
    REQUIRE(database.ok());
    const auto store = RocksGraphStore::Open(database->get());
    REQUIRE(store.ok());
    Mutations mutations;
    for (int i = 0; i < 500; ++i)
      mutations.entities.push_back({TestEntity(absl::StrCat("ip-", i))});
    for (int i = 1; i < 500; ++i) {
      mutations.relations.push_back(TestRelation("ip-0", absl::StrCat("ip-", i), i));
    }
    REQUIRE((*store)->Apply(mutations).ok());
    REQUIRE((*database)
                ->db()
                .Flush(rocksdb::FlushOptions(), (*database)->family(Family::kEntities))
                .ok());
    REQUIRE((*database)->Close().ok());
  }
  // The largest file is that of the entities.
  fs::path largest;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory.path())) {
    if (entry.path().extension() == ".sst" &&
        (largest.empty() || fs::file_size(entry.path()) > fs::file_size(largest))) {
      largest = entry.path();
    }
  }
  std::string bytes = ReadFile(largest);
  // Every data block is damaged; the end of the file, with index and footer, is not.
  for (size_t i = 0; i < bytes.size() / 2; i += 200) bytes[i] ^= 0x01;
  WriteFile(largest, bytes);
  const auto database = Open(directory.path());
  REQUIRE(database.ok());
  const auto store = RocksGraphStore::Open(database->get());
  REQUIRE(store.ok());
  const auto view = (*store)->View();
  REQUIRE(view.ok());
  struct Ignore : EntitySink {
    void OnEntity(size_t, EntityRecord) override { ++seen; }
    int seen = 0;
  } sink;
  std::vector<NodeId> nodes;
  for (uint64_t i = 1; i <= 500; ++i) nodes.push_back(NodeId{i});
  const absl::Status status = (*view)->Get(nodes, sink);
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK(sink.seen < 500);
}

}  // namespace
}  // namespace relations
