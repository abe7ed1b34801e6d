// relations.v1.AdminService: credentials, statistics and backups, for callers with the role
// `admin`. The contract is proto/relations/v1/admin.proto. Thread-safe.
#pragma once

#include "relations/v1/admin.grpc.pb.h"
#include "server/backup_directory.h"
#include "server/unary_call.h"
#include "storage/credential_store.h"
#include "storage/graph_store.h"

namespace relations {

// What the service stands on. Nothing is owned; all must outlive it.
struct AdminBackends {
  GraphStore* graph = nullptr;
  CredentialStore* credentials = nullptr;
  // Null: no backups.
  BackupDirectory* backups = nullptr;
};

// All methods take and give raw bytes.
using RawAdminService = v1::AdminService::WithRawCallbackMethod_CreateKeyPair<
    v1::AdminService::WithRawCallbackMethod_CreateSession<
        v1::AdminService::WithRawCallbackMethod_ListCredentials<
            v1::AdminService::WithRawCallbackMethod_RevokeCredential<
                v1::AdminService::WithRawCallbackMethod_GetStats<
                    v1::AdminService::WithRawCallbackMethod_CreateBackup<
                        v1::AdminService::WithRawCallbackMethod_ListBackups<
                            v1::AdminService::Service>>>>>>>;

class AdminService final : public RawAdminService {
 public:
  // `slow`'s workers take backups: they wait for the disk, so they are not those that read. Both
  // environments must outlive this.
  AdminService(const CallEnvironment& environment, const CallEnvironment& slow,
               const AdminBackends& backends);

  grpc::ServerUnaryReactor* CreateKeyPair(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* ListCredentials(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* RevokeCredential(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* CreateBackup(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* answer) override;
  grpc::ServerUnaryReactor* ListBackups(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* answer) override;

 private:
  const CallEnvironment& environment_;
  const CallEnvironment& slow_;
  const UnaryMethod create_key_pair_;
  const UnaryMethod create_session_;
  const UnaryMethod list_credentials_;
  const UnaryMethod revoke_credential_;
  const UnaryMethod get_stats_;
  const UnaryMethod create_backup_;
  const UnaryMethod list_backups_;
};

}  // namespace relations
