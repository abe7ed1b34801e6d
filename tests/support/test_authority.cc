#include "tests/support/test_authority.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace relations {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long kSecondsOfDay = 86400;

Key NewKey() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void AddExtension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  if (extension == nullptr) std::abort();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate NewCertificate(const std::string& name, EVP_PKEY* key, X509_NAME* issuer, long serial) {
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kSecondsOfDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kSecondsOfDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(),
                       issuer != nullptr ? issuer : X509_get_subject_name(certificate.get()));
  return certificate;
}

template <typename Write>
void WriteFile(const std::string& path, Write write) {
  const std::string fresh = path + ".new";
  FILE* const file = std::fopen(fresh.c_str(), "w");
  if (file == nullptr || write(file) != 1 || std::fclose(file) != 0) std::abort();
  std::filesystem::rename(fresh, path);
}

}  // namespace

struct TestAuthority::State {
  Key key = NewKey();
  Certificate certificate = NewCertificate("Test Authority", key.get(), nullptr, 1);
  long serial = 1;
};

TestAuthority::TestAuthority(const std::string& certificate_file)
    : state_(std::make_unique<State>()) {
  X509* const own = state_->certificate.get();
  AddExtension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(own, state_->key.get(), EVP_sha256());
  WriteFile(certificate_file, [own](FILE* file) { return PEM_write_X509(file, own); });
}

TestAuthority::~TestAuthority() = default;

void TestAuthority::Issue(const std::string& name, const std::string& certificate_file,
                          const std::string& key_file) {
  X509* const own = state_->certificate.get();
  const Key key = NewKey();
  const Certificate issued =
      NewCertificate(name, key.get(), X509_get_subject_name(own), ++state_->serial);
  AddExtension(issued.get(), own, NID_subject_alt_name, ("DNS:" + name + ",IP:127.0.0.1").c_str());
  X509_sign(issued.get(), state_->key.get(), EVP_sha256());
  WriteFile(key_file, [&](FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  WriteFile(certificate_file, [&](FILE* file) { return PEM_write_X509(file, issued.get()); });
}

}  // namespace relations
