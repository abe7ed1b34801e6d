// TLS towards the backend.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "storage/base/tls_files.h"

namespace grpc {
class ChannelCredentials;
}  // namespace grpc

namespace relations::gateway {

// Credentials of a client of the backend, which must show a certificate of the authorities (of the
// system's, if `files` names none) for the name that is called. Changed files count for new
// connections, TLS 1.2 and later only. FAILED_PRECONDITION names a file that cannot be used.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsToBackend(const TlsFiles& files);

}  // namespace relations::gateway
