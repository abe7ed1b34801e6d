#include "server/access/jwk_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/core_names.h"
#include "openssl/ecdsa.h"
#include "openssl/err.h"
#include "openssl/param_build.h"
#include "server/access/claims.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
// Bytes of a coordinate of P-256, and of each half of an ES256 signature.
constexpr size_t kP256Bytes = 32;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Owned<BIGNUM> Number(absl::string_view bytes) {
  return {BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr), &BN_free};
}

// A public key of OpenSSL's kind `kind` with these parameters; null when they make none.
Key MakeKey(const char* kind, OSSL_PARAM_BLD* parameters) {
  Key key(nullptr, &EVP_PKEY_free);
  const Owned<OSSL_PARAM> list(OSSL_PARAM_BLD_to_param(parameters), &OSSL_PARAM_free);
  const Owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr),
                                  &EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  if (list == nullptr || maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, list.get()) != 1) {
    return key;
  }
  key.reset(made);
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new(key.get(), nullptr), &EVP_PKEY_CTX_free);
  if (check == nullptr || EVP_PKEY_public_check(check.get()) != 1) key.reset();
  return key;
}

absl::StatusOr<std::string> BytesOf(const JsonObject& json, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, FindText(json, name));
  return DecodeBase64Url(text.value_or(""));
}

absl::StatusOr<Key> ReadRsa(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string modulus, BytesOf(json, "n"));
  ASSIGN_OR_RETURN(const std::string exponent, BytesOf(json, "e"));
  if (modulus.size() > kRsaBitsMax / 8 || exponent.size() > sizeof(uint64_t)) {
    return absl::InvalidArgumentError("the key is too large");
  }
  const Owned<BIGNUM> n = Number(modulus);
  const Owned<BIGNUM> e = Number(exponent);
  const Owned<OSSL_PARAM_BLD> parameters(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  Key key = MakeKey("RSA", parameters.get());
  if (key != nullptr && EVP_PKEY_get_bits(key.get()) < kRsaBitsMin) {
    return absl::InvalidArgumentError("the key is too small");
  }
  return key;
}

absl::StatusOr<Key> ReadP256(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::optional<std::string> curve, FindText(json, "crv"));
  ASSIGN_OR_RETURN(const std::string x, BytesOf(json, "x"));
  ASSIGN_OR_RETURN(const std::string y, BytesOf(json, "y"));
  if (curve != "P-256" || x.size() != kP256Bytes || y.size() != kP256Bytes) {
    return absl::InvalidArgumentError("not a point of P-256");
  }
  // The uncompressed form of a point.
  const std::string point = absl::StrCat("\x04", x, y);
  const Owned<OSSL_PARAM_BLD> parameters(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(parameters.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(parameters.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return MakeKey("EC", parameters.get());
}

// Whether a key may verify signatures: by `use` and `key_ops`, where they are there.
absl::StatusOr<bool> IsForSignatures(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::optional<std::string> use, FindText(json, "use"));
  ASSIGN_OR_RETURN(const std::vector<std::string> uses, FindTexts(json, "key_ops"));
  return use.value_or("sig") == "sig" &&
         (uses.empty() || std::find(uses.begin(), uses.end(), "verify") != uses.end());
}

struct ReadKey {
  std::string id;
  JwtAlgorithm algorithm;
  Key key;
};

absl::StatusOr<ReadKey> ReadOne(const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::optional<std::string> id, FindText(json, "kid"));
  ASSIGN_OR_RETURN(const std::optional<std::string> kind, FindText(json, "kty"));
  ASSIGN_OR_RETURN(const bool is_for_signatures, IsForSignatures(json));
  if (!id.has_value() || !is_for_signatures || (kind != "RSA" && kind != "EC")) {
    return absl::InvalidArgumentError("of no use here");
  }
  const bool is_rsa = kind == "RSA";
  ASSIGN_OR_RETURN(const std::optional<std::string> algorithm, FindText(json, "alg"));
  if (algorithm.has_value() && *algorithm != (is_rsa ? "RS256" : "ES256")) {
    return absl::InvalidArgumentError("for another algorithm");
  }
  ASSIGN_OR_RETURN(Key key, is_rsa ? ReadRsa(json) : ReadP256(json));
  if (key == nullptr) return absl::InvalidArgumentError("not a key");
  return ReadKey{*id, is_rsa ? JwtAlgorithm::kRs256 : JwtAlgorithm::kEs256, std::move(key)};
}

// An ES256 signature, two numbers side by side, in the form that OpenSSL takes. Empty when it is
// none.
std::string DerOf(absl::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return "";
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  // Takes both numbers over.
  ECDSA_SIG_set0(pair.get(), Number(signature.substr(0, kP256Bytes)).release(),
                 Number(signature.substr(kP256Bytes)).release());
  std::string der(static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

bool IsSignedBy(EVP_PKEY* key, absl::string_view text, absl::string_view signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool verified =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                       text.size()) == 1;
  // What it says of a bad signature must not meet who asks next on this thread.
  ERR_clear_error();
  return verified;
}

}  // namespace

absl::StatusOr<JwkSet> JwkSet::Parse(absl::string_view json) {
  if (json.size() > kBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a key set of more than ", kBytesMax, " bytes"));
  }
  simdjson::dom::parser parser;
  ASSIGN_OR_RETURN(const JsonObject document, ParseJsonObject(parser, json));
  simdjson::dom::array list;
  if (document.at_key("keys").get(list)) {
    return absl::InvalidArgumentError("not a key set: no list `keys`");
  }
  if (list.size() > kKeysMax) {
    return absl::InvalidArgumentError(absl::StrCat("a key set of more than ", kKeysMax, " keys"));
  }
  JwkSet set;
  for (const simdjson::dom::element item : list) {
    JsonObject member;
    if (item.get(member)) return absl::InvalidArgumentError("a key that is no object");
    auto read = ReadOne(member);
    if (read.ok()) set.keys_.push_back({read->id, read->algorithm, std::move(read->key)});
  }
  ERR_clear_error();
  if (set.keys_.empty()) {
    return absl::InvalidArgumentError("no key with a kid for RS256 or ES256 is in the key set");
  }
  return set;
}

bool JwkSet::Has(absl::string_view key_id) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [key_id](const Entry& entry) { return entry.id == key_id; });
}

bool JwkSet::Verifies(const Jwt& token) const {
  const std::string der =
      token.algorithm == JwtAlgorithm::kEs256 ? DerOf(token.signature) : token.signature;
  return std::any_of(keys_.begin(), keys_.end(), [&](const Entry& entry) {
    return entry.id == token.key_id && entry.algorithm == token.algorithm &&
           IsSignedBy(entry.key.get(), token.signed_part, der);
  });
}

}  // namespace relations
