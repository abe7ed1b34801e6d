// The embedded credential store: sessions and key pairs, in the column family `credentials`. Only
// SHA-256 digests of secrets are stored: secrets are long random strings, so a slow hash would add
// nothing. Comparison takes constant time.
//
//   ASSIGN_OR_RETURN(CreatedKeyPair created, store.CreateKeyPair(params));
//   ASSIGN_OR_RETURN(auto principal, store.FindKeyPair(key, secret, absl::Now()));
//
// Thread-safe. A revocation counts for every Find that starts after Revoke returned. What was found
// is remembered, so a database has one CredentialStore. Where the database only follows, changes
// are refused (PERMISSION_DENIED), and those of the primary count once they are read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "relations/store/v1/credential.pb.h"
#include "storage/credential_cache.h"
#include "storage/graph_types.h"
#include "storage/rocks/database.h"

namespace relations {

// Who a credential speaks for.
struct Principal {
  // The credential's public handle: a UUID.
  std::string credential_id;
  std::string user_id;
  // Canonical.
  GroupSet groups;
  std::vector<std::string> roles;
};

struct CreateCredentialParams {
  // A UUID.
  std::string user_id;
  // Optional.
  std::string name;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  // 1 to limits::kCredentialDaysMax.
  int days = 0;
};

struct CreatedKeyPair {
  // 32 characters of A-Z a-z 0-9.
  std::string api_key;
  // 64 characters of A-Z a-z 0-9; not to be had again.
  std::string api_secret;
  store::v1::CredentialRecord record;
};

struct CreatedSession {
  // 64 characters of A-Z a-z 0-9; not to be had again.
  std::string bearer;
  store::v1::CredentialRecord record;
};

class CredentialStore {
 public:
  // Gives the database to use for one call.
  using Source = std::function<std::shared_ptr<RocksDatabase>()>;

  // `database` is not owned and must outlive this.
  explicit CredentialStore(RocksDatabase* database)
      : source_([database] {
          return std::shared_ptr<RocksDatabase>(std::shared_ptr<void>(), database);
        }) {}
  // For a store that is now one database and now another (followed_store.h).
  explicit CredentialStore(Source source) : source_(std::move(source)) {}

  // INVALID_ARGUMENT names the parameter that is wrong and what is accepted. The record is on disk
  // when this returns.
  absl::StatusOr<CreatedKeyPair> CreateKeyPair(const CreateCredentialParams& params);
  absl::StatusOr<CreatedSession> CreateSession(const CreateCredentialParams& params);

  // The principal of a key pair or a session token that is known, verified, not revoked and not
  // expired at `now`; nothing otherwise, whatever the cause. DATA_LOSS or INTERNAL when the store
  // cannot tell.
  absl::StatusOr<std::optional<Principal>> FindKeyPair(absl::string_view api_key,
                                                       absl::string_view api_secret,
                                                       absl::Time now) const;
  absl::StatusOr<std::optional<Principal>> FindSession(absl::string_view bearer,
                                                       absl::Time now) const;

  // All credentials of a kind, revoked and expired ones included, ordered by id.
  absl::StatusOr<std::vector<store::v1::CredentialRecord>> List(
      store::v1::CredentialRecord::Kind kind) const;

  // Revokes for ever; revoking twice is no error. NOT_FOUND when no credential of the kind has the
  // id.
  absl::StatusOr<store::v1::CredentialRecord> Revoke(store::v1::CredentialRecord::Kind kind,
                                                     absl::string_view id);

 private:
  const Source source_;
  // Of what FindKeyPair and FindSession read.
  mutable CredentialCache cache_;
};

}  // namespace relations
