// The caller's secret, from a file: exactly what `keys create --json` and `sessions create --json`
// print, {"apiKey":"...","apiSecret":"..."} or {"bearer":"..."}; other keys are not looked at.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ctl/file_descriptor.h"

namespace relations {

// Names and values of gRPC metadata.
using CallMetadata = std::vector<std::pair<std::string, std::string>>;

// Reads `path` ("-" is standard input) into the metadata that the server expects. NOT_FOUND when
// there is no such file, INVALID_ARGUMENT when it holds something else; no message repeats its
// contents.
absl::StatusOr<CallMetadata> ReadCredentials(const std::string& path);

// A file for a new secret that only its owner can read. It is made before the credential is, so
// that no credential exists whose secret could not be kept; without Write it goes away again.
class SecretFile {
 public:
  // ALREADY_EXISTS when there is something at `path`: nothing is ever overwritten.
  static absl::StatusOr<SecretFile> Create(const std::string& path);
  SecretFile(SecretFile&&) = default;
  ~SecretFile();

  // Writes `json` as one line, synced. Call once.
  absl::Status Write(const std::string& json);

 private:
  SecretFile(std::string path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  // Not valid once it is written, or moved away.
  FileDescriptor file_;
};

}  // namespace relations
