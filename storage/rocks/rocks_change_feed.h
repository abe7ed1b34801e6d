// The feed of changes of the RocksDB store.
#pragma once

#include <memory>
#include <string>

#include "storage/change_feed.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

class RocksChangeFeed final : public ChangeFeed {
 public:
  // `store` is not owned and must outlive this.
  explicit RocksChangeFeed(RocksGraphStore* store) : store_(store) {}

  absl::StatusOr<FeedPosition> End() override;
  absl::StatusOr<std::string> Name() override;
  std::unique_ptr<FeedReader> Read(FeedPosition from, GroupSet groups) override;
  void SetListener(std::function<void()> listener) override;

 private:
  RocksGraphStore* const store_;
};

}  // namespace relations
