#include "storage/rocks/rocks_change_feed.h"

#include <optional>
#include <utility>

#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_feed_reader.h"

namespace relations {

absl::StatusOr<FeedPosition> RocksChangeFeed::End() {
  // The name first: if it is of before an import that is taken in just now, the place is refused,
  // not wrong.
  ASSIGN_OR_RETURN(std::string name, Name());
  return FeedPosition{std::move(name), store_->change_log_.counts().last, 0};
}

absl::StatusOr<std::string> RocksChangeFeed::Name() {
  ASSIGN_OR_RETURN(std::optional<std::string> name,
                   store_->database_->Get(Family::kMeta, kFeedKey));
  if (!name.has_value()) return absl::DataLossError("the feed of changes has no name");
  return *std::move(name);
}

std::unique_ptr<FeedReader> RocksChangeFeed::Read(FeedPosition from, GroupSet groups) {
  return std::make_unique<RocksFeedReader>(store_, std::move(from), std::move(groups));
}

void RocksChangeFeed::SetListener(std::function<void()> listener) {
  store_->change_log_.SetListener(std::move(listener));
}

}  // namespace relations
