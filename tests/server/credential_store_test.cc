#include "storage/credential_store.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

using store::v1::CredentialRecord;

constexpr char kUser[] = "7e57e57e-0000-4000-8000-000000000001";
constexpr auto kKeyPair = CredentialRecord::KIND_KEY_PAIR;
constexpr auto kSession = CredentialRecord::KIND_SESSION;

class StoreOnDisk {
 public:
  StoreOnDisk() { Open(OpenMode::kCreateIfMissing); }

  void Reopen() {
    REQUIRE(database_->Close().ok());
    Open(OpenMode::kExisting);
  }
  CredentialStore& store() { return *store_; }
  RocksDatabase& database() { return *database_; }

  // Every key and value of the family, one after the other.
  std::string AllBytes() {
    std::string bytes;
    REQUIRE(database_
                ->ForEach(Family::kCredentials, "",
                          [&](absl::string_view key, absl::string_view value) {
                            bytes.append(key.data(), key.size());
                            bytes.append(value.data(), value.size());
                            return absl::OkStatus();
                          })
                .ok());
    return bytes;
  }

 private:
  void Open(OpenMode mode) {
    store_.reset();
    database_.reset();
    DatabaseOptions options;
    options.directory = directory_ / "store";
    options.mode = mode;
    options.cache_bytes = uint64_t{8} << 20;
    auto database = RocksDatabase::Open(options);
    REQUIRE(database.ok());
    database_ = *std::move(database);
    store_ = std::make_unique<CredentialStore>(database_.get());
  }

  TempDir directory_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<CredentialStore> store_;
};

CreateCredentialParams Params() { return {kUser, "name", {"public"}, {"user"}, 1}; }

// Who a search found: the user, "nobody" or the error.
std::string Found(const absl::StatusOr<std::optional<Principal>>& principal) {
  if (!principal.ok()) {
    return principal.status().ToString();
  }
  return principal->has_value() ? (*principal)->user_id : "nobody";
}

TEST_CASE("a key pair is found by key and secret together, and by nothing else") {
  StoreOnDisk disk;
  const auto pair = disk.store().CreateKeyPair(Params());
  const auto other = disk.store().CreateKeyPair(Params());
  REQUIRE(pair.ok());
  REQUIRE(other.ok());
  const absl::Time now = absl::Now();
  CHECK(Found(disk.store().FindKeyPair(pair->api_key, pair->api_secret, now)) == kUser);
  CHECK(Found(disk.store().FindKeyPair(pair->api_key, other->api_secret, now)) == "nobody");
  CHECK(Found(disk.store().FindKeyPair(other->api_key, pair->api_secret, now)) == "nobody");
  CHECK(Found(disk.store().FindKeyPair("unknown", pair->api_secret, now)) == "nobody");
  CHECK(Found(disk.store().FindKeyPair(pair->api_key, pair->api_secret + "x", now)) == "nobody");
  CHECK(Found(disk.store().FindKeyPair("", "", now)) == "nobody");
  CHECK(Found(disk.store().FindSession(pair->api_secret, now)) == "nobody");
  CHECK(Found(disk.store().FindSession(pair->api_key, now)) == "nobody");
}

TEST_CASE("a principal is what the credential was made for") {
  StoreOnDisk disk;
  CreateCredentialParams params = Params();
  params.user_id = "7E57E57E-0000-4000-8000-00000000000A";
  params.groups = {"g2", "g1", "g2"};
  params.roles = {"admin", "user", "admin"};
  const auto session = disk.store().CreateSession(params);
  REQUIRE(session.ok());
  const auto principal = disk.store().FindSession(session->bearer, absl::Now());
  REQUIRE(principal.ok());
  REQUIRE(principal->has_value());
  CHECK((*principal)->user_id == "7e57e57e-0000-4000-8000-00000000000a");
  CHECK((*principal)->credential_id == session->record.id());
  CHECK((*principal)->groups == GroupSet{"g1", "g2"});
  CHECK((*principal)->roles == std::vector<std::string>{"user", "admin"});
}

