// Where a stream of changes goes on, as clients keep it: sealed, so that it tells nothing and
// cannot be made up. Two tokens of one place differ: comparing them does not tell whether something
// was written that their holder may not see.
//
//   token   base64url of: nonce, 12 bytes | sealed: u64 sequence, u32 change, big-endian | tag, 16
//           AES-256-GCM; the key is the SHA-256 of the feed's name; the caller's groups are
//           authenticated with it, so a token is good for these groups alone
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/change_feed.h"

namespace relations {

std::string SealFeedToken(const FeedPosition& position, const GroupSet& groups);

// INVALID_ARGUMENT: no such token could be. OUT_OF_RANGE: not of this feed, or for other groups.
// Both are public errors.
absl::StatusOr<FeedPosition> OpenFeedToken(absl::string_view token, const std::string& feed,
                                           const GroupSet& groups);

}  // namespace relations
