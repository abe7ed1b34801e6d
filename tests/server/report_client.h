// One ReportStream call to a server, as a client has it. gRPC stays in the .cc file. Requests are
// sent and answers read by one thread each.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "relations/v1/ingest.pb.h"
#include "tests/server/rpc_client.h"

namespace relations {

class ReportClient {
 public:
  ReportClient(const std::string& address, const Headers& headers);
  // Cancels what is still open.
  ~ReportClient();

  // False once the stream has ended. Waits while the server takes no more.
  bool Send(const v1::ReportStreamRequest& request);
  // The next answer, or nothing at the end.
  std::optional<v1::ReportStreamResponse> Read();
  // No more will be sent.
  void WritesDone();
  // How the call ended: "OK", "UNAVAILABLE", ... REQUIRES: Read gave nothing.
  std::string Finish();

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace relations
