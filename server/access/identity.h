// Who judges credentials, as the settings say:
//
//   a token of three parts (jwt.h), with --jwt-keys given   the keys there
//   anything else, with --auth-url given                    the service there
//   anything else                                           the embedded store of credentials
//
// One judge for each: what it refuses is put to no other.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/access/authenticator.h"
#include "server/access/external_authenticator.h"
#include "server/access/identity_config.h"
#include "server/access/jwt_authenticator.h"
#include "storage/base/metrics.h"

namespace relations {

class Identity final : public Authenticator {
 public:
  // `credentials` and `metrics` are not owned and must outlive this. INVALID_ARGUMENT or
  // FAILED_PRECONDITION name the setting or the file that cannot be used.
  static absl::StatusOr<std::unique_ptr<Identity>> Start(const IdentityConfig& config,
                                                         const CredentialStore* credentials,
                                                         Metrics& metrics);

  std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time now,
                                      Later later) override;

  // Looks for fresh keys of tokens, where there are keys.
  void Reload();

 private:
  explicit Identity(const CredentialStore* credentials) : store_(credentials) {}
  absl::Status StartExternal(const IdentityConfig& config, Metrics& metrics);
  absl::Status StartTokens(const IdentityConfig& config, Metrics& metrics);

  StoreAuthenticator store_;
  std::unique_ptr<RequestMetrics> questions_;
  std::unique_ptr<ExternalAuthenticator> external_;
  std::unique_ptr<JwtAuthenticator> tokens_;
};

}  // namespace relations
