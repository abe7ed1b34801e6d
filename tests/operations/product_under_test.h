// Server and gateway as programs over a new store, with one session that may read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {

class ProductUnderTest {
 public:
  // `server_more` and `gateway_more` are further arguments.
  explicit ProductUnderTest(const std::vector<std::string>& server_more = {},
                            const std::vector<std::string>& gateway_more = {});

  // Start, and wait until they listen. The gateway listens on the port that it had.
  void StartServer();
  void StartGateway();

  ProcessUnderTest& server() { return *server_; }
  ProcessUnderTest& gateway() { return *gateway_; }
  // Where the gateway listens first.
  const std::string& address() const { return address_; }
  // A header line with the session's token.
  const std::string& bearer() const { return bearer_; }

 private:
  TempDir directory_;
  std::string bearer_;
  std::string address_ = "127.0.0.1:0";
  std::vector<std::string> server_arguments_;
  std::vector<std::string> gateway_arguments_;
  std::unique_ptr<ProcessUnderTest> server_;
  std::unique_ptr<ProcessUnderTest> gateway_;
};

}  // namespace relations
