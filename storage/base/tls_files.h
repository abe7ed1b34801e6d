// The files of TLS (PEM), checked before they are used, so that a program starts with what works or
// says what does not.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace relations {

struct TlsFiles {
  // Our certificate (the chain after it) and its private key; both or none.
  std::string certificate;
  std::string key;
  // Certificates of the authorities that a peer's certificate must come from; empty: of the system
  // for a client, and no client certificates for a server.
  std::string authorities;
};

// INVALID_ARGUMENT or FAILED_PRECONDITION names the file and what is wrong: missing, no PEM, a key
// that is not the certificate's, one of a pair without the other.
absl::Status CheckTlsFiles(const TlsFiles& files);

}  // namespace relations
