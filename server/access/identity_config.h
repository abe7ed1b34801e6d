// The settings of how callers are told apart: by an authentication service, by tokens of an
// identity provider.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/settings.h"

namespace relations {

struct IdentityConfig {
  // None: the embedded store of credentials judges.
  std::string auth_url;
  std::string auth_ca;
  std::string auth_cert;
  std::string auth_key;
  bool auth_allow_plaintext = false;
};

void DefineIdentity(Settings& settings, IdentityConfig& config);

}  // namespace relations
