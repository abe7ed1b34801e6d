// What an authentication service's answer says of credentials.
//
//   200, verified, unexpired            the principal, until it expires
//   200 otherwise, 400, 401, 403, 404   nobody
//   anything else                       nobody can tell
//
// Of the body of a 200 these members count:
//   userID    string; where it is absent, null or empty: keyID
//   groups    list of strings; null or absent: none
//   roles     likewise
//   verified  must be exactly true
//   expireAt  seconds since 1970, as a number or a string of digits, or RFC 3339; without it the
//             credentials are not unexpired
// A body that is not an object, or a member of another kind, can not be read: nobody can tell.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/access/authenticator.h"

namespace relations {

struct AuthAnswer {
  // An error beyond UNAUTHENTICATED is UNAVAILABLE and says why nobody can tell.
  Verdict verdict;
  // Of a principal.
  absl::Time expires;
};

AuthAnswer ReadAuthAnswer(unsigned status, absl::string_view body, absl::Time now);

}  // namespace relations
