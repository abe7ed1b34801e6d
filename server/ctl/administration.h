// What an operator does to credentials and asks of the whole store, in the terms of the
// administration API, wherever it happens: in the files of a stopped store or at a running server.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "relations/v1/admin.pb.h"
#include "relations/v1/ingest.pb.h"
#include "server/ctl/rpc_client.h"

namespace relations {

class Administration {
 public:
  virtual ~Administration() = default;

  // `request.days` is always given. INVALID_ARGUMENT names the parameter that is wrong.
  virtual absl::StatusOr<v1::CreateKeyPairResponse> CreateKeyPair(
      const v1::CreateCredentialRequest& request) = 0;
  virtual absl::StatusOr<v1::CreateSessionResponse> CreateSession(
      const v1::CreateCredentialRequest& request) = 0;
  virtual absl::StatusOr<v1::ListCredentialsResponse> List(v1::CredentialKind kind) = 0;
  // NOT_FOUND when no credential of the kind has the id.
  virtual absl::StatusOr<v1::Credential> Revoke(v1::CredentialKind kind, const std::string& id) = 0;
  virtual absl::StatusOr<v1::GetStatsResponse> Stats() = 0;
  // Errors as IngestService says.
  virtual absl::Status Delete(const v1::DeleteRequest& request) = 0;
  virtual absl::Status Narrow(const v1::NarrowRequest& request) = 0;
};

// In a directory. It is opened for each call and closed before the call returns; only the two
// Create make a store where there is none.
std::unique_ptr<Administration> DirectoryAdministration(std::string directory);

// At a running server.
std::unique_ptr<Administration> ServerAdministration(RpcClient::Options options);

}  // namespace relations
