#include "server/open_streams.h"

#include <algorithm>
#include <chrono>

namespace relations {
namespace {

// Between two looks for the time's sake.
constexpr std::chrono::milliseconds kLookInterval{250};
// What comes within it is looked at together: writes are many, and a look costs each stream a read.
constexpr std::chrono::milliseconds kGather{10};

}  // namespace

OpenStreams::OpenStreams(const Limits& limits) : limits_(limits), thread_([this] { Work(); }) {}

OpenStreams::~OpenStreams() {
  {
    const std::lock_guard<std::mutex> lock(wake_mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool OpenStreams::Add(OpenStream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || entries_.size() >= limits_.all) return false;
  entries_.push_back({stream, ""});
  return true;
}

bool OpenStreams::Claim(OpenStream* stream, const std::string& owner) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto his =
      static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.stream != stream && entry.owner == owner;
      }));
  if (his >= limits_.of_one) return false;
  for (Entry& entry : entries_) {
    if (entry.stream == stream) entry.owner = owner;
  }
  return true;
}

void OpenStreams::Remove(OpenStream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [stream](const Entry& entry) { return entry.stream == stream; }),
                 entries_.end());
}

void OpenStreams::EndAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  for (const Entry& entry : entries_) entry.stream->OnDrain();
}

void OpenStreams::Wake() {
  {
    const std::lock_guard<std::mutex> lock(wake_mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

size_t OpenStreams::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

void OpenStreams::Work() {
  auto timed = std::chrono::steady_clock::now();
  while (true) {
    OpenStream::Look look = OpenStream::Look::kTimePassed;
    {
      std::unique_lock<std::mutex> lock(wake_mutex_);
      changed_.wait_until(lock, timed + kLookInterval, [this] { return stopping_ || woken_; });
      if (woken_) changed_.wait_for(lock, kGather, [this] { return stopping_; });
      if (stopping_) return;
      if (woken_) look = OpenStream::Look::kSomethingNew;
      woken_ = false;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (look == OpenStream::Look::kSomethingNew) {
      for (const Entry& entry : entries_) entry.stream->OnLook(look);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - timed < kLookInterval) continue;
    timed = now;
    for (const Entry& entry : entries_) entry.stream->OnLook(OpenStream::Look::kTimePassed);
  }
}

}  // namespace relations