TEST_CASE("a credential ends in the second that it names") {
  StoreOnDisk disk;
  const auto session = disk.store().CreateSession(Params());
  REQUIRE(session.ok());
  const absl::Time end = absl::FromUnixSeconds(session->record.expires_at());
  CHECK(end - absl::FromUnixSeconds(session->record.created_at()) == absl::Hours(24));
  CHECK(Found(disk.store().FindSession(session->bearer, end - absl::Nanoseconds(1))) == kUser);
  CHECK(Found(disk.store().FindSession(session->bearer, end)) == "nobody");
}

TEST_CASE("credentials and revocations survive a restart") {
  StoreOnDisk disk;
  const auto kept = disk.store().CreateSession(Params());
  const auto revoked = disk.store().CreateSession(Params());
  REQUIRE(kept.ok());
  REQUIRE(revoked.ok());
  REQUIRE(disk.store().Revoke(kSession, revoked->record.id()).ok());
  disk.Reopen();
  CHECK(Found(disk.store().FindSession(kept->bearer, absl::Now())) == kUser);
  CHECK(Found(disk.store().FindSession(revoked->bearer, absl::Now())) == "nobody");
}

TEST_CASE("a revocation is of one credential, for ever, and of the right kind") {
  StoreOnDisk disk;
  const auto pair = disk.store().CreateKeyPair(Params());
  REQUIRE(pair.ok());
  const std::string& id = pair->record.id();
  CHECK(disk.store().Revoke(kSession, id).status().code() == absl::StatusCode::kNotFound);
  CHECK(disk.store().Revoke(kKeyPair, "unknown").status().code() == absl::StatusCode::kNotFound);
  CHECK(disk.store().Revoke(kKeyPair, "").status().code() == absl::StatusCode::kNotFound);
  CHECK(Found(disk.store().FindKeyPair(pair->api_key, pair->api_secret, absl::Now())) == kUser);
  for (int time = 0; time < 2; ++time) {
    const auto record = disk.store().Revoke(kKeyPair, id);
    REQUIRE(record.ok());
    CHECK(record->revoked());
    CHECK(Found(disk.store().FindKeyPair(pair->api_key, pair->api_secret, absl::Now())) ==
          "nobody");
  }
}

TEST_CASE(
    "a revocation counts at once, also where the credential was just found and by whom ever") {
  StoreOnDisk disk;
  CredentialStore other(&disk.database());
  const auto session = disk.store().CreateSession(Params());
  const auto kept = disk.store().CreateSession(Params());
  REQUIRE(session.ok());
  REQUIRE(kept.ok());
  for (int time = 0; time < 2; ++time) {
    CHECK(Found(disk.store().FindSession(session->bearer, absl::Now())) == kUser);
    CHECK(Found(disk.store().FindSession(kept->bearer, absl::Now())) == kUser);
  }
  const absl::Time end = absl::FromUnixSeconds(session->record.expires_at());
  CHECK(Found(disk.store().FindSession(session->bearer, end)) == "nobody");
  REQUIRE(other.Revoke(kSession, session->record.id()).ok());
  CHECK(Found(disk.store().FindSession(session->bearer, absl::Now())) == "nobody");
  CHECK(Found(disk.store().FindSession(kept->bearer, absl::Now())) == kUser);
}

TEST_CASE("lists are by kind, ordered by id, with the revoked ones") {
  StoreOnDisk disk;
  std::set<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    ids.insert(disk.store().CreateKeyPair(Params())->record.id());
  }
  REQUIRE(disk.store().CreateSession(Params()).ok());
  REQUIRE(disk.store().Revoke(kKeyPair, *ids.begin()).ok());
  const auto pairs = disk.store().List(kKeyPair);
  REQUIRE(pairs.ok());
  REQUIRE(pairs->size() == ids.size());
  CHECK(std::equal(ids.begin(), ids.end(), pairs->begin(),
                   [](const std::string& id, const auto& record) { return id == record.id(); }));
  CHECK(pairs->front().revoked());
  CHECK_FALSE(pairs->back().revoked());
  CHECK(disk.store().List(kSession)->size() == 1);
}

