#include "gateway/tls_credentials.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

// Between two looks at the files.
constexpr unsigned kRefreshSeconds = 10;

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsToBackend(const TlsFiles& files) {
  RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (!files.certificate.empty() || !files.authorities.empty()) {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            files.key, files.certificate, files.authorities, kRefreshSeconds));
    if (!files.certificate.empty()) options.watch_identity_key_cert_pairs();
    if (!files.authorities.empty()) options.watch_root_certs();
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace relations::gateway
