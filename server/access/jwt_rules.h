// What a token must say of itself, besides being signed.
//
//   iss      exactly the issuer of the settings
//   aud      that audience, alone or in a list
//   exp      in the future; there must be one
//   nbf      where it is there: in the past
//   sub      the user: 1 to 128 visible ASCII characters
//   groups, roles   under the claims that the settings name: lists of strings, or one string;
//            absent or null: none
//
// Clocks may differ by kLeeway. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/access/authenticator.h"

namespace relations {

struct JwtRules {
  static constexpr absl::Duration kLeeway = absl::Seconds(30);

  std::string issuer;
  std::string audience;
  std::string group_claim = "groups";
  std::string role_claim = "roles";
};

// The principal that verified claims (JSON) name at `now`. UNAUTHENTICATED says which rule they
// break.
Verdict JudgeClaims(const JwtRules& rules, absl::string_view claims, absl::Time now);

}  // namespace relations
