#include "storage/rocks/bulk_scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/varint.h"

namespace relations {
namespace {

constexpr size_t kVarintBytesMax = 10;

absl::Status Errno(absl::string_view doing) {
  return absl::ErrnoToStatus(errno, absl::StrCat("import: ", doing));
}

absl::Status Damaged() { return absl::DataLossError("import: a scratch file is damaged"); }

}  // namespace

ScratchFile::ScratchFile(int descriptor) : descriptor_(descriptor) {}

ScratchFile::~ScratchFile() { close(descriptor_); }

absl::Status ScratchFile::AppendFrame(absl::string_view head, absl::string_view tail) {
  PutVarint(head.size() + tail.size(), buffer_);
  buffer_.append(head.data(), head.size());
  return Append(tail);
}

absl::Status ScratchFile::Flush() {
  size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t count = write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      return Errno("writing a scratch file");
    }
    done += static_cast<size_t>(count);
  }
  written_ += done;
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status ScratchFile::ReadAt(uint64_t offset, char* out, size_t size) const {
  while (size > 0) {
    const ssize_t count = pread(descriptor_, out, size, static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      return Errno("reading a scratch file");
    }
    if (count == 0) return Damaged();
    out += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

ScratchReader::ScratchReader(const ScratchFile* file, uint64_t begin, uint64_t end,
                             size_t buffer_bytes)
    : file_(file), position_(begin), end_(end) {
  buffer_.resize(static_cast<size_t>(
      std::min<uint64_t>(end - begin, std::max(buffer_bytes, kVarintBytesMax))));
}

absl::StatusOr<size_t> ScratchReader::Fill(size_t size) {
  const size_t have = filled_ - begin_;
  if (have >= size || position_ == end_) return have;
  std::memmove(buffer_.data(), buffer_.data() + begin_, have);
  begin_ = 0;
  filled_ = have;
  if (buffer_.size() < size) buffer_.resize(size);
  const auto count =
      static_cast<size_t>(std::min<uint64_t>(buffer_.size() - filled_, end_ - position_));
  RETURN_IF_ERROR(file_->ReadAt(position_, buffer_.data() + filled_, count));
  position_ += count;
  filled_ += count;
  return filled_;
}

absl::StatusOr<bool> ScratchReader::NextBytes(size_t size, absl::string_view* bytes) {
  if (filled_ - begin_ < size) {
    ASSIGN_OR_RETURN(const size_t have, Fill(size));
    if (have == 0) return false;
    if (have < size) return Damaged();
  }
  *bytes = absl::string_view(buffer_.data() + begin_, size);
  begin_ += size;
  return true;
}

absl::StatusOr<bool> ScratchReader::Next(absl::string_view* frame) {
  if (filled_ - begin_ < kVarintBytesMax) {
    ASSIGN_OR_RETURN(const size_t have, Fill(kVarintBytesMax));
    if (have == 0) return false;
  }
  absl::string_view rest(buffer_.data() + begin_, filled_ - begin_);
  uint64_t size = 0;
  if (!GetVarint(&rest, &size) || size > end_) return Damaged();
  begin_ = filled_ - rest.size();
  if (size == 0) {
    *frame = {};
    return true;
  }
  ASSIGN_OR_RETURN(const bool found, NextBytes(static_cast<size_t>(size), frame));
  if (!found) return Damaged();
  return true;
}

absl::StatusOr<std::unique_ptr<ScratchDirectory>> ScratchDirectory::Create(
    const std::string& store_directory) {
  std::string path = absl::StrCat(store_directory, "/import.tmp");
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) std::filesystem::create_directory(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("import: creating ", path));
  }
  return std::unique_ptr<ScratchDirectory>(new ScratchDirectory(std::move(path)));
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) LogError("import scratch not removed", {{"cause", error.message()}});
}

absl::StatusOr<std::unique_ptr<ScratchFile>> ScratchDirectory::NewFile() const {
  std::string name = absl::StrCat(path_, "/scratch-XXXXXX");
  const int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return Errno(absl::StrCat("creating a scratch file in ", path_));
  unlink(name.c_str());
  return std::make_unique<ScratchFile>(descriptor);
}

}  // namespace relations
