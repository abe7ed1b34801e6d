#include "tests/server/test_server.h"

#include <stdexcept>
#include <utility>

#include "server/server.h"
#include "storage/rocks/database.h"
#include "storage/rocks/rocks_change_feed.h"
#include "storage/rocks/rocks_graph_store.h"
#include "tests/server/hooked_graph.h"

namespace relations {
namespace {

constexpr char kUser[] = "7e57e57e-0000-4000-8000-000000000001";

// A failure here is the end of the test, with the reason.
template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    throw std::runtime_error(value.status().ToString());
  }
  return std::move(value).value();
}

PutEntity MakeEntity(const std::string& id, const std::string& type, const std::string& group) {
  PutEntity put;
  put.entity.set_id(id);
  put.entity.set_type(type);
  put.entity.mutable_timestamp()->set_seconds(1700000000);
  put.entity.mutable_last_seen()->set_seconds(1700000000);
  put.entity.add_visible_by(group);
  (*put.entity.mutable_attributes())[type].set_string_value(id);
  return put;
}

PutRelation MakeRelation(const std::string& source, const std::string& target,
                         const std::string& type, const std::string& group) {
  PutRelation put;
  put.source = source;
  put.target = target;
  put.type = type;
  put.last_seen = absl::FromUnixSeconds(1700000000);
  put.visible_by = {group};
  return put;
}

void FillGraph(GraphStore& graph) {
  Mutations mutations;
  mutations.entities = {MakeEntity("ip-a", "ip", "public"),
                        MakeEntity("domain-b", "domain", "public"),
                        MakeEntity("ip-c", "ip", "secret")};
  mutations.relations = {MakeRelation("ip-a", "domain-b", "resolves-to", "public"),
                         MakeRelation("ip-a", "ip-c", "indicates", "secret")};
  if (const absl::Status status = graph.Apply(mutations); !status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

}  // namespace

struct TestServer::Parts {
  std::unique_ptr<RocksDatabase> database;
  std::unique_ptr<RocksGraphStore> graph;
  std::unique_ptr<HookedGraph> hooked;
  std::unique_ptr<CredentialStore> credentials;
  std::unique_ptr<StoreAuthenticator> authenticator;
  std::unique_ptr<RateLimits> rate_limits;
  std::unique_ptr<RocksChangeFeed> feed;
  std::unique_ptr<RelationsServer> server;
};

TestServer::TestServer(const Options& options) : parts_(std::make_unique<Parts>()) {
  DatabaseOptions database;
  database.directory = directory_ / "store";
  database.mode = OpenMode::kCreateIfMissing;
  database.cache_bytes = uint64_t{8} << 20;
  parts_->database = Must(RocksDatabase::Open(database));
  RocksGraphStore::Options graph;
  graph.feed.changes = options.feed_changes;
  parts_->graph = Must(RocksGraphStore::Open(parts_->database.get(), graph));
  parts_->feed = std::make_unique<RocksChangeFeed>(parts_->graph.get());
  FillGraph(*parts_->graph);
  parts_->hooked = std::make_unique<HookedGraph>(parts_->graph.get(), options.before_view);
  parts_->credentials = std::make_unique<CredentialStore>(parts_->database.get());
  parts_->authenticator = std::make_unique<StoreAuthenticator>(parts_->credentials.get());

  ServerOptions server;
  server.listen = {Must(ParseListenAddress("unix:" + (directory_ / "socket")))};
  server.workers = {options.workers, options.max_in_flight};
  server.read_roles = {"user", "admin"};
  server.max_request = options.max_request;
  server.watch_heartbeat = options.watch_heartbeat;
  server.watch_patience = options.watch_patience;
  if (!options.rates.empty()) {
    parts_->rate_limits = std::make_unique<RateLimits>(Must(ParseRateRules(options.rates, "0")));
  }
  parts_->server = Must(RelationsServer::Start(
      server, {parts_->hooked.get(), parts_->credentials.get(), parts_->authenticator.get(),
               parts_->rate_limits.get(), nullptr, parts_->feed.get()}));
}

TestServer::~TestServer() { parts_->server.reset(); }

const std::string& TestServer::address() const { return parts_->server->addresses().front(); }

CredentialStore& TestServer::credentials() { return *parts_->credentials; }

RelationsServer& TestServer::server() { return *parts_->server; }

RocksGraphStore& TestServer::graph() { return *parts_->graph; }

RocksDatabase& TestServer::database() { return *parts_->database; }

void TestServer::ExpireSessions() {
  for (store::v1::CredentialRecord record :
       Must(parts_->credentials->List(store::v1::CredentialRecord::KIND_SESSION))) {
    const auto key = Must(parts_->database->Get(Family::kCredentials, "i" + record.id()));
    record.set_expires_at(1);
    rocksdb::WriteBatch batch;
    batch.Put(parts_->database->family(Family::kCredentials), *key, record.SerializeAsString());
    if (!parts_->database->Write(batch).ok()) throw std::runtime_error("session not expired");
  }
  // Any revocation makes the store forget what it remembers of records.
  const CreatedKeyPair other =
      Must(parts_->credentials->CreateKeyPair({kUser, "", {"public"}, {"user"}, 1}));
  Must(parts_->credentials->Revoke(store::v1::CredentialRecord::KIND_KEY_PAIR, other.record.id()));
}

void TestServer::RevokeSessions() {
  const auto kind = store::v1::CredentialRecord::KIND_SESSION;
  for (const auto& record : Must(parts_->credentials->List(kind))) {
    Must(parts_->credentials->Revoke(kind, record.id()));
  }
}

Headers TestServer::Session(std::vector<std::string> groups, std::vector<std::string> roles) {
  const CreatedSession session =
      Must(parts_->credentials->CreateSession({kUser, "", std::move(groups), std::move(roles), 1}));
  return {{"authorization", "Bearer " + session.bearer}};
}

Headers TestServer::KeyPair(std::vector<std::string> groups, std::vector<std::string> roles) {
  const CreatedKeyPair pair =
      Must(parts_->credentials->CreateKeyPair({kUser, "", std::move(groups), std::move(roles), 1}));
  return {{"api-key", pair.api_key}, {"api-secret", pair.api_secret}};
}

}  // namespace relations
