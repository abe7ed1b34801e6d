// The limits of the feed of changes, and the reason words of its errors; as limits.h and
// public_error.h.
#pragma once

#include <cstddef>

namespace relations {

namespace limits {
// A message ends when it has so many changes or so many bytes of them.
inline constexpr size_t kFeedPageChangesMax = 1000;
inline constexpr size_t kFeedPageBytesMax = 1 << 20;
// Streams that are open, of all callers and of one: each costs a read of the log for each write.
inline constexpr size_t kWatchesMax = 256;
inline constexpr size_t kWatchesOfOneMax = 16;
// A token has 54 characters.
inline constexpr size_t kFeedTokenBytesMax = 256;
}  // namespace limits

namespace reason {
// The feed does not go on from a token.
inline constexpr char kFeedRestart[] = "feed_restart";
}  // namespace reason

}  // namespace relations
