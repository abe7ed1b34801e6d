// Everything at once, for as long as `--seconds` says: reports by stream, deletions, readers,
// watchers that come, stay behind and go, backups, flushes and compactions. In the end nothing was
// refused that must be taken, every watcher's copy is what he can see, `check` finds nothing, and
// memory and open files have stopped growing.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/backup_directory.h"
#include "server/server.h"
#include "storage/entity_id.h"
#include "storage/rocks/integrity.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/server/report_client.h"
#include "tests/server/test_server.h"
#include "tests/server/watch_client.h"
#include "tests/support/catch.h"
#include "tests/support/reference_import.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kDomains = 3000;
constexpr uint64_t kAddresses = 250;
// What a process may hold more at its end than at half its time: caches fill, the allocator keeps.
constexpr uint64_t kGrowthMax = uint64_t{96} << 20;

std::string Domain(uint64_t number) { return absl::StrCat("host", number, ".example"); }

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  file >> pages >> pages;
  return pages * 4096;
}

size_t OpenFiles() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

v1::ReportStreamRequest SomeReport(uint64_t sequence, std::mt19937_64& random) {
  v1::ReportStreamRequest request;
  request.set_sequence(sequence);
  for (int i = 0; i < 4; ++i) {
    v1::EntityReport& domain = *request.add_reports()->mutable_entity();
    domain.set_type("domain");
    (*domain.mutable_attributes())["domain"].set_string_value(Domain(random() % kDomains));
    (*domain.mutable_attributes())["n"].set_number_value(static_cast<double>(sequence));
    v1::EntityReport& ip = *domain.add_associations();
    ip.set_type("ip");
    (*ip.mutable_attributes())["ip"].set_string_value(
        absl::StrCat("198.51.100.", 1 + random() % kAddresses));
  }
  return request;
}

class Soak {
 public:
  explicit Soak(uint64_t seed) : seed_(seed), headers_(Session()) {}

  void Run(std::chrono::seconds time) {
    // Before the first report: the watcher's copy begins here.
    token_ = WatchClient(server_.address(), headers_).Read()->token();
    std::vector<std::thread> threads;
    threads.emplace_back([this] { Report(); });
    threads.emplace_back([this] { Delete(); });
    for (uint64_t i = 0; i < 2; ++i) threads.emplace_back([this, i] { ReadAround(i); });
    threads.emplace_back([this] { Watch(); });
    threads.emplace_back([this] { ComeAndGo(); });
    threads.emplace_back([this] { Keep(); });
    std::this_thread::sleep_for(time / 2);
    const uint64_t bytes = ResidentBytes();
    const size_t files = OpenFiles();
    std::this_thread::sleep_for(time - time / 2);
    const uint64_t bytes_at_end = ResidentBytes();
    const size_t files_at_end = OpenFiles();
    stop_ = true;
    for (std::thread& thread : threads) thread.join();
    WARN(reports_ << " reports, " << reads_ << " reads, " << deletions_ << " deletions, "
                  << messages_ << " messages of the feed, " << backups_ << " backups; "
                  << (bytes >> 20) << " to " << (bytes_at_end >> 20) << " MiB, " << files << " to "
                  << files_at_end << " files");
    CHECK(bytes_at_end <= bytes + kGrowthMax);
    // Table files come and go.
    CHECK(files_at_end <= files + 64);
    CHECK(failure_ == "");
    CHECK((reports_ > 0 && reads_ > 0 && deletions_ > 0 && messages_ > 0 && backups_ > 0));
    Compare();
  }

 private:
  Headers Session() { return server_.Session({"public"}, {"reporter", "user", "admin"}); }

