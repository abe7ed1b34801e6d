// Asks one HTTP/1.1 service, on a thread of its own, so that no caller waits for a peer.
//
//   ASSIGN_OR_RETURN(auto client, HttpClient::Start({url, tls}));
//   client->Get({"/api/session", {{"Authorization", token}}}, [](auto answer) { ... });
//
// Connections are kept and used again; one that ended meanwhile is no failure. Redirects are not
// followed: they are answers like others. Over TLS (1.2 and later) the service must show a
// certificate for the URL's host; the files of TLS are read again when they change.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/http_url.h"
#include "storage/base/tls_files.h"

namespace relations {

class HttpClient {
 public:
  struct Options {
    HttpUrl url;
    TlsFiles tls;
    // For all of a question, from Get to the answer's last byte.
    std::chrono::milliseconds timeout{2000};
    size_t answer_bytes_max = 64 << 10;
    // Questions asked at once, each on a connection of its own, and those that wait beside them.
    size_t connections_max = 16;
    size_t waiting_max = 1024;
  };

  struct Question {
    // Begins with '/'.
    std::string target;
    std::vector<std::pair<std::string, std::string>> fields;
  };

  struct Answer {
    unsigned status = 0;
    std::string body;
  };

  // DEADLINE_EXCEEDED after `timeout`; RESOURCE_EXHAUSTED when too many questions wait (this comes
  // before Get returns) or the answer is too large; UNAVAILABLE when the service cannot be reached,
  // leaves, or speaks no HTTP; CANCELLED when the client goes. Runs on the client's thread: it must
  // not block, and may ask again but when CANCELLED.
  using Done = std::function<void(absl::StatusOr<Answer> answer)>;

  // INVALID_ARGUMENT or FAILED_PRECONDITION name a file of TLS that cannot be used.
  static absl::StatusOr<std::unique_ptr<HttpClient>> Start(const Options& options);
  // Ends what is under way with CANCELLED. A look-up of a host's name that the system does not end
  // is waited for.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Calls `done` once.
  void Get(Question question, Done done);

  // Questions that wait or are being asked.
  size_t under_way() const;
  // Connections opened so far.
  size_t connections_opened() const;

 private:
  class Engine;
  explicit HttpClient(std::unique_ptr<Engine> engine);

  std::unique_ptr<Engine> engine_;
};

}  // namespace relations
