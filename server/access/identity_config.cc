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
                     "ask it, and a URL of jwt-keys, without TLS on another machine");
  settings.Add("jwt-keys", config.jwt_keys,
               "keys that tokens of an identity provider are verified with, a JSON Web Key Set: a "
               "file, or a URL, http or https; none: there is no such token");
  settings.Add("jwt-ca", config.jwt_ca,
               "authorities of that URL's certificate, a PEM file; none: those of the system");
  settings.Add("jwt-issuer", config.jwt_issuer, "issuer that a token must be of");
  settings.Add("jwt-audience", config.jwt_audience, "audience that a token must be for");
  settings.Add("jwt-group-claim", config.jwt_group_claim,
               "claim of a token with its user's groups");
  settings.Add("jwt-role-claim", config.jwt_role_claim, "claim of a token with its user's roles");
  settings
      .Add("jwt-refresh-s", config.jwt_refresh_s,
           "seconds between two looks at the keys, of a file at most 10; also on SIGHUP, and for a "
           "key that is not there")
      ->check(CLI::Range(1U, 86400U));
}

}  // namespace relations
