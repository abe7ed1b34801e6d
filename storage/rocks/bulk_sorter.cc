#include "storage/rocks/bulk_sorter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/base/status_macros.h"
#include "storage/varint.h"

namespace relations {
namespace {

// Runs that are read together: each costs a buffer.
constexpr size_t kFanInMax = 64;
constexpr size_t kReadBufferBytesMin = 4 << 10;
constexpr size_t kReadBufferBytesMax = 1 << 20;
constexpr size_t kKeyBytesMax = 250;

// Eight bytes of `key` from `at` as a number that orders as they do; zeros after its end.
uint64_t WordAt(absl::string_view key, size_t at) {
  unsigned char bytes[8] = {};
  if (at < key.size()) std::memcpy(bytes, key.data() + at, std::min<size_t>(8, key.size() - at));
  uint64_t word = 0;
  for (const unsigned char byte : bytes) word = word << 8 | byte;
  return word;
}

size_t SharedPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t shared = 0;
  while (shared < most && a[shared] == b[shared]) ++shared;
  return shared;
}

// Writes records in order as frames of a run.
class RunWriter {
 public:
  explicit RunWriter(ScratchFile* file) : file_(file) {}

  absl::Status Append(absl::string_view key, absl::string_view payload) {
    const size_t shared = SharedPrefix(last_, key);
    head_.clear();
    head_ += static_cast<char>(shared);
    PutVarint(key.size() - shared, head_);
    head_.append(key.data() + shared, key.size() - shared);
    last_.assign(key.data(), key.size());
    return file_->AppendFrame(head_, payload);
  }

 private:
  ScratchFile* const file_;
  std::string last_;
  std::string head_;
};

}  // namespace

// Records in memory: their bytes in one arena, and an index that holds the first 16 bytes of each
// key, so that sorting seldom looks into the arena.
class BulkSorter::Chunk {
 public:
  explicit Chunk(size_t bytes) {
    // Address space only: what is not used is never touched.
    arena_.reserve(bytes);
    index_.reserve(bytes / (sizeof(Entry) + 16));
  }

  void Add(absl::string_view key, absl::string_view payload) {
    index_.push_back({WordAt(key, 0), WordAt(key, 8), static_cast<uint32_t>(arena_.size()),
                      static_cast<uint32_t>(key.size())});
    arena_.append(key.data(), key.size());
    PutVarint(payload.size(), arena_);
    arena_.append(payload.data(), payload.size());
  }

  size_t bytes() const { return arena_.size() + index_.size() * sizeof(Entry); }
  size_t size() const { return index_.size(); }
  bool empty() const { return index_.empty(); }

  void Sort() {
    std::sort(index_.begin(), index_.end(), [this](const Entry& a, const Entry& b) {
      if (a.first != b.first) return a.first < b.first;
      if (a.second != b.second) return a.second < b.second;
      if (a.key_bytes <= 16 || b.key_bytes <= 16) return a.key_bytes < b.key_bytes;
      return Key(a).substr(16) < Key(b).substr(16);
    });
  }

  absl::string_view key(size_t i) const { return Key(index_[i]); }
  absl::string_view payload(size_t i) const {
    const Entry& entry = index_[i];
    absl::string_view rest = absl::string_view(arena_).substr(entry.offset + entry.key_bytes);
    uint64_t size = 0;
    GetVarint(&rest, &size);
    return rest.substr(0, size);
  }
  void Prefetch(size_t i) const {
    if (i < index_.size()) __builtin_prefetch(arena_.data() + index_[i].offset);
  }

 private:
  struct Entry {
    uint64_t first;
    uint64_t second;
    uint32_t offset;
    uint32_t key_bytes;
  };

  absl::string_view Key(const Entry& entry) const {
    return {arena_.data() + entry.offset, entry.key_bytes};
  }

  std::string arena_;
  std::vector<Entry> index_;
};

class BulkSorter::RunReader {
 public:
  RunReader(const ScratchFile* file, const Run& run, size_t buffer_bytes)
      : reader_(file, run.begin, run.end, buffer_bytes) {}

  absl::StatusOr<bool> Next() {
    absl::string_view frame;
    ASSIGN_OR_RETURN(const bool more, reader_.Next(&frame));
    if (!more) return false;
    uint64_t rest = 0;
    const size_t shared = frame.empty() ? 0 : static_cast<unsigned char>(frame.front());
    if (frame.empty() || shared > key_.size()) return Damaged();
    frame.remove_prefix(1);
    if (!GetVarint(&frame, &rest) || rest > frame.size()) return Damaged();
    key_.resize(shared);
    key_.append(frame.data(), rest);
    frame.remove_prefix(rest);
    payload_ = frame;
    first_ = WordAt(key_, 0);
    second_ = WordAt(key_, 8);
    return true;
  }

  const std::string& key() const { return key_; }
  absl::string_view payload() const { return payload_; }

  bool Precedes(const RunReader& other) const {
    if (first_ != other.first_) return first_ < other.first_;
    if (second_ != other.second_) return second_ < other.second_;
    return key_ < other.key_;
  }

 private:
  static absl::Status Damaged() {
    return absl::DataLossError("import: a run of sorted records is damaged");
  }

  ScratchReader reader_;
  std::string key_;
  uint64_t first_ = 0;
  uint64_t second_ = 0;
  absl::string_view payload_;
};

BulkSorter::BulkSorter(const ScratchDirectory* scratch, BackgroundWorker* worker,
                       size_t memory_bytes, EqualKeys equal_keys)
    : scratch_(scratch),
      worker_(worker),
      // Offsets within a chunk have 32 bits.
      memory_bytes_(std::min(memory_bytes, size_t{3} << 30)),
      equal_keys_(equal_keys) {}

