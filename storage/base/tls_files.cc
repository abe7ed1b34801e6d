#include "storage/base/tls_files.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "openssl/err.h"
#include "openssl/ssl.h"

namespace relations {
namespace {

absl::Status Refuse(const std::string& what, const std::string& file) {
  char text[256] = "the file cannot be read";
  if (const unsigned long error = ERR_get_error(); error != 0) {
    ERR_error_string_n(error, text, sizeof(text));
  }
  ERR_clear_error();
  return absl::FailedPreconditionError(absl::StrCat(what, " ", file, ": ", text));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a TLS certificate and its key go together; ",
                     files.key.empty() ? "the key" : "the certificate", " is missing"));
  }
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                                  &SSL_CTX_free);
  ERR_clear_error();
  if (!files.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
      return Refuse("the TLS certificate", files.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return Refuse("the TLS key", files.key);
    }
  }
  if (!files.authorities.empty() &&
      SSL_CTX_load_verify_locations(context.get(), files.authorities.c_str(), nullptr) != 1) {
    return Refuse("the TLS authorities", files.authorities);
  }
  return absl::OkStatus();
}

}  // namespace relations
