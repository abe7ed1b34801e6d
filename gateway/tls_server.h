// The certificate that the front shows, read again when its files change.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "gateway/client_stream.h"
#include "storage/base/tls_files.h"

namespace relations::gateway {

// Thread-safe. TLS 1.2 and later only; with `authorities` every client must show a certificate of
// theirs.
class TlsServer {
 public:
  // FAILED_PRECONDITION names a file that cannot be used.
  static absl::StatusOr<std::unique_ptr<TlsServer>> Open(const TlsFiles& files);

  // For a new connection. The files are looked at once a second; while new ones do not work, which
  // the log tells, the old ones count.
  std::shared_ptr<TlsContext> Context();

 private:
  explicit TlsServer(const TlsFiles& files) : files_(files) {}
  absl::StatusOr<std::shared_ptr<TlsContext>> Load() const;
  // Changes whenever a file does.
  std::string Stamp() const;

  const TlsFiles files_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<TlsContext> context_;
  std::string stamp_;
  std::chrono::steady_clock::time_point looked_;
};

}  // namespace relations::gateway
