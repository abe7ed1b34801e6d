// One caller's way through the feed of changes of the RocksDB store.
//
// A page is made from one snapshot, held from its first change to its last: the log is read up to
// its end there, and what is sent is what the records are there. A change that the caller could not
// see, neither before nor after, or that differs in nothing he could see, is passed over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "storage/change_feed.h"
#include "storage/rocks/change_record.h"
#include "storage/rocks/rocks_graph_store.h"

namespace relations {

class RocksFeedReader final : public FeedReader {
 public:
  // `store` is not owned and must outlive this.
  RocksFeedReader(RocksGraphStore* store, FeedPosition from, GroupSet groups)
      : store_(store), groups_(std::move(groups)), position_(std::move(from)) {}

  absl::StatusOr<std::optional<v1::WatchResponse>> Next() override;
  const FeedPosition& position() const override { return position_; }

 private:
  // An entity at the page's moment.
  struct Entity {
    bool visible = false;
    std::string id;
  };
  using RelationId = std::tuple<NodeId, NodeId, LabelId, RelationMode>;
  // What is read for some changes together.
  struct Records;
  // The page that is being made.
  struct Page {
    std::shared_ptr<const rocksdb::Snapshot> snapshot;
    rocksdb::ReadOptions options;
    std::unique_ptr<rocksdb::Iterator> log;
    std::shared_ptr<const VisibleClasses> visible;
    v1::WatchResponse message;
    // Of all that it holds, which is what makes it full.
    size_t changes = 0;
    size_t bytes = 0;
    absl::flat_hash_map<NodeId, Entity> known;
    absl::flat_hash_set<NodeId> gone;
    absl::flat_hash_set<NodeId> told;
    absl::flat_hash_set<RelationId> told_relations;
  };

  absl::Status Begin();
  // Takes in the changes of a record from position_ on; stops, and moves position_ there, when the
  // page is full.
  absl::Status Take(const ChangeRecord& record);
  absl::StatusOr<bool> Concerns(const LoggedChange& change) const;
  absl::Status Read(absl::Span<const LoggedChange> changes, Records* records);
  absl::Status TellEntity(const LoggedChange& change, const Records& records);
  absl::Status TellRelation(const LoggedChange& change, const Records& records);
  bool IsFull() const;
  bool Sees(std::optional<ClassId> visibility) const;
  absl::StatusOr<GroupSet> GroupsSeen(ClassId visibility) const;
  absl::StatusOr<std::string> LabelText(LabelId label) const;

  RocksGraphStore* const store_;
  const GroupSet groups_;
  FeedPosition position_;
  std::optional<Page> page_;
};

}  // namespace relations
