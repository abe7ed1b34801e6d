// The streams of one kind that are open: how many there may be, of all callers and of one, and the
// thread that looks after them: it tells each now and then that time has passed, and soon after
// Wake that there is something new. Thread-safe.
//
// Lock order: this object's mutex comes before a stream's. A stream calls nothing here but Wake
// while it holds its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace relations {

class OpenStream {
 public:
  // Why a stream is told to look what there is to do.
  enum class Look { kTimePassed, kSomethingNew };

  virtual ~OpenStream() = default;
  // Each is called without the stream's mutex, must not block, and may come from any thread.
  virtual void OnLook(Look look) = 0;
  // No more is taken in; what was is answered, then the stream ends.
  virtual void OnDrain() = 0;
};

class OpenStreams {
 public:
  struct Limits {
    size_t all = 0;
    // Of one caller.
    size_t of_one = 0;
  };

  explicit OpenStreams(const Limits& limits);
  // REQUIRES: no stream is open.
  ~OpenStreams();
  OpenStreams(const OpenStreams&) = delete;
  OpenStreams& operator=(const OpenStreams&) = delete;

  // False, and nothing is kept, when the most are open or EndAll was called.
  bool Add(OpenStream* stream);
  // Says whose an added stream is; false when he has the most already.
  bool Claim(OpenStream* stream, const std::string& owner);
  // Returns when no call of the stream runs and none will.
  void Remove(OpenStream* stream);
  // Ends those that are open; no more open from now on.
  void EndAll();
  // Something new is there for all. Does not block.
  void Wake();

  size_t open();

 private:
  struct Entry {
    OpenStream* stream = nullptr;
    std::string owner;
  };

  void Work();

  const Limits limits_;
  std::mutex mutex_;
  // State below is guarded by mutex_.
  std::vector<Entry> entries_;
  bool closed_ = false;
  std::mutex wake_mutex_;
  // State below is guarded by wake_mutex_, which is taken last.
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  // Constant after construction.
  std::thread thread_;
};

}  // namespace relations