TEST_CASE("no key, secret or token is on disk in clear") {
  StoreOnDisk disk;
  const auto pair = disk.store().CreateKeyPair(Params());
  const auto session = disk.store().CreateSession(Params());
  REQUIRE(pair.ok());
  REQUIRE(session.ok());
  const std::string bytes = disk.AllBytes();
  CHECK(bytes.find(pair->record.id()) != std::string::npos);
  CHECK(bytes.find(pair->api_key) == std::string::npos);
  CHECK(bytes.find(pair->api_secret) == std::string::npos);
  CHECK(bytes.find(session->bearer) == std::string::npos);
}

TEST_CASE("a damaged record is data loss, not an unknown caller") {
  StoreOnDisk disk;
  const auto session = disk.store().CreateSession(Params());
  REQUIRE(session.ok());
  const auto key = disk.database().Get(Family::kCredentials, "i" + session->record.id());
  REQUIRE(key.ok());
  REQUIRE(key->has_value());
  const std::string record = session->record.SerializeAsString();
  auto no_secret = session->record;
  no_secret.clear_secret_sha256();
  auto other_kind = session->record;
  other_kind.set_kind(kKeyPair);
  for (const std::string& damaged :
       {std::string(), record.substr(0, record.size() / 2), std::string("\xFF\xFF"),
        no_secret.SerializeAsString(), other_kind.SerializeAsString()}) {
    rocksdb::WriteBatch batch;
    batch.Put(disk.database().family(Family::kCredentials), **key, damaged);
    REQUIRE(disk.database().Write(batch).ok());
    CHECK(disk.store().FindSession(session->bearer, absl::Now()).status().code() ==
          absl::StatusCode::kDataLoss);
    CHECK(disk.store().List(kSession).status().code() == absl::StatusCode::kDataLoss);
    CHECK(disk.store().Revoke(kSession, session->record.id()).status().code() ==
          absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("unfit parameters are refused by name and nothing is stored") {
  StoreOnDisk disk;
  struct Row {
    std::string param;
    CreateCredentialParams params;
  };
  const std::string long_text(129, 'x');
  const std::vector<Row> rows = {
      {"user_id", {"", "", {}, {}, 1}},
      {"user_id", {"7e57e57e-0000-4000-8000-00000000000g", "", {}, {}, 1}},
      {"user_id", {"7e57e57e000040008000000000000001aaaa", "", {}, {}, 1}},
      {"name", {kUser, long_text, {}, {}, 1}},
      {"name", {kUser, "a\nb", {}, {}, 1}},
      {"name", {kUser, "\xC3", {}, {}, 1}},
      {"groups", {kUser, "", {""}, {}, 1}},
      {"groups", {kUser, "", {"a,b"}, {}, 1}},
      {"groups", {kUser, "", {long_text}, {}, 1}},
      {"groups", {kUser, "", std::vector<std::string>(1025, "g"), {}, 1}},
      {"roles", {kUser, "", {}, {"root"}, 1}},
      {"roles", {kUser, "", {}, {""}, 1}},
      {"days", {kUser, "", {}, {}, 0}},
      {"days", {kUser, "", {}, {}, -1}},
      {"days", {kUser, "", {}, {}, 3651}}};
  for (const Row& row : rows) {
    CAPTURE(row.param);
    const absl::Status status = disk.store().CreateKeyPair(row.params).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(ParamOf(status) == row.param);
    CHECK(ParamOf(disk.store().CreateSession(row.params).status()) == row.param);
  }
  CHECK(disk.AllBytes().empty());
  CHECK(disk.store()
            .CreateKeyPair({kUser, long_text.substr(1), {long_text.substr(1)}, {}, 3650})
            .ok());
}

TEST_CASE("random text has the asked length, only letters and digits, and all of them") {
  CHECK(RandomAlphanumeric(0).empty());
  CHECK(RandomAlphanumeric(1).size() == 1);
  const std::string text = RandomAlphanumeric(62 * 1000);
  REQUIRE(text.size() == 62 * 1000);
  for (const char c : std::set<char>(text.begin(), text.end())) {
    CHECK(absl::ascii_isalnum(static_cast<unsigned char>(c)));
    const auto count = std::count(text.begin(), text.end(), c);
    // 1000 expected, standard deviation 31: a fair generator is never ten deviations off.
    CHECK(count > 690);
    CHECK(count < 1310);
  }
  CHECK(std::set<char>(text.begin(), text.end()).size() == 62);
}

}  // namespace
}  // namespace relations
