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
  // A file or a URL; none: tokens of three parts are like any others.
  std::string jwt_keys;
  std::string jwt_ca;
  std::string jwt_issuer;
  std::string jwt_audience;
  std::string jwt_group_claim = "groups";
  std::string jwt_role_claim = "roles";
  uint32_t jwt_refresh_s = 300;
};

void DefineIdentity(Settings& settings, IdentityConfig& config);

}  // namespace relations
