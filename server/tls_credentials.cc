#include "server/tls_credentials.h"

#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "storage/base/status_macros.h"

namespace relations {

using grpc::experimental::FileWatcherCertificateProvider;

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsServer(const TlsFiles& files,
                                                                   unsigned refresh_s) {
  if (files.certificate.empty()) {
    return absl::InvalidArgumentError("TLS needs a certificate and its key");
  }
  RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<FileWatcherCertificateProvider>(files.key, files.certificate,
                                                       files.authorities, refresh_s));
  options.watch_identity_key_cert_pairs();
  if (files.authorities.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsClient(const TlsFiles& files,
                                                                    unsigned refresh_s) {
  RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (!files.certificate.empty() || !files.authorities.empty()) {
    options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        files.key, files.certificate, files.authorities, refresh_s));
    if (!files.certificate.empty()) options.watch_identity_key_cert_pairs();
    if (!files.authorities.empty()) options.watch_root_certs();
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace relations
