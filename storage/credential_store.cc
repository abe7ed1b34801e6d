// The family `credentials` on disk. Digests are SHA-256, 32 raw bytes.
//
//   key                          value
//   'k' digest(api key)          CredentialRecord of kind KEY_PAIR; secret_sha256 = digest(api
//   secret) 's' digest(session token)    CredentialRecord of kind SESSION;  secret_sha256 =
//   digest(token) 'i' id (36 characters)       the key above whose record has this id: 33 bytes
//
// A record and its index entry are written in one batch. No key or value holds a secret or an API
// key in clear. Records are never removed, so that a revocation stays provable.
#include "storage/credential_store.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/base/json_text.h"
#include "storage/base/limits.h"
#include "storage/base/public_error.h"
#include "storage/base/random.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

using store::v1::CredentialRecord;

constexpr char kKeyPairPrefix = 'k';
constexpr char kSessionPrefix = 's';
constexpr char kIdPrefix = 'i';
constexpr size_t kDigestBytes = SHA256_DIGEST_LENGTH;

constexpr size_t kApiKeyLength = 32;
constexpr size_t kSecretLength = 64;

constexpr std::array<absl::string_view, 4> kRoles = {"user", "reporter", "trusted", "admin"};

std::string Digest(absl::string_view text) {
  std::string digest(kDigestBytes, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
         reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

char PrefixOf(CredentialRecord::Kind kind) {
  return kind == CredentialRecord::KIND_KEY_PAIR ? kKeyPairPrefix : kSessionPrefix;
}

std::string KeyOfDigest(CredentialRecord::Kind kind, absl::string_view digest) {
  return absl::StrCat(std::string(1, PrefixOf(kind)), digest);
}

std::string RecordKey(CredentialRecord::Kind kind, absl::string_view key_or_token) {
  return KeyOfDigest(kind, Digest(key_or_token));
}

std::string IdKey(absl::string_view id) { return absl::StrCat(std::string(1, kIdPrefix), id); }

// REQUIRES nothing of `bytes`. DATA_LOSS when it is not a record of the kind.
absl::StatusOr<CredentialRecord> ParseRecord(CredentialRecord::Kind kind, absl::string_view bytes) {
  CredentialRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      record.kind() != kind || record.id().empty() ||
      record.secret_sha256().size() != kDigestBytes) {
    return absl::DataLossError("a record of the family credentials is damaged");
  }
  return record;
}

absl::Status Invalid(absl::string_view param, absl::string_view message) {
  return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message, param);
}

// 8-4-4-4-12 hexadecimal digits.
bool IsUuid(absl::string_view text) {
  if (text.size() != 36) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  return true;
}

bool IsCredentialName(absl::string_view name) {
  return name.size() <= limits::kCredentialNameBytesMax && IsValidUtf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

absl::Status Judge(const CreateCredentialParams& params) {
  if (!IsUuid(params.user_id)) {
    return Invalid("user_id", "user_id must be a UUID");
  }
  if (!IsCredentialName(params.name)) {
    return Invalid("name", absl::StrCat("name must be at most ", limits::kCredentialNameBytesMax,
                                        " bytes of UTF-8 without control characters"));
  }
  if (params.groups.size() > limits::kPrincipalGroupsMax) {
    return Invalid("groups", absl::StrCat("groups must be at most ", limits::kPrincipalGroupsMax));
  }
  if (!std::all_of(params.groups.begin(), params.groups.end(),
                   [](const std::string& group) { return IsGroupName(group); })) {
    return Invalid("groups", absl::StrCat("each group must be 1 to ", limits::kGroupBytesMax,
                                          " bytes of UTF-8 without comma and control characters"));
  }
  for (const std::string& role : params.roles) {
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return Invalid("roles", "each role must be user, reporter, trusted or admin");
    }
  }
  if (params.days < 1 || params.days > limits::kCredentialDaysMax) {
    return Invalid("days", absl::StrCat("days must be 1 to ", limits::kCredentialDaysMax));
  }
  return absl::OkStatus();
}

// The record of judged params.
CredentialRecord MakeRecord(CredentialRecord::Kind kind, const CreateCredentialParams& params,
                            absl::string_view secret) {
  const absl::Time now = absl::Now();
  CredentialRecord record;
  record.set_kind(kind);
  record.set_id(NewUuid());
  record.set_secret_sha256(Digest(secret));
  record.set_user_id(absl::AsciiStrToLower(params.user_id));
  record.set_name(params.name);
  for (std::string& group : CanonicalGroups(params.groups)) {
    record.add_groups(std::move(group));
  }
  for (const absl::string_view role : kRoles) {
    if (std::find(params.roles.begin(), params.roles.end(), role) != params.roles.end()) {
      record.add_roles(std::string(role));
    }
  }
  record.set_created_at(absl::ToUnixSeconds(now));
  record.set_expires_at(absl::ToUnixSeconds(now + absl::Hours(24) * params.days));
  record.set_verified(true);
  return record;
}

absl::Status Insert(RocksDatabase& database, const std::string& key,
                    const CredentialRecord& record) {
  rocksdb::WriteBatch batch;
  rocksdb::ColumnFamilyHandle* family = database.family(Family::kCredentials);
  // A batch held in memory without a size limit takes every Put.
  batch.Put(family, key, record.SerializeAsString());
  batch.Put(family, IdKey(record.id()), key);
  return database.Write(batch);
}

