// The product as it is deployed, in a directory of its own: relationsctl fills a store and makes
// credentials, relations-server serves it on a unix socket, relations-gateway speaks REST for it on
// a free port of 127.0.0.1. What fails here throws std::runtime_error with the program's own words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relations/store/v1/credential.pb.h"
#include "tests/ctl/run_program.h"
#include "tests/server/rpc_client.h"
#include "tests/support/process_under_test.h"
#include "tests/support/temp_dir.h"

namespace relations {

// A session or a key pair, as its owner has it.
struct Credential {
  std::string id;
  // Of a key pair; else empty.
  std::string api_key;
  std::string api_secret;
  // Of a session; else empty.
  std::string bearer;

  // As HTTP header lines.
  std::string Fields() const;
  // As metadata of a call.
  Headers Metadata() const;
};

class SystemUnderTest {
 public:
  // Imports the text into a new store. Nothing serves it yet.
  explicit SystemUnderTest(const std::string& json_lines);
  // Stops what runs.
  ~SystemUnderTest();

  std::string data() const { return directory_ / "data"; }
  std::string socket() const { return "unix:" + directory_ / "socket"; }
  std::string file(const std::string& name) const { return directory_ / name; }

  // relationsctl as the administrator: on the directory, or at the server while it runs.
  ProgramResult Ctl(const std::vector<std::string>& command) const;
  // `groups` and `roles` with commas between.
  Credential CreateKeyPair(const std::string& groups, const std::string& roles) const;
  Credential CreateSession(const std::string& groups, const std::string& roles) const;
  // Changes a credential's record in the store, as time or an administrator would.
  // REQUIRES: the server does not run.
  void ChangeCredential(const Credential& credential,
                        const std::function<void(store::v1::CredentialRecord&)>& change) const;

  // Start and wait for the ready line.
  void StartServer(const std::vector<std::string>& more_arguments = {});
  void StartGateway(const std::vector<std::string>& more_arguments = {});
  // SIGTERM; the exit code.
  int StopServer();
  int StopGateway();

  ProcessUnderTest& server() { return *server_; }
  ProcessUnderTest& gateway() { return *gateway_; }
  // Where the gateway listens: "127.0.0.1:4711".
  const std::string& rest() const { return rest_; }

 private:
  Credential Create(const std::string& kind, const std::string& groups,
                    const std::string& roles) const;

  TempDir directory_;
  std::unique_ptr<ProcessUnderTest> server_;
  std::unique_ptr<ProcessUnderTest> gateway_;
  std::string rest_;
};

// The graph of data/graph.jsonl, and a hub with 120 neighbours: "hub-0", newest "leaf-120", oldest
// "leaf-001".
std::string ConformanceGraph();

// The shared system of all tests that change nothing in it, with these callers.
struct ConformanceSystem {
  ConformanceSystem();

  SystemUnderTest system;
  // Groups public and g1, role user: one as a key pair, one as a session.
  Credential reader;
  Credential session;
  // Role user, and only this group.
  Credential public_reader;
  Credential g2_reader;
  Credential stranger;
  Credential groupless;
  // Groups public and g1, and only this role.
  Credential admin;
  Credential reporter;
  Credential trusted;
  // A reader's, but not to be accepted.
  Credential expired;
  Credential expired_session;
  Credential unverified;
  Credential revoked;
};
ConformanceSystem& Conformance();

}  // namespace relations
