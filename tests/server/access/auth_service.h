// An HTTP service in the test's process: what it answers is the test's to say, what it was asked
// is counted as it arrives. Boost.Beast stays in the .cc file.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/tls_files.h"

namespace relations {

class AuthService {
 public:
  struct Request {
    std::string target;
    // Names in lower case.
    std::map<std::string, std::string> fields;
  };

  struct Reply {
    unsigned status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
    // These bytes and nothing else, after which the connection ends.
    std::string raw;
    // No answer, as long as the client waits.
    bool is_silent = false;
    // The connection ends after the answer, without a word in it.
    bool ends = false;
  };

  using Handler = std::function<Reply(const Request& request)>;

  // Serves on a free port of 127.0.0.1, over TLS where a certificate is given. `handler` runs on
  // many threads.
  explicit AuthService(Handler handler, const TlsFiles& tls = {});
  ~AuthService();

  // "http://127.0.0.1:PORT"
  std::string url() const;
  int port() const;
  // What has arrived so far.
  int requests() const;
  int connections() const;
  std::vector<Request> seen() const;

  // Requests arrive and are counted, but wait for their answers until Release.
  void Hold();
  void Release();
  // Returns when so many have arrived; aborts the test after half a minute.
  void WaitForRequests(int count) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

// A port of 127.0.0.1 where nobody listens: it was free a moment ago.
int UnusedPort();

}  // namespace relations
