// An identity provider in the test: keys made anew, key sets, tokens, right and wrong ones.
#pragma once

#include <memory>
#include <string>

namespace relations {

// "abc" as base64url without padding.
std::string Base64Url(const std::string& bytes);

class SigningKey {
 public:
  enum class Kind { kRsa, kEc };

  // RSA with so many bits, or P-256.
  explicit SigningKey(Kind kind, unsigned bits = 2048);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  // The public half as a JSON object. `more` begins with a comma.
  std::string Jwk(const std::string& key_id, const std::string& more = "") const;

  // A token with this header and these claims (JSON), signed with SHA-256 as the key's kind does.
  std::string Sign(const std::string& header, const std::string& claims) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A key set of these keys (JSON objects).
std::string KeySet(const std::string& keys);

}  // namespace relations
