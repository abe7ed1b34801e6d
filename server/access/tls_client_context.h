// TLS as a client of an HTTP service: the context that new connections take, read again when its
// files change.
//
// Not thread-safe.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/base/tls_files.h"

namespace relations {

class TlsClientContext {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // INVALID_ARGUMENT or FAILED_PRECONDITION names a file that cannot be used.
  static absl::StatusOr<std::unique_ptr<TlsClientContext>> Open(const TlsFiles& files);

  // Looks at the files at most once a second. When changed ones cannot be used, the old ones count.
  Context Get();

 private:
  explicit TlsClientContext(const TlsFiles& files) : files_(files) {}
  absl::StatusOr<Context> Load() const;
  std::string Stamp() const;

  const TlsFiles files_;
  Context context_;
  std::string stamp_;
  std::chrono::steady_clock::time_point looked_;
};

}  // namespace relations
