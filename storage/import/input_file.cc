#include "storage/import/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

constexpr size_t kRawBytes = 256 << 10;
// windowBits of zlib: the largest window, gzip framing.
constexpr int kGzipWindowBits = 15 + 16;

std::string ErrorText(int error) { return std::strerror(error); }

}  // namespace

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path,
                                                           std::function<void(size_t)> on_bytes) {
  int descriptor = STDIN_FILENO;
  const bool is_standard_input = path == "-";
  if (!is_standard_input) {
    do {
      descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
      return absl::UnavailableError(absl::StrCat("cannot be opened: ", ErrorText(errno)));
    }
  }
  return std::unique_ptr<InputFile>(
      new InputFile(descriptor, !is_standard_input, std::move(on_bytes)));
}

InputFile::InputFile(int descriptor, bool owned, std::function<void(size_t)> on_bytes)
    : descriptor_(descriptor), owned_(owned), on_bytes_(std::move(on_bytes)), raw_(kRawBytes) {}

InputFile::~InputFile() {
  if (stream_ready_) {
    inflateEnd(&stream_);
  }
  if (owned_) {
    close(descriptor_);
  }
}

absl::Status InputFile::Fill() {
  std::memmove(raw_.data(), raw_.data() + raw_begin_, available());
  raw_end_ -= raw_begin_;
  raw_begin_ = 0;
  ssize_t count;
  do {
    count = read(descriptor_, raw_.data() + raw_end_, raw_.size() - raw_end_);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return absl::UnavailableError(absl::StrCat("cannot be read: ", ErrorText(errno)));
  }
  raw_at_end_ = count == 0;
  raw_end_ += static_cast<size_t>(count);
  if (on_bytes_ && count > 0) {
    on_bytes_(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status InputFile::StartMember() {
  const bool is_first = state_ == State::kStart;
  while (true) {
    while (available() < 2 && !raw_at_end_) {
      RETURN_IF_ERROR(Fill());
    }
    // Tapes and block devices pad compressed files with zeros.
    if (!is_first && available() > 0 && raw_[raw_begin_] == 0) {
      ++raw_begin_;
      continue;
    }
    break;
  }
  const bool is_gzip =
      available() >= 2 && raw_[raw_begin_] == '\x1f' && raw_[raw_begin_ + 1] == '\x8b';
  if (!is_gzip) {
    if (!is_first && available() > 0) {
      return absl::DataLossError("bytes that are no gzip follow the compressed data");
    }
    state_ = is_first ? State::kPlain : State::kEnd;
    return absl::OkStatus();
  }
  const int result =
      stream_ready_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipWindowBits);
  if (result != Z_OK) {
    return absl::ResourceExhaustedError("zlib cannot start: out of memory");
  }
  stream_ready_ = true;
  state_ = State::kInMember;
  return absl::OkStatus();
}

absl::StatusOr<size_t> InputFile::Read(char* buffer, size_t size) {
  while (true) {
    switch (state_) {
      case State::kEnd:
        return 0;
      case State::kStart:
      case State::kBetweenMembers:
        RETURN_IF_ERROR(StartMember());
        break;
      case State::kPlain: {
        if (available() == 0 && !raw_at_end_) {
          RETURN_IF_ERROR(Fill());
        }
        const size_t count = std::min(size, available());
        std::memcpy(buffer, raw_.data() + raw_begin_, count);
        raw_begin_ += count;
        return count;
      }
      case State::kInMember: {
        ASSIGN_OR_RETURN(const size_t count, Inflate(buffer, size));
        if (count > 0) {
          return count;
        }
        break;
      }
    }
  }
}

absl::StatusOr<size_t> InputFile::Inflate(char* buffer, size_t size) {
  if (available() == 0 && !raw_at_end_) {
    RETURN_IF_ERROR(Fill());
  }
  stream_.next_in = reinterpret_cast<Bytef*>(raw_.data() + raw_begin_);
  stream_.avail_in = static_cast<uInt>(available());
  stream_.next_out = reinterpret_cast<Bytef*>(buffer);
  stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1U << 30));
  const uInt room = stream_.avail_out;
  const int result = inflate(&stream_, Z_NO_FLUSH);
  raw_begin_ = raw_end_ - stream_.avail_in;
  const size_t count = room - stream_.avail_out;
  if (result == Z_STREAM_END) {
    state_ = State::kBetweenMembers;
    return count;
  }
  if (result == Z_MEM_ERROR) {
    return absl::ResourceExhaustedError("zlib is out of memory");
  }
  if (result != Z_OK && result != Z_BUF_ERROR) {
    return absl::DataLossError(
        absl::StrCat("damaged gzip data: ", stream_.msg == nullptr ? "unreadable" : stream_.msg));
  }
  if (count == 0 && available() == 0 && raw_at_end_) {
    return absl::DataLossError("the gzip data ends early: the file is truncated");
  }
  return count;
}

}  // namespace relations
