#include "storage/rocks/bulk_sorter.h"

#include <algorithm>
#include <bit>
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
// How far ahead records are fetched while a sorted chunk is read: they stand anywhere in memory.
constexpr size_t kPrefetched = 16;
constexpr size_t kPrefetchedBytes = 384;
constexpr size_t kCacheLineBytes = 64;

// Eight bytes as a number that orders as they do.
uint64_t BigEndianWord(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

// The eight bytes of `key` from `at`, zeros after its end.
uint64_t WordAt(absl::string_view key, size_t at) {
  char bytes[8] = {};
  if (at + 8 <= key.size()) return BigEndianWord(key.data() + at);
  if (at < key.size()) std::memcpy(bytes, key.data() + at, key.size() - at);
  return BigEndianWord(bytes);
}

size_t SharedPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t shared = 0;
  while (shared + 8 <= most && std::memcmp(a.data() + shared, b.data() + shared, 8) == 0) {
    shared += 8;
  }
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

// Records in memory: entries that hold a small record whole, and of a larger one the first bytes of
// its key and where in the arena all of it stands. So sorting and reading small records stays in
// order in memory.
class BulkSorter::Chunk {
 public:
  explicit Chunk(size_t bytes) {
    // Address space only: what is not used is never touched.
    arena_.reserve(bytes);
    entries_.reserve(bytes / sizeof(Entry));
  }

  void Add(absl::string_view key, absl::string_view payload) {
    Entry& entry = entries_.emplace_back();
    std::memcpy(entry.prefix, key.data(), std::min(key.size(), kPrefixBytes));
    entry.key_bytes = static_cast<uint8_t>(key.size());
    if (key.size() <= kPrefixBytes && payload.size() <= kPayloadBytes) {
      entry.payload_bytes = static_cast<uint8_t>(payload.size());
      std::copy(payload.begin(), payload.end(), entry.payload);
      return;
    }
    entry.payload_bytes = kInArena;
    const auto offset = static_cast<uint32_t>(arena_.size());
    std::memcpy(entry.payload, &offset, sizeof offset);
    arena_.append(key.data(), key.size());
    PutVarint(payload.size(), arena_);
    arena_.append(payload.data(), payload.size());
  }

  size_t bytes() const { return arena_.size() + entries_.size() * sizeof(Entry); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

  void Sort() {
    std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
      for (size_t at = 0; at < kPrefixBytes; at += 8) {
        const uint64_t of_a = BigEndianWord(a.prefix + at);
        const uint64_t of_b = BigEndianWord(b.prefix + at);
        if (of_a != of_b) return of_a < of_b;
      }
      // Zeros fill a short key up: of equal prefixes the shorter key comes first.
      if (a.key_bytes <= kPrefixBytes || b.key_bytes <= kPrefixBytes) {
        return a.key_bytes < b.key_bytes;
      }
      return Key(a) < Key(b);
    });
  }

  absl::string_view key(size_t i) const { return Key(entries_[i]); }
  absl::string_view payload(size_t i) const {
    const Entry& entry = entries_[i];
    if (entry.payload_bytes != kInArena) return {entry.payload, entry.payload_bytes};
    absl::string_view rest = absl::string_view(arena_).substr(OffsetOf(entry) + entry.key_bytes);
    uint64_t size = 0;
    GetVarint(&rest, &size);
    return rest.substr(0, size);
  }
  // Fetches what record i, soon to be read, has in the arena.
  void Prefetch(size_t i) const {
    if (i >= entries_.size() || entries_[i].payload_bytes != kInArena) return;
    const char* const record = arena_.data() + OffsetOf(entries_[i]);
    for (size_t at = 0; at < kPrefetchedBytes; at += kCacheLineBytes) {
      __builtin_prefetch(record + at);
    }
  }

 private:
  static constexpr size_t kPrefixBytes = 16;
  static constexpr size_t kPayloadBytes = 14;
  static constexpr uint8_t kInArena = 255;
  struct Entry {
    char prefix[kPrefixBytes] = {};
    uint8_t key_bytes = 0;
    // Or kInArena: then `payload` starts with the offset in the arena (u32).
    uint8_t payload_bytes = 0;
    char payload[kPayloadBytes] = {};
  };

  static uint32_t OffsetOf(const Entry& entry) {
    uint32_t offset = 0;
    std::memcpy(&offset, entry.payload, sizeof offset);
    return offset;
  }
  absl::string_view Key(const Entry& entry) const {
    const bool is_whole = entry.key_bytes <= kPrefixBytes;
    return {is_whole ? entry.prefix : arena_.data() + OffsetOf(entry), entry.key_bytes};
  }

  std::string arena_;
  std::vector<Entry> entries_;
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
    chunk.Prefetch(i + kPrefetched);
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
    chunk_->Prefetch(i + kPrefetched);
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
