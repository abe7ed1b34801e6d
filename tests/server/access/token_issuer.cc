#include "tests/server/access/token_issuer.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace relations {
namespace {

constexpr int kHalf = 32;

std::string NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error(name);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

std::string Padded(const BIGNUM* number) {
  std::string bytes(kHalf, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kHalf);
  return bytes;
}

}  // namespace

std::string Base64Url(const std::string& bytes) {
  std::string text;
  absl::WebSafeBase64Escape(bytes, &text);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

struct SigningKey::State {
  bool is_rsa = false;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{nullptr, &EVP_PKEY_free};
};

SigningKey::SigningKey(Kind kind, unsigned bits) : state_(std::make_unique<State>()) {
  state_->is_rsa = kind == Kind::kRsa;
  state_->key.reset(state_->is_rsa ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256"));
}
SigningKey::~SigningKey() = default;

std::string SigningKey::Jwk(const std::string& key_id, const std::string& more) const {
  EVP_PKEY* const key = state_->key.get();
  std::string json = absl::StrCat(R"({"kid":")", key_id, "\"");
  if (state_->is_rsa) {
    absl::StrAppend(&json, R"(,"kty":"RSA","n":")", Base64Url(NumberOf(key, OSSL_PKEY_PARAM_RSA_N)),
                    R"(","e":")", Base64Url(NumberOf(key, OSSL_PKEY_PARAM_RSA_E)), "\"");
  } else {
    unsigned char point[1 + 2 * kHalf];
    size_t size = 0;
    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point),
                                    &size);
    const std::string text(reinterpret_cast<const char*>(point), size);
    if (size == 1 + kHalf) throw std::runtime_error("a compressed point");
    absl::StrAppend(&json, R"(,"kty":"EC","crv":"P-256","x":")", Base64Url(text.substr(1, kHalf)),
                    R"(","y":")", Base64Url(text.substr(1 + kHalf)), "\"");
  }
  return absl::StrCat(json, more, "}");
}

std::string SigningKey::Sign(const std::string& header, const std::string& claims) const {
  const std::string text = absl::StrCat(Base64Url(header), ".", Base64Url(claims));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  size_t size = 0;
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get());
  EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) != 1) {
    throw std::runtime_error("no signature");
  }
  std::string plain(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size));
  if (!state_->is_rsa) {
    const unsigned char* der = signature.data();
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
    plain = Padded(ECDSA_SIG_get0_r(pair)) + Padded(ECDSA_SIG_get0_s(pair));
    ECDSA_SIG_free(pair);
  }
  return absl::StrCat(text, ".", Base64Url(plain));
}

std::string KeySet(const std::string& keys) { return absl::StrCat(R"({"keys":[)", keys, "]}"); }

}  // namespace relations
