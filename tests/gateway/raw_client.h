// An HTTP client that sends exactly the bytes it is told to, for saying what no proper client says.
// Everything that waits gives up after ten seconds: a test then fails, it does not hang.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace relations::gateway {

struct RawAnswer {
  // "HTTP/1.1 200 OK"
  std::string status_line;
  int status = 0;
  // Names in lower case. A name that came twice holds both values, joined by a line feed.
  std::map<std::string, std::string> fields;
  std::string body;

  // The field's value; "(none)" where it is absent.
  std::string field(const std::string& name) const;
};

enum class BodyRule { kByLength, kNone };

class RawClient {
 public:
  // Connects to an address as the gateway names it: "127.0.0.1:4711" or "unix:/path". With a small
  // `receive_buffer` (bytes) the peer cannot send much ahead. Aborts when nobody listens.
  explicit RawClient(const std::string& address, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // The same, but null when nobody listens.
  static std::unique_ptr<RawClient> TryConnect(const std::string& address);

  // True when somebody listens on the address.
  static bool CanConnect(const std::string& address);

  // False when the peer takes no more.
  bool Send(const std::string& bytes);
  // Sends no more, but reads on.
  void FinishSending();
  void Close();

  // The next answer; nothing when the connection ends or time runs out first.
  std::optional<RawAnswer> Read(BodyRule rule = BodyRule::kByLength);
  // Send and Read.
  std::optional<RawAnswer> Ask(const std::string& bytes, BodyRule rule = BodyRule::kByLength);

  // Waits for the end of the connection. False when a byte comes first, or time runs out.
  bool Ends();
  // True when bytes or the end come within `milliseconds`.
  bool Readable(int milliseconds);

 private:
  struct Connected {
    int fd = -1;
  };
  explicit RawClient(Connected connected) : fd_(connected.fd) {}

  bool Receive();

  int fd_ = -1;
  std::string input_;
  bool ended_ = false;
};

}  // namespace relations::gateway