// The record under `key`, or null; from the cache, where it has one.
absl::StatusOr<CredentialCache::Record> ReadRecord(const RocksDatabase& database,
                                                   CredentialCache& cache,
                                                   CredentialRecord::Kind kind,
                                                   const std::string& key) {
  const uint64_t sequence = database.db().GetLatestSequenceNumber();
  if (CredentialCache::Record known = cache.Find(key, sequence)) return known;
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, database.Get(Family::kCredentials, key));
  if (!bytes.has_value()) return nullptr;
  ASSIGN_OR_RETURN(CredentialRecord parsed, ParseRecord(kind, *bytes));
  CredentialCache::Record record = std::make_shared<const CredentialRecord>(std::move(parsed));
  cache.Insert(key, record, sequence);
  return record;
}

// The principal of the record under `key` if `secret` is the digest of its secret. An unknown
// credential costs the same comparison as a wrong secret.
absl::StatusOr<std::optional<Principal>> Find(const RocksDatabase& database, CredentialCache& cache,
                                              CredentialRecord::Kind kind, const std::string& key,
                                              absl::string_view secret, absl::Time now) {
  ASSIGN_OR_RETURN(const CredentialCache::Record record, ReadRecord(database, cache, kind, key));
  static constexpr std::array<char, kDigestBytes> kNobody = {};
  const char* const expected = record == nullptr ? kNobody.data() : record->secret_sha256().data();
  const bool matches = CRYPTO_memcmp(secret.data(), expected, kDigestBytes) == 0;
  if (record == nullptr || !matches || !record->verified() || record->revoked() ||
      now >= absl::FromUnixSeconds(record->expires_at())) {
    return std::optional<Principal>();
  }
  Principal principal;
  principal.credential_id = record->id();
  principal.user_id = record->user_id();
  principal.groups = CanonicalGroups({record->groups().begin(), record->groups().end()});
  principal.roles.assign(record->roles().begin(), record->roles().end());
  return std::optional<Principal>(std::move(principal));
}

}  // namespace

absl::StatusOr<CreatedKeyPair> CredentialStore::CreateKeyPair(
    const CreateCredentialParams& params) {
  RETURN_IF_ERROR(Judge(params));
  CreatedKeyPair created;
  created.api_key = RandomAlphanumeric(kApiKeyLength);
  created.api_secret = RandomAlphanumeric(kSecretLength);
  created.record = MakeRecord(CredentialRecord::KIND_KEY_PAIR, params, created.api_secret);
  RETURN_IF_ERROR(Insert(*source_(), RecordKey(CredentialRecord::KIND_KEY_PAIR, created.api_key),
                         created.record));
  return created;
}

absl::StatusOr<CreatedSession> CredentialStore::CreateSession(
    const CreateCredentialParams& params) {
  RETURN_IF_ERROR(Judge(params));
  CreatedSession created;
  created.bearer = RandomAlphanumeric(kSecretLength);
  created.record = MakeRecord(CredentialRecord::KIND_SESSION, params, created.bearer);
  RETURN_IF_ERROR(Insert(*source_(), RecordKey(CredentialRecord::KIND_SESSION, created.bearer),
                         created.record));
  return created;
}

absl::StatusOr<std::optional<Principal>> CredentialStore::FindKeyPair(absl::string_view api_key,
                                                                      absl::string_view api_secret,
                                                                      absl::Time now) const {
  return Find(*source_(), cache_, CredentialRecord::KIND_KEY_PAIR,
              RecordKey(CredentialRecord::KIND_KEY_PAIR, api_key), Digest(api_secret), now);
}

absl::StatusOr<std::optional<Principal>> CredentialStore::FindSession(absl::string_view bearer,
                                                                      absl::Time now) const {
  // The token is its own secret: one digest finds the record and proves the token.
  const std::string digest = Digest(bearer);
  return Find(*source_(), cache_, CredentialRecord::KIND_SESSION,
              KeyOfDigest(CredentialRecord::KIND_SESSION, digest), digest, now);
}

absl::StatusOr<std::vector<CredentialRecord>> CredentialStore::List(
    CredentialRecord::Kind kind) const {
  std::vector<CredentialRecord> records;
  const char prefix = PrefixOf(kind);
  RETURN_IF_ERROR(
      source_()->ForEach(Family::kCredentials, absl::string_view(&prefix, 1),
                         [&](absl::string_view, absl::string_view value) -> absl::Status {
                           ASSIGN_OR_RETURN(CredentialRecord record, ParseRecord(kind, value));
                           records.push_back(std::move(record));
                           return absl::OkStatus();
                         }));
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.id() < b.id(); });
  return records;
}

absl::StatusOr<CredentialRecord> CredentialStore::Revoke(CredentialRecord::Kind kind,
                                                         absl::string_view id) {
  const std::shared_ptr<RocksDatabase> database = source_();
  ASSIGN_OR_RETURN(const std::optional<std::string> key,
                   database->Get(Family::kCredentials, IdKey(id)));
  if (!key.has_value() || key->empty() || key->front() != PrefixOf(kind)) {
    return PublicError(absl::StatusCode::kNotFound, reason::kNotFound,
                       "no credential of this kind has this id", "id");
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                   database->Get(Family::kCredentials, *key));
  if (!bytes.has_value()) {
    return absl::DataLossError(absl::StrCat("the credential ", id, " has an index but no record"));
  }
  ASSIGN_OR_RETURN(CredentialRecord record, ParseRecord(kind, *bytes));
  if (record.revoked()) {
    return record;
  }
  // Nothing else in a record ever changes, so that two revocations at once write the same bytes.
  record.set_revoked(true);
  rocksdb::WriteBatch batch;
  batch.Put(database->family(Family::kCredentials), *key, record.SerializeAsString());
  RETURN_IF_ERROR(database->Write(batch));
  return record;
}

}  // namespace relations
