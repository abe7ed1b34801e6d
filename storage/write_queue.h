// The way of all reports into the store: one thread takes what has come since its last write and
// has it applied as one group, with one sync for all (group commit). The longer a sync takes the
// larger the groups, so many small requests cost little more than few large ones.
//
// The queue is bounded in requests and in bytes; who finds it full is told so at once. Every
// request that was accepted gets its status, after it is durable or refused, in the order of
// acceptance.
//
// Thread-safe. Plain std::mutex, so that ThreadSanitizer can judge it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "storage/base/limits.h"
#include "storage/graph_store.h"

namespace relations {

class WriteQueue {
 public:
  struct Options {
    // Of requests that wait; those being written come on top.
    size_t requests_max = limits::kWriteQueueRequestsMax;
    size_t bytes_max = limits::kWriteQueueBytesMax;
    // Of one group.
    size_t group_requests_max = limits::kWriteGroupRequestsMax;
    size_t group_bytes_max = limits::kWriteGroupBytesMax;
  };
  // Called once for a request, on the queue's thread: it must not block.
  using Done = std::function<void(const absl::Status& status)>;

  // `store` is not owned and must outlive the queue.
  WriteQueue(GraphStore* store, const Options& options);
  explicit WriteQueue(GraphStore* store) : WriteQueue(store, Options()) {}
  // Writes what was accepted, then joins the thread.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Accepts a request whose memory is about `bytes`, or returns false at once, leaving both as they
  // are, when the queue is full. A single request is accepted whatever its size when none waits.
  bool TrySubmit(Mutations& mutations, size_t bytes, Done& done);

  // Submits and waits. UNAVAILABLE, a public error, when the queue is full.
  absl::Status Apply(Mutations mutations, size_t bytes);

 private:
  struct Request {
    Mutations mutations;
    size_t bytes = 0;
    Done done;
  };

  void Work();
  // Waits for requests and takes a group of them; empty when the queue ends.
  std::deque<Request> TakeGroup();

  GraphStore* const store_;
  const Options options_;
  std::mutex mutex_;
  // State below is guarded by mutex_.
  std::condition_variable changed_;
  std::deque<Request> waiting_;
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  // Constant after construction.
  std::thread thread_;
};

}  // namespace relations
