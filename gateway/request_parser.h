// Reads one HTTP/1 request after another from the bytes of a connection, over Boost.Beast's parser,
// and refuses everything that two parties could read differently: several or listed Content-Length
// fields, Content-Length together with Transfer-Encoding, any Transfer-Encoding but one "chunked"
// (and any in HTTP/1.0), folded header lines, HTTP/1.1 without exactly one Host.
//
//   switch (parser.Read(unread, consumed)) { ... }   // consumed: what to drop from the front of
//   `unread`
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"
#include "gateway/http_error.h"
#include "gateway/http_message.h"

namespace relations::gateway {

class RequestParser {
 public:
  enum class Progress {
    // More bytes are needed.
    kNeedsInput,
    // request() is whole; its body, if any, is read or will not be.
    kDone,
    // failure() says what is wrong; nothing more can be read from this connection.
    kFailed,
  };

  // Room that the unread bytes of a connection need at most.
  static constexpr size_t kInputBytesMax = size_t{16} << 10;

  RequestParser();
  ~RequestParser();

  // Reads on with `input`, the unread bytes of the connection. Sets `consumed`, also on failure.
  Progress Read(absl::string_view input, size_t& consumed);

  // Bytes of a request have come, but not all of it.
  bool started() const;

  // REQUIRES: the last Read gave kDone (kFailed: what was read by then). Moves the request out.
  HttpRequest TakeRequest();

  // REQUIRES: the last Read gave kFailed.
  const Failure& failure() const;

  // Prepares for the next request.
  void Reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relations::gateway
