#include "server/access/tls_client_context.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "storage/base/file_stamp.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsClientContext>> TlsClientContext::Open(const TlsFiles& files) {
  auto opened = absl::WrapUnique(new TlsClientContext(files));
  opened->stamp_ = opened->Stamp();
  ASSIGN_OR_RETURN(opened->context_, opened->Load());
  opened->looked_ = std::chrono::steady_clock::now();
  return opened;
}

TlsClientContext::Context TlsClientContext::Get() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kLookEvery) return context_;
  looked_ = now;
  std::string stamp = Stamp();
  if (stamp == stamp_) return context_;
  stamp_ = std::move(stamp);
  if (auto next = Load(); next.ok()) {
    context_ = *std::move(next);
    LogInfo("TLS files read again", {{"file", files_.authorities}});
  } else {
    LogError("TLS files not read again: the old ones count",
             {{"cause", std::string(next.status().message())}});
  }
  return context_;
}

absl::StatusOr<TlsClientContext::Context> TlsClientContext::Load() const {
  RETURN_IF_ERROR(CheckTlsFiles(files_));
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  context->set_verify_mode(ssl::verify_peer, error);
  if (!error && files_.authorities.empty()) context->set_default_verify_paths(error);
  if (!error && !files_.authorities.empty()) context->load_verify_file(files_.authorities, error);
  if (!error && !files_.certificate.empty()) {
    context->use_certificate_chain_file(files_.certificate, error);
    if (!error) context->use_private_key_file(files_.key, ssl::context::pem, error);
  }
  if (error) return absl::FailedPreconditionError(absl::StrCat("TLS files: ", error.message()));
  return context;
}

std::string TlsClientContext::Stamp() const {
  return absl::StrCat(FileStamp(files_.certificate), ";", FileStamp(files_.key), ";",
                      FileStamp(files_.authorities));
}

}  // namespace relations
