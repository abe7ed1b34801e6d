// Peers that may say for whom they ask: a gateway that has authenticated its users itself.
//
// A hop is trusted for what its transport proves, never for what it says: the subject alternative
// names or the common name of its verified client certificate, or the user that runs it, for a unix
// socket. It asserts `user-id` and `groups` (with commas between; repeated headers are joined).
// From anyone else both headers are ignored.
//
// Thread-safe; constant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/credential_store.h"

namespace relations {

struct TrustedHops {
  // Names of certificates, compared exactly.
  std::vector<std::string> names;
  // User ids of processes.
  std::vector<uint32_t> uids;
  // Of those who are asserted.
  std::vector<std::string> roles;
};

// What a connection has proved of its peer.
struct PeerProof {
  std::vector<absl::string_view> certificate_names;
  // The peer runs as one of `uids`: its socket was accepted as such.
  bool trusted_uid = false;
};

bool IsTrusted(const TrustedHops& hops, const PeerProof& proof);

// Whom a trusted hop asks for: nothing when it asserts nobody (no `user-id`), which leaves it to
// its credentials. INVALID_ARGUMENT for a user id or groups that are none: one user id of 1 to
// limits::kUserIdBytesMax visible ASCII characters, groups within their limits.
absl::StatusOr<std::optional<Principal>> AssertedPrincipal(
    const TrustedHops& hops, const std::vector<absl::string_view>& user_ids,
    const std::vector<absl::string_view>& groups);

}  // namespace relations
