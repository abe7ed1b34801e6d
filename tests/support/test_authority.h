// A certificate authority for tests: certificates and keys as PEM files, valid for a day.
#pragma once

#include <memory>
#include <string>

namespace relations {

class TestAuthority {
 public:
  // Writes its own certificate to `certificate_file`.
  explicit TestAuthority(const std::string& certificate_file);
  ~TestAuthority();

  // Writes a new certificate for the DNS name `name` (and 127.0.0.1) and its key. Replaces files
  // as careful administrators do: whole.
  void Issue(const std::string& name, const std::string& certificate_file,
             const std::string& key_file);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relations
