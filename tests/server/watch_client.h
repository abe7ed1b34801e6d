// One Watch call to a server, as a client has it. gRPC stays in the .cc file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "relations/v1/ingest.pb.h"
#include "tests/server/rpc_client.h"

namespace relations {

class WatchClient {
 public:
  // From a token, or from now on when it is empty.
  WatchClient(const std::string& address, const Headers& headers, const std::string& token = "");
  // Cancels what is still open.
  ~WatchClient();

  // The next message, or nothing at the end.
  std::optional<v1::WatchResponse> Read();
  // The next message that tells of a change; nothing at the end.
  std::optional<v1::WatchResponse> ReadChange();
  // How the call ended: "OK", "UNAVAILABLE", ... REQUIRES: Read gave nothing.
  std::string Finish();

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

// Whether a message tells of no change.
bool IsEmpty(const v1::WatchResponse& message);

}  // namespace relations
