#include "tests/crash/served_history.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/credential_store.h"
#include "storage/entity_id.h"
#include "storage/rocks/backup.h"
#include "storage/rocks/integrity.h"
#include "tests/server/report_client.h"
#include "tests/server/watch_client.h"
#include "tests/support/catch.h"
#include "tests/support/reference_import.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

constexpr char kUser[] = "7e57e57e-0000-4000-8000-000000000001";
constexpr uint64_t kAddresses = 200;
constexpr int kImportedEntities = 400;
constexpr char kDelete[] = "/relations.v1.IngestService/Delete";
constexpr char kNarrow[] = "/relations.v1.IngestService/Narrow";

std::string Domain(uint64_t number) { return absl::StrCat("r", number, ".example"); }
std::string DomainId(uint64_t number) { return MakeEntityId("domain", Domain(number)); }
std::string Address(uint64_t number) { return absl::StrCat("198.51.100.", 1 + number); }
std::string ImportedId(uint64_t import, int i) { return absl::StrCat("ip-import", import, "x", i); }

// The addresses that a request relates its domain to; different ones.
std::set<uint64_t> AddressesOf(uint64_t seed, uint64_t number) {
  std::mt19937_64 random(seed * 1'000'003 + number);
  std::set<uint64_t> addresses;
  const uint64_t count = number % 7 == 0 ? 40 : 1 + random() % 4;
  for (uint64_t i = 0; i < count; ++i) addresses.insert(random() % kAddresses);
  return addresses;
}

}  // namespace

void WaitMicroseconds(uint64_t microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

struct ServedHistory::Server {
  std::unique_ptr<ProcessUnderTest> process;
  std::string address;
};

ServedHistory::ServedHistory(uint64_t seed) : seed_(seed), random_(seed) {
  const auto database =
      RocksDatabase::Open({directory_ / "store", OpenMode::kCreateIfMissing, 8 << 20});
  REQUIRE(database.ok());
  CredentialStore credentials(database->get());
  const auto session =
      credentials.CreateSession({kUser, "", {"g1", "public"}, {"user", "reporter", "admin"}, 1});
  REQUIRE(session.ok());
  headers_ = {{"authorization", "Bearer " + session->bearer}};
}

std::unique_ptr<ServedHistory::Server> ServedHistory::Start() {
  auto server = std::make_unique<Server>();
  std::vector<std::string> arguments = {
      "--data",     directory_ / "store",       "--listen",    "unix:" + (directory_ / "socket"),
      "--cache-mb", absl::StrCat(8 + Draw(64)), "--log-level", "error"};
  // The first backup begins with the serving: kills come in the middle of one.
  if (Draw(2) == 0) {
    arguments.insert(arguments.end(), {"--backup-dir", directory_ / "backups",
                                       "--backup-interval-s", "1", "--backup-keep", "3"});
  }
  server->process = std::make_unique<ProcessUnderTest>(ServerProgram(), arguments);
  // Now and then it dies before it serves.
  if (Draw(10) == 0) {
    WaitMicroseconds(Draw(60'000));
    return server;
  }
  server->address = server->process->ReadAddress();
  CAPTURE(server->process->Errors());
  REQUIRE_FALSE(server->address.empty());
  return server;
}

v1::ReportStreamRequest ServedHistory::Request(uint64_t number) const {
  v1::ReportStreamRequest request;
  request.set_sequence(number);
  v1::EntityReport& domain = *request.add_reports()->mutable_entity();
  domain.set_type("domain");
  (*domain.mutable_attributes())["domain"].set_string_value(Domain(number));
  (*domain.mutable_attributes())["n"].set_number_value(static_cast<double>(number));
  for (const uint64_t address : AddressesOf(seed_, number)) {
    v1::EntityReport& ip = *domain.add_associations();
    ip.set_type("ip");
    (*ip.mutable_attributes())["ip"].set_string_value(Address(address));
  }
  return request;
}

void ServedHistory::Report(Server& server, uint64_t answers) {
  ReportClient client(server.address, headers_);
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t answered = 0;
  bool over = false;
  // So that a history stays small enough to be looked at after each kill.
  const uint64_t last = sent_ + 20 + Draw(400);
  std::thread reader([&] {
    while (const auto answer = client.Read()) {
      const std::lock_guard<std::mutex> lock(mutex);
      acknowledged_ = answer->acknowledged();
      ++answered;
      if (answer->refusals_size() > 0) break;
      changed.notify_all();
    }
    const std::lock_guard<std::mutex> lock(mutex);
    over = true;
    changed.notify_all();
  });
  std::thread sender([&] {
    // One that could not be sent may have left all the same.
    while (sent_ < last) {
      if (!client.Send(Request(++sent_))) break;
    }
  });
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return over || answered >= answers || acknowledged_ >= last; });
  }
  WaitMicroseconds(Draw(4000));
  server.process->Signal(SIGKILL);
  reader.join();
  sender.join();
}

