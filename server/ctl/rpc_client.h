// Calls to a running server: the read API and the administration, with the caller's credentials and
// a deadline on each. The only part of relationsctl that knows gRPC.
//
// Errors are the server's: code and message, with the public reason (public_error.h) and the error
// id (exit_code.h) on the status. UNAVAILABLE also when nobody listens at the address, which the
// message then names. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relations/v1/admin.pb.h"
#include "relations/v1/ingest.pb.h"
#include "relations/v1/relations.pb.h"
#include "server/ctl/credentials_file.h"
#include "storage/base/tls_files.h"

namespace relations {

class RpcClient {
 public:
  struct Options {
    // "HOST:PORT" or "unix:PATH".
    std::string address;
    // May be empty: the server then says what it thinks of it.
    CallMetadata credentials;
    absl::Duration timeout;
    // TLS where there are authorities or a certificate; `tls_name` is whom the server's certificate
    // must name, where that is not the host of `address`.
    TlsFiles tls;
    std::string tls_name;
  };

  // FAILED_PRECONDITION names a file of TLS that cannot be used; told by the first call.
  explicit RpcClient(Options options);
  ~RpcClient();

  absl::StatusOr<v1::GetRelationsResponse> GetRelations(const v1::GetRelationsRequest& request);
  absl::StatusOr<v1::CreateKeyPairResponse> CreateKeyPair(
      const v1::CreateCredentialRequest& request);
  absl::StatusOr<v1::CreateSessionResponse> CreateSession(
      const v1::CreateCredentialRequest& request);
  absl::StatusOr<v1::ListCredentialsResponse> ListCredentials(
      const v1::ListCredentialsRequest& request);
  absl::StatusOr<v1::RevokeCredentialResponse> RevokeCredential(
      const v1::RevokeCredentialRequest& request);
  absl::StatusOr<v1::GetStatsResponse> GetStats();
  absl::StatusOr<v1::CreateBackupResponse> CreateBackup();
  absl::StatusOr<v1::ListBackupsResponse> ListBackups();
  absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request);
  absl::StatusOr<v1::NarrowResponse> Narrow(const v1::NarrowRequest& request);
  // Gives each message of the feed to `on_message` until that says false or the stream ends. No
  // message has to come within the time-out.
  absl::Status Watch(const v1::WatchRequest& request,
                     const std::function<bool(const v1::WatchResponse& message)>& on_message);
  // OK when grpc.health.v1 says that the server as a whole is serving. Needs no credentials.
  absl::Status CheckHealth();

 private:
  // Keeps gRPC's headers, which cost seconds a file, out of this one.
  struct Stubs;

  Options options_;
  // Why no call can be made; OK otherwise.
  absl::Status broken_;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace relations