BulkSorter::~BulkSorter() {
  // Jobs of the worker refer to this; of a sorter that fails, what they say no longer matters.
  if (file_ != nullptr && worker_ != nullptr) worker_->Wait().IgnoreError();
}

absl::Status BulkSorter::Add(absl::string_view key, absl::string_view payload) {
  if (key.size() > kKeyBytesMax) return absl::InternalError("import: a key is too long to sort");
  if (chunk_ == nullptr) chunk_ = std::make_unique<Chunk>(chunk_bytes());
  chunk_->Add(key, payload);
  return chunk_->bytes() < chunk_bytes() ? absl::OkStatus() : Seal();
}

absl::Status BulkSorter::Seal() {
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, scratch_->NewFile());
  }
  const std::shared_ptr<Chunk> chunk = std::move(chunk_);
  if (worker_ == nullptr) return WriteRun(*chunk);
  return worker_->Submit([this, chunk] { return WriteRun(*chunk); });
}

absl::Status BulkSorter::WriteRun(Chunk& chunk) {
  chunk.Sort();
  Run run{file_->size(), 0};
  RunWriter writer(file_.get());
  for (size_t i = 0; i < chunk.size(); ++i) {
    chunk.Prefetch(i + 8);
    if (equal_keys_ == EqualKeys::kKeepOne && i > 0 && chunk.key(i) == chunk.key(i - 1)) continue;
    RETURN_IF_ERROR(writer.Append(chunk.key(i), chunk.payload(i)));
  }
  run.end = file_->size();
  runs_.push_back(run);
  return absl::OkStatus();
}

absl::Status BulkSorter::Finish() {
  if (file_ == nullptr) {
    if (chunk_ != nullptr) chunk_->Sort();
    return absl::OkStatus();
  }
  if (chunk_ != nullptr && !chunk_->empty()) RETURN_IF_ERROR(Seal());
  if (worker_ != nullptr) RETURN_IF_ERROR(worker_->Wait());
  RETURN_IF_ERROR(file_->Flush());
  RETURN_IF_ERROR(MergeRuns());
  return OpenReaders(0, runs_.size());
}

absl::Status BulkSorter::OpenReaders(size_t first, size_t count) {
  const size_t buffer = std::clamp(memory_bytes_ / std::max<size_t>(count, 1), kReadBufferBytesMin,
                                   kReadBufferBytesMax);
  readers_.clear();
  heap_.clear();
  top_is_read_ = false;
  has_last_ = false;
  for (size_t i = first; i < first + count; ++i) {
    auto reader = std::make_unique<RunReader>(file_.get(), runs_[i], buffer);
    ASSIGN_OR_RETURN(const bool more, reader->Next());
    if (!more) continue;
    heap_.push_back(reader.get());
    readers_.push_back(std::move(reader));
  }
  for (size_t i = heap_.size(); i-- > 0;) SiftDown(i);
  return absl::OkStatus();
}

absl::Status BulkSorter::MergeRuns() {
  while (runs_.size() > kFanInMax) {
    ASSIGN_OR_RETURN(std::unique_ptr<ScratchFile> merged, scratch_->NewFile());
    std::vector<Run> runs;
    for (size_t first = 0; first < runs_.size(); first += kFanInMax) {
      RETURN_IF_ERROR(OpenReaders(first, std::min(kFanInMax, runs_.size() - first)));
      Run run{merged->size(), 0};
      RunWriter writer(merged.get());
      while (true) {
        ASSIGN_OR_RETURN(const bool more, NextOfRuns());
        if (!more) break;
        RETURN_IF_ERROR(writer.Append(key_, payload_));
      }
      run.end = merged->size();
      runs.push_back(run);
    }
    RETURN_IF_ERROR(merged->Flush());
    readers_.clear();
    file_ = std::move(merged);
    runs_ = std::move(runs);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> BulkSorter::Next() {
  if (file_ != nullptr) return NextOfRuns();
  if (chunk_ == nullptr) return false;
  while (next_of_chunk_ < chunk_->size()) {
    const size_t i = next_of_chunk_++;
    if (equal_keys_ == EqualKeys::kKeepOne && i > 0 && chunk_->key(i) == chunk_->key(i - 1)) {
      continue;
    }
    chunk_->Prefetch(i + 8);
    key_ = chunk_->key(i);
    payload_ = chunk_->payload(i);
    return true;
  }
  return false;
}

absl::StatusOr<bool> BulkSorter::NextOfRuns() {
  while (true) {
    if (top_is_read_) {
      ASSIGN_OR_RETURN(const bool more, heap_.front()->Next());
      if (!more) {
        heap_.front() = heap_.back();
        heap_.pop_back();
      }
      SiftDown(0);
    }
    top_is_read_ = !heap_.empty();
    if (heap_.empty()) return false;
    const RunReader& top = *heap_.front();
    if (equal_keys_ == EqualKeys::kKeepOne) {
      if (has_last_ && last_key_ == top.key()) continue;
      last_key_ = top.key();
      has_last_ = true;
    }
    key_ = top.key();
    payload_ = top.payload();
    return true;
  }
}

void BulkSorter::SiftDown(size_t at) {
  while (true) {
    size_t least = at;
    for (const size_t child : {2 * at + 1, 2 * at + 2}) {
      if (child < heap_.size() && heap_[child]->Precedes(*heap_[least])) least = child;
    }
    if (least == at) return;
    std::swap(heap_[at], heap_[least]);
    at = least;
  }
}

}  // namespace relations
