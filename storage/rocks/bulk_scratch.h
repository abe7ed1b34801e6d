// Scratch files of a bulk import: bytes that are written once, in order, and read back in order or
// by offset. They live in `<store>/import.tmp/`, which is emptied when an import begins and removed
// when it ends; a crash leaves at most that directory.
//
// Frames: most files are sequences of  varint length | bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace relations {

// A file without a name: its space is given back when it is destroyed. One thread writes, then any
// number may read.
class ScratchFile {
 public:
  // Owns `descriptor`.
  explicit ScratchFile(int descriptor);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  absl::Status Append(absl::string_view bytes) {
    buffer_.append(bytes.data(), bytes.size());
    return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
  }
  // Appends the two parts as one frame.
  absl::Status AppendFrame(absl::string_view head, absl::string_view tail = {});
  // To be called before anything is read.
  absl::Status Flush();

  // Bytes appended so far.
  uint64_t size() const { return written_ + buffer_.size(); }
  // Reads exactly `size` bytes; DATA_LOSS when the file ends before. REQUIRES: flushed.
  absl::Status ReadAt(uint64_t offset, char* out, size_t size) const;

 private:
  static constexpr size_t kBufferBytes = 256 << 10;

  const int descriptor_;
  std::string buffer_;
  uint64_t written_ = 0;
};

// Reads a part of a scratch file in order. Not thread-safe; the file must outlive it.
class ScratchReader {
 public:
  ScratchReader(const ScratchFile* file, uint64_t begin, uint64_t end, size_t buffer_bytes);
  // Reads the whole file.
  ScratchReader(const ScratchFile* file, size_t buffer_bytes)
      : ScratchReader(file, 0, file->size(), buffer_bytes) {}

  // The next frame, valid until the next call; false at the end.
  absl::StatusOr<bool> Next(absl::string_view* frame);
  // The next `size` bytes, without a frame; false at the end.
  absl::StatusOr<bool> NextBytes(size_t size, absl::string_view* bytes);

 private:
  // Makes `size` bytes available, or all that are left; how many are.
  absl::StatusOr<size_t> Fill(size_t size);

  const ScratchFile* file_;
  uint64_t position_;
  uint64_t end_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t filled_ = 0;
};

class ScratchDirectory {
 public:
  // Makes `<store_directory>/import.tmp`, emptied of what an interrupted import left.
  static absl::StatusOr<std::unique_ptr<ScratchDirectory>> Create(
      const std::string& store_directory);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  absl::StatusOr<std::unique_ptr<ScratchFile>> NewFile() const;
  const std::string& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace relations