void ServedHistory::Withdraw(Server& server, uint64_t number) {
  RpcClient client(server.address);
  const bool deletes = Draw(2) == 0;
  std::string bytes;
  if (deletes) {
    v1::DeleteRequest request;
    request.set_entity_id(DomainId(number));
    bytes = request.SerializeAsString();
  } else {
    v1::NarrowRequest request;
    request.set_entity_id(DomainId(number));
    request.add_visible_by("g1");
    bytes = request.SerializeAsString();
  }
  const std::string code = client.Call(deletes ? kDelete : kNarrow, bytes, headers_).code;
  const bool done = code == "OK";
  REQUIRE((done || code == "UNAVAILABLE"));
  fates_[number] = deletes ? (done ? Fate::kDeleted : Fate::kPerhapsDeleted)
                           : (done ? Fate::kNarrowed : Fate::kPerhapsNarrowed);
}

void ServedHistory::FollowFeed(Server& server) {
  WatchClient client(server.address, headers_, token_);
  if (token_.empty()) {
    for (const auto& [id, entity] : stored_.entities) fed_entities_.insert(id);
    for (const auto& [key, relation] : stored_.relations) {
      fed_relations_.emplace(relation.source, relation.target);
    }
  }
  while (true) {
    const auto message = client.Read();
    REQUIRE(message.has_value());
    for (const std::string& id : message->gone_entities()) {
      fed_entities_.erase(id);
      std::erase_if(fed_relations_,
                    [&](const auto& ends) { return ends.first == id || ends.second == id; });
    }
    for (const auto& gone : message->gone_relations()) {
      fed_relations_.erase({gone.source(), gone.target()});
    }
    for (const v1::Entity& entity : message->entities()) fed_entities_.insert(entity.id());
    for (const v1::Relation& relation : message->relations()) {
      fed_relations_.emplace(relation.source(), relation.target());
    }
    token_ = message->token();
    if (message->current()) break;
  }
  // Everything is visible to this caller.
  std::set<std::string> entities;
  for (const auto& [id, entity] : stored_.entities) entities.insert(id);
  REQUIRE((fed_entities_ == entities));
  std::set<std::pair<std::string, std::string>> relations;
  for (const auto& [key, relation] : stored_.relations) {
    relations.emplace(relation.source, relation.target);
  }
  REQUIRE((fed_relations_ == relations));
}

void ServedHistory::KillUnderReports() {
  const std::unique_ptr<Server> server = Start();
  const uint64_t before = acknowledged_;
  if (!server->address.empty()) {
    FollowFeed(*server);
    Report(*server, 1 + Draw(30));
  }
  server->process->Signal(SIGKILL);
  CAPTURE(server->process->Errors());
  REQUIRE(server->process->Wait() == -SIGKILL);
  acknowledged_total_ += acknowledged_ - before;
  Compare();
}

