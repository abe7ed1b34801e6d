// A whole server in the test's process, over a unix socket in a directory of its own, on a real
// store with a small graph:
//
//   ip-a --resolves-to--> domain-b     both public
//   ip-a --indicates----> ip-c         c and the relation only for the group "secret"
//
// gRPC and RocksDB stay in the .cc file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "storage/credential_store.h"
#include "tests/server/rpc_client.h"
#include "tests/support/temp_dir.h"

namespace relations {

class RelationsServer;
class RocksDatabase;
class RocksGraphStore;

class TestServer {
 public:
  struct Options {
    size_t workers = 2;
    size_t max_in_flight = 64;
    absl::Duration max_request = absl::Seconds(60);
    // Runs before every view of the graph, on the worker.
    std::function<absl::Status()> before_view = [] { return absl::OkStatus(); };
    absl::Duration watch_heartbeat = absl::Seconds(60);
    absl::Duration watch_patience = absl::Seconds(60);
    // Changes that are kept.
    uint64_t feed_changes = 1'000'000;
    // "ROLE=RATE:BURST"; none: no limit.
    std::vector<std::string> rates = {};
  };

  TestServer() : TestServer(Options()) {}
  explicit TestServer(const Options& options);
  ~TestServer();

  const std::string& address() const;
  const TempDir& directory() const { return directory_; }
  CredentialStore& credentials();
  RelationsServer& server();
  RocksGraphStore& graph();
  RocksDatabase& database();
  // Ends the life of all sessions, and revokes them.
  void ExpireSessions();
  void RevokeSessions();

  // Headers of a new session of a new user.
  Headers Session(std::vector<std::string> groups, std::vector<std::string> roles);
  // Headers of a new key pair.
  Headers KeyPair(std::vector<std::string> groups, std::vector<std::string> roles);

 private:
  struct Parts;
  TempDir directory_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace relations
