#include "server/admin_service.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"
#include "storage/stats_answer.h"

namespace relations {
namespace {

using store::v1::CredentialRecord;

constexpr char kAdminRole[] = "admin";
constexpr int kKeyPairDaysDefault = 365;
constexpr int kSessionDaysDefault = 1;

// A method of this service from `work`, which is absl::StatusOr<Answer>(Call&, const Request&).
template <typename Request, typename Work>
UnaryMethod Method(const char* name, Work work, bool writes = false) {
  return {name,
          {kAdminRole},
          [work](Call& call, const grpc::ByteBuffer& bytes,
                 grpc::ByteBuffer& answer_bytes) -> absl::Status {
            Request request;
            RETURN_IF_ERROR(ParseRequest(bytes, request));
            ASSIGN_OR_RETURN(const auto answer, work(call, request));
            ASSIGN_OR_RETURN(answer_bytes, SerialiseAnswer(answer));
            return absl::OkStatus();
          },
          writes};
}

absl::StatusOr<CredentialRecord::Kind> KindOf(v1::CredentialKind kind) {
  switch (kind) {
    case v1::CREDENTIAL_KIND_KEY_PAIR:
      return CredentialRecord::KIND_KEY_PAIR;
    case v1::CREDENTIAL_KIND_SESSION:
      return CredentialRecord::KIND_SESSION;
    default:
      return PublicError(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                         "kind must be a key pair or a session", "kind");
  }
}

CreateCredentialParams ParamsOf(const v1::CreateCredentialRequest& request, int days_default) {
  CreateCredentialParams params;
  params.user_id = request.user_id();
  params.name = request.name();
  params.groups.assign(request.groups().begin(), request.groups().end());
  params.roles.assign(request.roles().begin(), request.roles().end());
  params.days = request.days() == 0 ? days_default : request.days();
  return params;
}

// What may be told of a record.
v1::Credential Shown(const CredentialRecord& record) {
  v1::Credential credential;
  credential.set_kind(record.kind() == CredentialRecord::KIND_KEY_PAIR
                          ? v1::CREDENTIAL_KIND_KEY_PAIR
                          : v1::CREDENTIAL_KIND_SESSION);
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

absl::StatusOr<v1::CreateKeyPairResponse> NewKeyPair(CredentialStore& credentials, Call& call,
                                                     const v1::CreateCredentialRequest& request) {
  ASSIGN_OR_RETURN(const CreatedKeyPair created,
                   credentials.CreateKeyPair(ParamsOf(request, kKeyPairDaysDefault)));
  call.notes().subject = created.record.id();
  v1::CreateKeyPairResponse answer;
  answer.set_api_key(created.api_key);
  answer.set_api_secret(created.api_secret);
  *answer.mutable_credential() = Shown(created.record);
  return answer;
}

absl::StatusOr<v1::CreateSessionResponse> NewSession(CredentialStore& credentials, Call& call,
                                                     const v1::CreateCredentialRequest& request) {
  ASSIGN_OR_RETURN(const CreatedSession created,
                   credentials.CreateSession(ParamsOf(request, kSessionDaysDefault)));
  call.notes().subject = created.record.id();
  v1::CreateSessionResponse answer;
  answer.set_bearer(created.bearer);
  *answer.mutable_credential() = Shown(created.record);
  return answer;
}

absl::StatusOr<v1::ListCredentialsResponse> List(const CredentialStore& credentials,
                                                 const v1::ListCredentialsRequest& request) {
  ASSIGN_OR_RETURN(const CredentialRecord::Kind kind, KindOf(request.kind()));
  ASSIGN_OR_RETURN(const std::vector<CredentialRecord> records, credentials.List(kind));
  v1::ListCredentialsResponse answer;
  for (const CredentialRecord& record : records) {
    *answer.add_credentials() = Shown(record);
  }
  return answer;
}

absl::StatusOr<v1::RevokeCredentialResponse> Revoke(CredentialStore& credentials, Call& call,
                                                    const v1::RevokeCredentialRequest& request) {
  ASSIGN_OR_RETURN(const CredentialRecord::Kind kind, KindOf(request.kind()));
  ASSIGN_OR_RETURN(const CredentialRecord record, credentials.Revoke(kind, request.id()));
  call.notes().subject = record.id();
  v1::RevokeCredentialResponse answer;
  *answer.mutable_credential() = Shown(record);
  return answer;
}

absl::StatusOr<v1::GetStatsResponse> Stats(GraphStore& graph) {
  ASSIGN_OR_RETURN(const GraphStats stats, graph.Stats());
  return StatsAnswer(stats);
}

absl::Status NoBackups() {
  return PublicError(absl::StatusCode::kFailedPrecondition, kNoBackupsReason,
                     "this server has no directory of backups (--backup-dir)");
}

v1::Backup Shown(const BackupSummary& summary) {
  v1::Backup backup;
  backup.set_id(summary.id);
  backup.mutable_created_at()->set_seconds(absl::ToUnixSeconds(summary.created_at));
  backup.set_bytes(summary.bytes);
  backup.set_store_id(summary.store_id);
  backup.set_sequence(summary.sequence);
  return backup;
}

absl::StatusOr<v1::CreateBackupResponse> TakeBackup(BackupDirectory* backups, Call& call) {
  if (backups == nullptr) return NoBackups();
  ASSIGN_OR_RETURN(const BackupSummary summary, backups->Create(BackupDirectory::IfBusy::kRefuse));
  call.notes().subject = absl::StrCat(summary.id);
  v1::CreateBackupResponse answer;
  *answer.mutable_backup() = Shown(summary);
  return answer;
}

absl::StatusOr<v1::ListBackupsResponse> ListAllBackups(const BackupDirectory* backups) {
  if (backups == nullptr) return NoBackups();
  ASSIGN_OR_RETURN(const std::vector<BackupSummary> summaries, backups->List());
  v1::ListBackupsResponse answer;
  for (const BackupSummary& summary : summaries) *answer.add_backups() = Shown(summary);
  return answer;
}

}  // namespace

AdminService::AdminService(const CallEnvironment& environment, const CallEnvironment& slow,
                           const AdminBackends& backends)
    : environment_(environment),
      slow_(slow),
      create_key_pair_(Method<v1::CreateCredentialRequest>(
          "CreateKeyPair",
          [credentials = backends.credentials](Call& call,
                                               const v1::CreateCredentialRequest& request) {
            return NewKeyPair(*credentials, call, request);
          },
          /*writes=*/true)),
      create_session_(Method<v1::CreateCredentialRequest>(
          "CreateSession",
          [credentials = backends.credentials](Call& call,
                                               const v1::CreateCredentialRequest& request) {
            return NewSession(*credentials, call, request);
          },
          /*writes=*/true)),
      list_credentials_(Method<v1::ListCredentialsRequest>(
          "ListCredentials",
          [credentials = backends.credentials](Call&, const v1::ListCredentialsRequest& request) {
            return List(*credentials, request);
          })),
      revoke_credential_(Method<v1::RevokeCredentialRequest>(
          "RevokeCredential",
          [credentials = backends.credentials](Call& call,
                                               const v1::RevokeCredentialRequest& request) {
            return Revoke(*credentials, call, request);
          },
          /*writes=*/true)),
      get_stats_(Method<v1::GetStatsRequest>(
          "GetStats",
          [graph = backends.graph](Call&, const v1::GetStatsRequest&) { return Stats(*graph); })),
      create_backup_(Method<v1::CreateBackupRequest>(
          "CreateBackup",
          [backups = backends.backups](Call& call, const v1::CreateBackupRequest&) {
            return TakeBackup(backups, call);
          },
          /*writes=*/true)),
      list_backups_(Method<v1::ListBackupsRequest>(
          "ListBackups", [backups = backends.backups](Call&, const v1::ListBackupsRequest&) {
            return ListAllBackups(backups);
          })) {}

grpc::ServerUnaryReactor* AdminService::CreateKeyPair(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, create_key_pair_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::CreateSession(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, create_session_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::ListCredentials(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request,
                                                        grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, list_credentials_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::RevokeCredential(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, revoke_credential_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::GetStats(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* answer) {
  return ServeUnary(environment_, get_stats_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::CreateBackup(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* answer) {
  return ServeUnary(slow_, create_backup_, context, request, answer);
}

grpc::ServerUnaryReactor* AdminService::ListBackups(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* answer) {
  return ServeUnary(slow_, list_backups_, context, request, answer);
}

}  // namespace relations