void ServedHistory::KillUnderWithdrawals() {
  const std::unique_ptr<Server> server = Start();
  if (!server->address.empty()) {
    std::jthread killer([&, wait = Draw(30'000)] {
      WaitMicroseconds(wait);
      server->process->Signal(SIGKILL);
    });
    for (int i = 0; i < 50 && acknowledged_ > 0; ++i) {
      const uint64_t number = 1 + Draw(acknowledged_);
      if (fates_.contains(number)) continue;
      Withdraw(*server, number);
      const Fate fate = fates_[number];
      if (fate == Fate::kPerhapsDeleted || fate == Fate::kPerhapsNarrowed) break;
    }
    killer.join();
  }
  server->process->Signal(SIGKILL);
  REQUIRE(server->process->Wait() == -SIGKILL);
  Compare();
}

void ServedHistory::KillImport() {
  const uint64_t import = imports_.size();
  const std::string path = directory_ / "import.jsonl";
  {
    std::ofstream file(path);
    for (int i = 0; i < kImportedEntities; ++i) {
      file << "{\"id\":\"" << ImportedId(import, i)
           << "\",\"type\":\"ip\",\"visibleBy\":[\"public\"],\"attributes\":{\"ip\":\"" << i
           << "\"}}\n{\"source\":\"" << ImportedId(import, i) << "\",\"target\":\""
           << ImportedId(import, (i + 1) % kImportedEntities) << "\",\"visibleBy\":[\"public\"]}\n";
    }
  }
  ProcessUnderTest program(std::string(RELATIONS_BINARY_DIR) + "/relationsctl",
                           {"--data", directory_ / "store", "import", path});
  WaitMicroseconds(Draw(300'000));
  program.Signal(SIGKILL);
  const int code = program.Wait();
  CAPTURE(program.Errors());
  REQUIRE((code == 0 || code == -SIGKILL));
  imports_[import] = code == 0;
  // The feed does not go on over an import, whether it came to its end or not.
  token_.clear();
  fed_entities_.clear();
  fed_relations_.clear();
  Compare();
}

void ServedHistory::Compare() {
  const auto database = RocksDatabase::Open({directory_ / "store", OpenMode::kExisting, 8 << 20});
  CAPTURE(database.status().ToString());
  REQUIRE(database.ok());
  const auto report = CheckIntegrity(**database);
  REQUIRE(report.ok());
  REQUIRE(absl::StrJoin(report->findings, "\n") == "");
  stored_ = StateOf(**database);
  CompareRequests(stored_, acknowledged_, sent_);
  // What was sent and not acknowledged, but is there, is decided from now on.
  while (acknowledged_ < sent_ && stored_.entities.contains(DomainId(acknowledged_ + 1))) {
    ++acknowledged_;
  }
  sent_ = acknowledged_;
  for (auto& [number, fate] : fates_) {
    const auto found = stored_.entities.find(DomainId(number));
    if (found == stored_.entities.end()) {
      REQUIRE((fate == Fate::kDeleted || fate == Fate::kPerhapsDeleted));
      fate = Fate::kDeleted;
      continue;
    }
    REQUIRE(fate != Fate::kDeleted);
    const bool narrowed = found->second.visible_by_size() == 1;
    if (fate == Fate::kNarrowed) REQUIRE(narrowed);
    fate = narrowed ? Fate::kNarrowed : Fate::kThere;
  }
  std::erase_if(fates_, [](const auto& entry) { return entry.second == Fate::kThere; });
  for (auto& [import, done] : imports_) {
    int entities = 0;
    int relations = 0;
    for (int i = 0; i < kImportedEntities; ++i) {
      const std::string id = ImportedId(import, i);
      entities += stored_.entities.contains(id) ? 1 : 0;
      const auto first = stored_.relations.lower_bound({id, "", "", RelationMode::kAssociation});
      if (first != stored_.relations.end() && std::get<0>(first->first) == id) ++relations;
    }
    CAPTURE(import);
    REQUIRE(entities == relations);
    REQUIRE((entities == 0 || entities == kImportedEntities));
    if (done) REQUIRE(entities == kImportedEntities);
    done = entities == kImportedEntities;
  }
}

void ServedHistory::CompareRequests(const ModelGraph::State& found, uint64_t acknowledged,
                                    uint64_t sent) {
  bool ended = false;
  for (uint64_t number = 1; number <= sent; ++number) {
    CAPTURE(number, acknowledged, sent);
    const std::string id = DomainId(number);
    const auto entity = found.entities.find(id);
    std::set<std::string> related;
    for (auto relation = found.relations.lower_bound({id, "", "", RelationMode::kAssociation});
         relation != found.relations.end() && std::get<0>(relation->first) == id; ++relation) {
      related.insert(relation->second.target);
    }
    if (entity == found.entities.end()) {
      if (number <= acknowledged) REQUIRE(fates_.contains(number));
      ended |= number > acknowledged;
      REQUIRE(related.empty());
      continue;
    }
    // What was not acknowledged is there in order.
    REQUIRE_FALSE(ended);
    REQUIRE(entity->second.attributes().at("n").number_value() == static_cast<double>(number));
    std::set<std::string> expected;
    for (const uint64_t address : AddressesOf(seed_, number)) {
      expected.insert(MakeEntityId("ip", Address(address)));
    }
    REQUIRE((related == expected));
  }
}

void ServedHistory::CheckBackup() {
  const auto backups = ListBackups(directory_ / "backups");
  if (!backups.ok() || backups->empty()) return;
  const std::string target = directory_ / "restored";
  fs::remove_all(target);
  const auto restored = RestoreBackup(directory_ / "backups", 0, target);
  CAPTURE(restored.status().ToString());
  REQUIRE(restored.ok());
  const auto database = RocksDatabase::Open({target, OpenMode::kExisting, 8 << 20});
  REQUIRE(database.ok());
  const auto report = CheckIntegrity(**database);
  REQUIRE(report.ok());
  REQUIRE(absl::StrJoin(report->findings, "\n") == "");
  // A beginning: none is acknowledged for sure, and none came after one that lacks, but for those
  // that were deleted.
  ModelGraph::State state = StateOf(**database);
  uint64_t last = 0;
  for (uint64_t number = 1; number <= sent_; ++number) {
    if (state.entities.contains(DomainId(number))) last = number;
  }
  CompareRequests(state, last, last);
}

}  // namespace relations
