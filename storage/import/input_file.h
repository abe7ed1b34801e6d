// One input of an import as a stream of plain bytes: a file, a pipe or standard input, decompressed
// when its first bytes are those of gzip.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relations {

// Not thread-safe. Holds one descriptor and bounded memory.
class InputFile {
 public:
  // Opens `path`, "-" being standard input. `on_bytes` is told of every read of the file itself.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path,
                                                         std::function<void(size_t)> on_bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Reads 1 to `size` bytes into `buffer`; 0 at the end. DATA_LOSS when compressed data is damaged
  // or ends early, UNAVAILABLE when the file cannot be read.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);

 private:
  InputFile(int descriptor, bool owned, std::function<void(size_t)> on_bytes);
  // Reads more of the file behind what is left in raw_.
  absl::Status Fill();
  size_t available() const { return raw_end_ - raw_begin_; }
  // Before the first byte and between gzip members: finds out what comes, and sets state_.
  absl::Status StartMember();
  absl::StatusOr<size_t> Inflate(char* buffer, size_t size);

  enum class State { kStart, kPlain, kInMember, kBetweenMembers, kEnd };

  const int descriptor_;
  const bool owned_;
  const std::function<void(size_t)> on_bytes_;
  std::vector<char> raw_;
  size_t raw_begin_ = 0;
  size_t raw_end_ = 0;
  bool raw_at_end_ = false;
  State state_ = State::kStart;
  z_stream stream_ = {};
  bool stream_ready_ = false;
};

}  // namespace relations
