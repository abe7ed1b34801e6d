#include "tests/conformance/system_under_test.h"

#include <signal.h>

#include <iostream>
#include <stdexcept>

#include "absl/time/clock.h"
#include "storage/rocks/database.h"

namespace relations {
namespace {

constexpr char kUser[] = "7e57e57e-0000-4000-8000-000000000001";
constexpr int kHubLeaves = 120;

void Require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

// The value of a member whose value is a string without escapes; empty when there is none.
std::string Member(const std::string& json, const std::string& name) {
  const std::string head = "\"" + name + "\":\"";
  const size_t begin = json.find(head);
  if (begin == std::string::npos) return "";
  return json.substr(begin + head.size(),
                     json.find('"', begin + head.size()) - begin - head.size());
}

}  // namespace

std::string Credential::Fields() const {
  return bearer.empty() ? "api-key: " + api_key + "\r\napi-secret: " + api_secret + "\r\n"
                        : "Authorization: Bearer " + bearer + "\r\n";
}

Headers Credential::Metadata() const {
  if (bearer.empty()) return {{"api-key", api_key}, {"api-secret", api_secret}};
  return {{"authorization", "Bearer " + bearer}};
}

SystemUnderTest::SystemUnderTest(const std::string& json_lines) {
  const ProgramResult imported =
      RunCtl({"--data", data(), "import", "--strict", "--format", "jsonl", "-"},
             {.standard_input = json_lines, .environment = {}});
  Require(imported.exit_code == 0, "import: " + imported.err);
  const ProgramResult key = Ctl({"keys", "create", "--user", kUser, "--groups", "public", "--roles",
                                 "admin", "--out", directory_ / "admin.json"});
  Require(key.exit_code == 0, "keys create: " + key.err);
}

SystemUnderTest::~SystemUnderTest() = default;

ProgramResult SystemUnderTest::Ctl(const std::vector<std::string>& command) const {
  std::vector<std::string> arguments = {"--data", data()};
  if (server_ != nullptr) {
    arguments = {"--server", socket(), "--credentials", directory_ / "admin.json"};
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  return RunCtl(arguments);
}

Credential SystemUnderTest::Create(const std::string& kind, const std::string& groups,
                                   const std::string& roles) const {
  const ProgramResult created =
      Ctl({kind, "create", "--user", kUser, "--groups", groups, "--roles", roles, "--json"});
  Require(created.exit_code == 0, kind + " create: " + created.err);
  Credential credential;
  credential.id = Member(created.out, kind == "keys" ? "keyID" : "sessionID");
  credential.api_key = Member(created.out, "apiKey");
  credential.api_secret = Member(created.out, "apiSecret");
  credential.bearer = Member(created.out, "bearer");
  Require(!credential.id.empty(), kind + " create printed " + created.out);
  return credential;
}

Credential SystemUnderTest::CreateKeyPair(const std::string& groups,
                                          const std::string& roles) const {
  return Create("keys", groups, roles);
}

Credential SystemUnderTest::CreateSession(const std::string& groups,
                                          const std::string& roles) const {
  return Create("sessions", groups, roles);
}

void SystemUnderTest::ChangeCredential(
    const Credential& credential,
    const std::function<void(store::v1::CredentialRecord&)>& change) const {
  auto database = RocksDatabase::Open({data(), OpenMode::kExisting, uint64_t{8} << 20});
  Require(database.ok(), database.status().ToString());
  bool found = false;
  rocksdb::WriteBatch batch;
  const absl::Status read = (*database)->ForEach(
      Family::kCredentials, "", [&](absl::string_view key, absl::string_view value) {
        store::v1::CredentialRecord record;
        // The index by id is in the family too.
        if (record.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
            record.id() == credential.id) {
          change(record);
          batch.Put((*database)->family(Family::kCredentials),
                    rocksdb::Slice(key.data(), key.size()), record.SerializeAsString());
          found = true;
        }
        return absl::OkStatus();
      });
  Require(read.ok() && found, "no record of the credential");
  Require((*database)->Write(batch).ok() && (*database)->Close().ok(), "the record is not changed");
}

void SystemUnderTest::StartServer(const std::vector<std::string>& more_arguments) {
  std::vector<std::string> arguments = {"--data", data(), "--listen", socket(), "--cache-mb", "8"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  server_ = std::make_unique<ProcessUnderTest>(ServerProgram(), arguments);
  const bool ready = server_->ReadAddress() == socket();
  Require(ready, "relations-server: " + server_->Errors());
}

void SystemUnderTest::StartGateway(const std::vector<std::string>& more_arguments) {
  std::vector<std::string> arguments = {"--backend", socket(), "--listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  gateway_ = std::make_unique<ProcessUnderTest>(GatewayProgram(), arguments);
  rest_ = gateway_->ReadAddress();
  Require(!rest_.empty(), "relations-gateway: " + gateway_->Errors());
}

int SystemUnderTest::StopServer() {
  server_->Signal(SIGTERM);
  const int exit_code = server_->Wait();
  server_.reset();
  return exit_code;
}

int SystemUnderTest::StopGateway() {
  gateway_->Signal(SIGTERM);
  const int exit_code = gateway_->Wait();
  gateway_.reset();
  return exit_code;
}

std::string ConformanceGraph() {
  std::string text = ReadFile(RELATIONS_SOURCE_DIR "/tests/conformance/data/graph.jsonl");
  text += R"({"id":"hub-0","type":"hub","visibleBy":["public"],"attributes":{"hub":"0"}})"
          "\n";
  for (int i = 1; i <= kHubLeaves; ++i) {
    const std::string number = std::to_string(1000 + i).substr(1);
    const std::string id = "leaf-" + number;
    text += R"({"id":")" + id + R"(","type":"leaf","visibleBy":["public"],"attributes":{}})" +
            "\n" + R"({"source":"hub-0","target":")" + id +
            R"(","lastSeen":"2024-01-01T00:00:00.)" + number + "Z\"}\n";
  }
  return text;
}

ConformanceSystem::ConformanceSystem() : system(ConformanceGraph()) {
  reader = system.CreateKeyPair("public,g1", "user");
  session = system.CreateSession("g1,public", "user");
  public_reader = system.CreateKeyPair("public", "user");
  g2_reader = system.CreateSession("g2", "user");
  stranger = system.CreateKeyPair("nobody-else", "user");
  groupless = system.CreateSession("public", "user");
  system.ChangeCredential(groupless, [](auto& record) { record.clear_groups(); });
  admin = system.CreateKeyPair("public,g1", "admin");
  reporter = system.CreateKeyPair("public,g1", "reporter");
  trusted = system.CreateKeyPair("public,g1", "trusted");
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  expired = system.CreateKeyPair("public,g1", "user");
  system.ChangeCredential(expired, [&](auto& record) { record.set_expires_at(now - 1); });
  expired_session = system.CreateSession("public,g1", "user");
  system.ChangeCredential(expired_session, [&](auto& record) { record.set_expires_at(now - 1); });
  unverified = system.CreateKeyPair("public,g1", "user");
  system.ChangeCredential(unverified, [](auto& record) { record.set_verified(false); });
  revoked = system.CreateKeyPair("public,g1", "user");
  if (system.Ctl({"keys", "revoke", revoked.id}).exit_code != 0) {
    throw std::runtime_error("keys revoke");
  }
  system.StartServer();
  system.StartGateway();
}

ConformanceSystem& Conformance() {
  // Tried once: after a failure every test says so at once.
  static const std::unique_ptr<ConformanceSystem> system = [] {
    try {
      return std::make_unique<ConformanceSystem>();
    } catch (const std::exception& failure) {
      std::cerr << failure.what() << std::endl;
      return std::unique_ptr<ConformanceSystem>();
    }
  }();
  Require(system != nullptr, "the system under test did not start");
  return *system;
}

}  // namespace relations
