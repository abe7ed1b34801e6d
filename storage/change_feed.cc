#include "storage/change_feed.h"

#include "absl/strings/str_cat.h"
#include "storage/base/feed_limits.h"
#include "storage/base/public_error.h"

namespace relations {

absl::Status FeedRestart(absl::string_view why) {
  return PublicError(absl::StatusCode::kOutOfRange, reason::kFeedRestart,
                     absl::StrCat("the feed does not go on from there: ", why,
                                  "; read anew and watch from now on"),
                     "token");
}

}  // namespace relations
