// Who judges credentials, as the settings say:
//
//   --auth-url given   the service there, and no other
//   otherwise          the embedded store of credentials
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/access/authenticator.h"
#include "server/access/external_authenticator.h"
#include "server/access/identity_config.h"
#include "storage/base/metrics.h"

namespace relations {

class Identity {
 public:
  // `credentials` and `metrics` are not owned and must outlive this. INVALID_ARGUMENT or
  // FAILED_PRECONDITION name the setting or the file that cannot be used.
  static absl::StatusOr<std::unique_ptr<Identity>> Start(const IdentityConfig& config,
                                                         const CredentialStore* credentials,
                                                         Metrics& metrics);

  Authenticator& authenticator() { return *authenticator_; }

 private:
  Identity(const CredentialStore* credentials) : store_(credentials) {}
  absl::Status StartExternal(const IdentityConfig& config, Metrics& metrics);

  StoreAuthenticator store_;
  std::unique_ptr<RequestMetrics> questions_;
  std::unique_ptr<ExternalAuthenticator> external_;
  Authenticator* authenticator_ = &store_;
};

}  // namespace relations