  void Fail(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_.empty()) failure_ = what;
  }

  void Report() {
    std::mt19937_64 random(seed_);
    ReportClient client(server_.address(), headers_);
    std::thread reader([&] {
      while (const auto answer = client.Read()) {
        if (answer->refusals_size() > 0) Fail(answer->refusals(0).message());
        reports_ = answer->acknowledged();
      }
    });
    for (uint64_t sequence = 1; !stop_; ++sequence) {
      if (!client.Send(SomeReport(sequence, random))) break;
    }
    client.WritesDone();
    reader.join();
    if (const std::string end = client.Finish(); end != "OK") Fail("report stream: " + end);
  }

  void Delete() {
    std::mt19937_64 random(seed_ + 1);
    RpcClient client(server_.address());
    while (!stop_) {
      v1::DeleteRequest request;
      request.set_entity_id(MakeEntityId("domain", Domain(random() % kDomains)));
      const std::string code =
          client.Call("/relations.v1.IngestService/Delete", request, headers_).code;
      if (code == "OK") ++deletions_;
      if (code != "OK" && code != "NOT_FOUND") Fail("deletion: " + code);
    }
  }

  void ReadAround(uint64_t reader) {
    std::mt19937_64 random(seed_ + 2 + reader);
    RpcClient client(server_.address());
    while (!stop_) {
      v1::GetRelationsRequest request;
      request.set_id(MakeEntityId("domain", Domain(random() % kDomains)));
      const std::string code = client.Call(kGetRelations, request, headers_).code;
      ++reads_;
      if (code != "OK" && code != "NOT_FOUND") Fail("read: " + code);
    }
  }

  void Apply(const v1::WatchResponse& message) {
    ++messages_;
    for (const std::string& id : message.gone_entities()) {
      entities_.erase(id);
      std::erase_if(relations_,
                    [&](const auto& ends) { return ends.first == id || ends.second == id; });
    }
    for (const auto& gone : message.gone_relations()) {
      relations_.erase({gone.source(), gone.target()});
    }
    for (const v1::Entity& entity : message.entities()) entities_.insert(entity.id());
    for (const v1::Relation& relation : message.relations()) {
      if (entities_.contains(relation.source()) && entities_.contains(relation.target())) {
        relations_.emplace(relation.source(), relation.target());
      }
    }
    token_ = message.token();
  }

  // Keeps a copy from the beginning on, over several streams.
  void Watch() {
    while (!stop_) {
      WatchClient client(server_.address(), headers_, token_);
      for (int i = 0; i < 200 && !stop_; ++i) {
        const auto message = client.Read();
        if (!message.has_value()) return Fail("watch: " + client.Finish());
        Apply(*message);
      }
    }
  }

  // Streams that are opened and left.
  void ComeAndGo() {
    while (!stop_) {
      WatchClient client(server_.address(), headers_);
      if (!client.Read().has_value()) return Fail("short watch: " + client.Finish());
    }
  }

  void Keep() {
    BackupDirectory backups(&server_.database(), directory_ / "backups", 3);
    while (!stop_) {
      const auto backup = backups.Create(BackupDirectory::IfBusy::kWait);
      if (!backup.ok()) return Fail(backup.status().ToString());
      ++backups_;
      for (rocksdb::ColumnFamilyHandle* const family : AllFamilies(server_.database())) {
        server_.database().db().CompactRange(rocksdb::CompactRangeOptions(), family, nullptr,
                                             nullptr);
      }
    }
  }

  void Compare() {
    WatchClient client(server_.address(), headers_, token_);
    for (bool current = false; !current;) {
      const auto message = client.Read();
      REQUIRE(message.has_value());
      Apply(*message);
      current = message->current();
    }
    const ModelGraph::State state = StateOf(server_.database());
    std::set<std::string> entities;
    for (const auto& [id, entity] : state.entities) {
      if (id != "ip-a" && id != "domain-b" && id != "ip-c") entities.insert(id);
    }
    std::set<std::pair<std::string, std::string>> relations;
    for (const auto& [key, relation] : state.relations) {
      if (relation.source != "ip-a") relations.emplace(relation.source, relation.target);
    }
    CHECK((entities_ == entities));
    CHECK((relations_ == relations));
    const auto report = CheckIntegrity(server_.database());
    REQUIRE(report.ok());
    CHECK(absl::StrJoin(report->findings, "\n") == "");
  }

  const uint64_t seed_;
  TempDir directory_;
  TestServer server_;
  const Headers headers_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> reports_ = 0;
  std::atomic<uint64_t> reads_ = 0;
  std::atomic<uint64_t> deletions_ = 0;
  std::atomic<uint64_t> messages_ = 0;
  std::atomic<uint64_t> backups_ = 0;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string failure_;
  // Of the one watcher.
  std::string token_;
  std::set<std::string> entities_;
  std::set<std::pair<std::string, std::string>> relations_;
};

TEST_CASE("all that a server does at once leaves it sound, and no larger than it was") {
  const CrashRun run;
  Soak(run.seed()).Run(std::chrono::seconds(run.seconds()));
}

}  // namespace
}  // namespace relations
