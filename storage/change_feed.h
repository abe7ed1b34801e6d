// The feed of changes: what has been written, in order, as one caller sees it.
//
//   ASSIGN_OR_RETURN(const FeedPosition now, feed.End());
//   const std::unique_ptr<FeedReader> reader = feed.Read(now, groups);
//   ASSIGN_OR_RETURN(const std::optional<v1::WatchResponse> page, reader->Next());
//
// A page tells of changed records what they are at the page's moment, not what they were in
// between: `WatchResponse` in ingest.proto says how it is applied. Its contents and its end are a
// function of what the caller may see and of that moment alone, however much else was written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relations/v1/ingest.pb.h"
#include "storage/graph_types.h"

namespace relations {

// A place between two changes.
struct FeedPosition {
  // The name of an unbroken feed. An import, a restore or whatever else changes the graph in a way
  // that the feed does not tell gives it a new one.
  std::string feed;
  // The last record before the place, and how many changes of the next one are before it too.
  uint64_t sequence = 0;
  uint32_t change = 0;
};

// Not thread-safe; must not outlive its feed.
class FeedReader {
 public:
  virtual ~FeedReader() = default;

  // Reads on. Nothing when it has read much and there is still more to read for this page: call
  // again, after letting others have their turn. The page has no token and may be empty; `current`
  // says that there is no more to read now. OUT_OF_RANGE, a public error: the feed does not go on
  // from this place.
  virtual absl::StatusOr<std::optional<v1::WatchResponse>> Next() = 0;

  // After the last page.
  virtual const FeedPosition& position() const = 0;
};

// Thread-safe.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  // After the last change.
  virtual absl::StatusOr<FeedPosition> End() = 0;
  // The name of the feed that is written now.
  virtual absl::StatusOr<std::string> Name() = 0;
  // From a place on, for a holder of `groups`.
  virtual std::unique_ptr<FeedReader> Read(FeedPosition from, GroupSet groups) = 0;
  // `listener` is called after each write, on the writer's thread: it must not block. Nothing for
  // none; when this returns the one before is not called any more.
  virtual void SetListener(std::function<void()> listener) = 0;
};

// OUT_OF_RANGE with the reason for clients to start again.
absl::Status FeedRestart(absl::string_view why);

}  // namespace relations
