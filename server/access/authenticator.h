// Who is asking? From the credential headers of a call to a principal.
//
// The headers are judged in one place and for every authenticator alike:
//   - a non-empty `authorization` decides alone; there is no fall-back to the key pair;
//   - it is `Bearer`, in any case, and exactly one token, separated by spaces;
//   - a key pair is exactly one `api-key` and one `api-secret`;
//   - a credential is 1 to limits::kCredentialBytesMax visible ASCII characters.
//   - a token of three parts (server/access/jwt.h) may have limits::kJwtBytesMax.
// Everything else is malformed, and to the client the same as unknown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/credential_store.h"

namespace relations {

// The credential headers of a call as they came, repetitions included. Not owned.
struct CredentialHeaders {
  std::vector<absl::string_view> authorization;
  std::vector<absl::string_view> api_key;
  std::vector<absl::string_view> api_secret;
};

// Well-formed credentials: a session token or, when `bearer` is empty, a key pair. Views into the
// headers.
struct Credentials {
  absl::string_view bearer;
  absl::string_view api_key;
  absl::string_view api_secret;
};

// Nothing when the headers are missing, partial, repeated or malformed.
std::optional<Credentials> ParseCredentials(const CredentialHeaders& headers);

// Whom credentials name. UNAUTHENTICATED: nobody (unknown, expired, unverified, revoked); the
// message tells the log why, and the client nothing. Another error: nobody can tell now.
using Verdict = absl::StatusOr<Principal>;

// Thread-safe.
class Authenticator {
 public:
  using Later = std::function<void(Verdict verdict)>;

  virtual ~Authenticator() = default;

  // The verdict at `now`, when it is at hand. Otherwise nothing, and `later` is called once, maybe
  // before this returns, on a thread that must not be held up. `credentials` need not outlive this.
  virtual std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time now,
                                              Later later) = 0;
};

// The same, waiting for the verdict.
Verdict AuthenticateAndWait(Authenticator& authenticator, const Credentials& credentials,
                            absl::Time now);

// Asks the embedded credential store at every call: a revocation counts from the next one.
class StoreAuthenticator final : public Authenticator {
 public:
  // `store` is not owned and must outlive this.
  explicit StoreAuthenticator(const CredentialStore* store) : store_(store) {}

  std::optional<Verdict> Authenticate(const Credentials& credentials, absl::Time now,
                                      Later later) override;

 private:
  const CredentialStore* store_;
};

// True when the principal has at least one of `roles`.
bool HasAnyRole(const Principal& principal, const std::vector<std::string>& roles);

}  // namespace relations
