#include "server/ctl/administration.h"

#include <utility>

#include "server/ctl/local_store.h"
#include "storage/base/status_macros.h"
#include "storage/credential_store.h"
#include "storage/ingest/withdrawal.h"
#include "storage/stats_answer.h"

namespace relations {
namespace {

CreateCredentialParams ParamsOf(const v1::CreateCredentialRequest& request) {
  CreateCredentialParams params;
  params.user_id = request.user_id();
  params.name = request.name();
  params.groups.assign(request.groups().begin(), request.groups().end());
  params.roles.assign(request.roles().begin(), request.roles().end());
  params.days = request.days();
  return params;
}

v1::Credential Public(const store::v1::CredentialRecord& record) {
  v1::Credential credential;
  credential.set_kind(record.kind() == store::v1::CredentialRecord::KIND_SESSION
                          ? v1::CREDENTIAL_KIND_SESSION
                          : v1::CREDENTIAL_KIND_KEY_PAIR);
  credential.set_id(record.id());
  credential.set_user_id(record.user_id());
  credential.set_name(record.name());
  *credential.mutable_groups() = record.groups();
  *credential.mutable_roles() = record.roles();
  credential.mutable_expires_at()->set_seconds(record.expires_at());
  credential.mutable_created_at()->set_seconds(record.created_at());
  credential.set_revoked(record.revoked());
  return credential;
}

store::v1::CredentialRecord::Kind StoredKind(v1::CredentialKind kind) {
  return kind == v1::CREDENTIAL_KIND_SESSION ? store::v1::CredentialRecord::KIND_SESSION
                                             : store::v1::CredentialRecord::KIND_KEY_PAIR;
}

class InDirectory final : public Administration {
 public:
  explicit InDirectory(std::string directory) : directory_(std::move(directory)) {}

  absl::StatusOr<v1::CreateKeyPairResponse> CreateKeyPair(
      const v1::CreateCredentialRequest& request) override {
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kCreateIfMissing));
    ASSIGN_OR_RETURN(const CreatedKeyPair created,
                     CredentialStore(database.get()).CreateKeyPair(ParamsOf(request)));
    RETURN_IF_ERROR(database->Close());
    v1::CreateKeyPairResponse response;
    response.set_api_key(created.api_key);
    response.set_api_secret(created.api_secret);
    *response.mutable_credential() = Public(created.record);
    return response;
  }

  absl::StatusOr<v1::CreateSessionResponse> CreateSession(
      const v1::CreateCredentialRequest& request) override {
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kCreateIfMissing));
    ASSIGN_OR_RETURN(const CreatedSession created,
                     CredentialStore(database.get()).CreateSession(ParamsOf(request)));
    RETURN_IF_ERROR(database->Close());
    v1::CreateSessionResponse response;
    response.set_bearer(created.bearer);
    *response.mutable_credential() = Public(created.record);
    return response;
  }

  absl::StatusOr<v1::ListCredentialsResponse> List(v1::CredentialKind kind) override {
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kExisting));
    ASSIGN_OR_RETURN(const auto records, CredentialStore(database.get()).List(StoredKind(kind)));
    v1::ListCredentialsResponse response;
    for (const auto& record : records) *response.add_credentials() = Public(record);
    return response;
  }

  absl::StatusOr<v1::Credential> Revoke(v1::CredentialKind kind, const std::string& id) override {
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kExisting));
    ASSIGN_OR_RETURN(const auto record,
                     CredentialStore(database.get()).Revoke(StoredKind(kind), id));
    RETURN_IF_ERROR(database->Close());
    return Public(record);
  }

  absl::StatusOr<v1::GetStatsResponse> Stats() override {
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kExisting));
    ASSIGN_OR_RETURN(auto graph, RocksGraphStore::Open(database.get()));
    ASSIGN_OR_RETURN(const GraphStats stats, graph->Stats());
    v1::GetStatsResponse answer = StatsAnswer(stats);
    // The caches are those of this command, not of a server.
    answer.clear_caches();
    return answer;
  }

  absl::Status Delete(const v1::DeleteRequest& request) override {
    return Apply(ReadDeletion(request));
  }

  absl::Status Narrow(const v1::NarrowRequest& request) override {
    return Apply(ReadNarrowing(request));
  }

 private:
  absl::Status Apply(const absl::StatusOr<Mutations>& mutations) const {
    RETURN_IF_ERROR(mutations.status());
    ASSIGN_OR_RETURN(auto database, OpenDatabase(directory_, OpenMode::kExisting));
    ASSIGN_OR_RETURN(auto graph, RocksGraphStore::Open(database.get()));
    RETURN_IF_ERROR(graph->Apply(*mutations));
    graph.reset();
    return database->Close();
  }

  const std::string directory_;
};

class AtServer final : public Administration {
 public:
  explicit AtServer(RpcClient::Options options) : client_(std::move(options)) {}

  absl::StatusOr<v1::CreateKeyPairResponse> CreateKeyPair(
      const v1::CreateCredentialRequest& request) override {
    return client_.CreateKeyPair(request);
  }

  absl::StatusOr<v1::CreateSessionResponse> CreateSession(
      const v1::CreateCredentialRequest& request) override {
    return client_.CreateSession(request);
  }

  absl::StatusOr<v1::ListCredentialsResponse> List(v1::CredentialKind kind) override {
    v1::ListCredentialsRequest request;
    request.set_kind(kind);
    return client_.ListCredentials(request);
  }

  absl::StatusOr<v1::Credential> Revoke(v1::CredentialKind kind, const std::string& id) override {
    v1::RevokeCredentialRequest request;
    request.set_kind(kind);
    request.set_id(id);
    ASSIGN_OR_RETURN(const auto response, client_.RevokeCredential(request));
    return response.credential();
  }

  absl::StatusOr<v1::GetStatsResponse> Stats() override { return client_.GetStats(); }

  absl::Status Delete(const v1::DeleteRequest& request) override {
    return client_.Delete(request).status();
  }

  absl::Status Narrow(const v1::NarrowRequest& request) override {
    return client_.Narrow(request).status();
  }

 private:
  RpcClient client_;
};

}  // namespace

std::unique_ptr<Administration> DirectoryAdministration(std::string directory) {
  return std::make_unique<InDirectory>(std::move(directory));
}

std::unique_ptr<Administration> ServerAdministration(RpcClient::Options options) {
  return std::make_unique<AtServer>(std::move(options));
}

}  // namespace relations
