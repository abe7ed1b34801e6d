#include "gateway/tls_server.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "storage/base/file_stamp.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations::gateway {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsServer>> TlsServer::Open(const TlsFiles& files) {
  if (files.certificate.empty()) {
    return absl::InvalidArgumentError("TLS needs a certificate and its key");
  }
  auto server = absl::WrapUnique(new TlsServer(files));
  server->stamp_ = server->Stamp();
  ASSIGN_OR_RETURN(server->context_, server->Load());
  server->looked_ = std::chrono::steady_clock::now();
  return server;
}

std::shared_ptr<TlsContext> TlsServer::Context() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kLookEvery) return context_;
  looked_ = now;
  std::string stamp = Stamp();
  if (stamp == stamp_) return context_;
  stamp_ = std::move(stamp);
  if (auto next = Load(); next.ok()) {
    context_ = *std::move(next);
    LogInfo("TLS certificate read again", {{"file", files_.certificate}});
  } else {
    LogError("TLS certificate not read again: the old one counts",
             {{"cause", std::string(next.status().message())}});
  }
  return context_;
}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsServer::Load() const {
  RETURN_IF_ERROR(CheckTlsFiles(files_));
  auto context = std::make_shared<TlsContext>(ssl::context::tls_server);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Renegotiation is a client's way to make work.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  context->use_certificate_chain_file(files_.certificate, error);
  if (!error) context->use_private_key_file(files_.key, ssl::context::pem, error);
  if (!error && !files_.authorities.empty()) {
    context->load_verify_file(files_.authorities, error);
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("the TLS files of ", files_.certificate, ": ", error.message()));
  }
  return context;
}

std::string TlsServer::Stamp() const {
  std::string stamp;
  for (const std::string& file : {files_.certificate, files_.key, files_.authorities}) {
    absl::StrAppend(&stamp, FileStamp(file), ";");
  }
  return stamp;
}

}  // namespace relations::gateway
