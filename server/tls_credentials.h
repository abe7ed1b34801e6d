// TLS for gRPC, as server and as client. Files are looked at again every `refresh_s` seconds and
// whenever they have changed count for new connections; TLS 1.2 and later only.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "storage/base/tls_files.h"

namespace relations {

inline constexpr unsigned kTlsRefreshSeconds = 10;

// Needs a certificate. With `authorities` every client must show a certificate of theirs.
// FAILED_PRECONDITION names a file that cannot be used.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsServer(const TlsFiles& files,
                                                                   unsigned refresh_s);

// The server must show a certificate of the authorities for the name that is called.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsClient(const TlsFiles& files,
                                                                    unsigned refresh_s);

}  // namespace relations
