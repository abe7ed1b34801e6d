#include "server/access/identity_config.h"

namespace relations {

void DefineIdentity(Settings& settings, IdentityConfig& config) {
  settings.Add(
      "auth-url", config.auth_url,
      "service that judges tokens and key pairs, http://HOST[:PORT][/PATH] or https; none: "
      "the credentials of the store count");
  settings.Add("auth-ca", config.auth_ca,
               "authorities of its certificate, a PEM file; none: those of the system");
  settings.Add("auth-cert", config.auth_cert, "certificate to show to it, a PEM file");
  settings.Add("auth-key", config.auth_key, "private key of that certificate, a PEM file");
  settings.AddSwitch("auth-allow-plaintext", config.auth_allow_plaintext,
                     "ask it without TLS on another machine");
}

}  // namespace relations
