// The keys that tokens are verified with, kept fresh by a thread of its own: from a file, read
// again when it changes, or from a URL, asked again every so often and when a token names a key
// that is not there.
//
// Keys stay in force while their source fails, but those of a URL no longer than a day: one that
// was withdrawn must not count for ever because somebody keeps us from hearing of it. A source that
// fails is tried again after one second, then after twice as long each time, up to a minute.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/http_client.h"
#include "server/access/jwk_set.h"

namespace relations {

class JwtKeys {
 public:
  using Clock = std::chrono::steady_clock;
  // Calls that wait for keys to be fetched; one more is refused.
  static constexpr size_t kWaitingMax = 1024;

  struct Options {
    // A file, or where to ask; exactly one.
    std::string file;
    std::unique_ptr<HttpClient> service;
    std::string target;
    // From one look at the source to the next.
    std::chrono::milliseconds refresh{300'000};
    // Strangers may name any key: for a name that is not there the source is asked at most so
    // often.
    std::chrono::milliseconds unknown_key_pause{10'000};
    // So long the keys of a URL count without having been confirmed.
    std::chrono::milliseconds kept_max = std::chrono::hours(24);
  };

  // A file must be good now: INVALID_ARGUMENT or FAILED_PRECONDITION say why it is not. A URL may
  // be away: there are no keys until it is not.
  static absl::StatusOr<std::unique_ptr<JwtKeys>> Start(Options options);
  // Who waits is called.
  ~JwtKeys();
  JwtKeys(const JwtKeys&) = delete;
  JwtKeys& operator=(const JwtKeys&) = delete;

  // Null when there are none (any more).
  std::shared_ptr<const JwkSet> current() const;

  // Looks for fresh keys because one is missing; `then` is called on the thread of the keys when
  // that is done, however it went. False, and `then` is not called, when that was done a moment ago
  // or too many wait.
  bool LookForMissing(std::function<void()> then);

  // Looks for fresh keys soon.
  void Reload();

 private:
  explicit JwtKeys(Options options);
  void Run();
  bool IsFile() const { return options_.service == nullptr; }
  // Takes the source's keys, or says why the old ones stay.
  absl::Status Refresh();
  void RefreshAndTell();
  absl::StatusOr<std::string> ReadFile() const;
  absl::StatusOr<std::string> AskService();

  Options options_;
  // Of the file when it was read last; used by the thread, and before it starts.
  std::string stamp_;

  mutable std::mutex mutex_;
  // State below is guarded by mutex_.
  std::condition_variable changed_;
  std::shared_ptr<const JwkSet> keys_;
  // When the source said last that these are the keys.
  Clock::time_point confirmed_;
  std::optional<Clock::time_point> looked_for_missing_;
  // Who waits for the look that is under way, and who for the next.
  std::vector<std::function<void()>> looking_;
  std::vector<std::function<void()>> waiting_;
  bool is_looking_ = false;
  bool wanted_ = false;
  bool stopping_ = false;
  std::chrono::milliseconds retry_{0};
  std::thread thread_;
};

}  // namespace relations
