// relations.v1.AdminService: credentials and statistics, for callers with the role `admin`. The
// contract is proto/relations/v1/admin.proto. Thread-safe.
#pragma once

#include "relations/v1/admin.grpc.pb.h"
#include "server/unary_call.h"
#include "storage/credential_store.h"
#include "storage/graph_store.h"

namespace relations {

class AdminService final : public v1::AdminService::WithRawCallbackMethod_CreateKeyPair<
                               v1::AdminService::WithRawCallbackMethod_CreateSession<
                                   v1::AdminService::WithRawCallbackMethod_ListCredentials<
                                       v1::AdminService::WithRawCallbackMethod_RevokeCredential<
                                           v1::AdminService::WithRawCallbackMethod_GetStats<
                                               v1::AdminService::Service>>>>> {
 public:
  // Nothing is owned; all must outlive this.
  AdminService(const CallEnvironment& environment, GraphStore* graph, CredentialStore* credentials);

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

 private:
  const CallEnvironment& environment_;
  const UnaryMethod create_key_pair_;
  const UnaryMethod create_session_;
  const UnaryMethod list_credentials_;
  const UnaryMethod revoke_credential_;
  const UnaryMethod get_stats_;
};

}  // namespace relations
