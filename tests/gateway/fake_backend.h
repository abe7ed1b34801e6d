// A relations server of the tests' own: gRPC on a unix socket, answering as a test tells it to.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "relations/v1/relations.pb.h"

namespace relations::gateway {

class FakeBackend {
 public:
  // A call as it arrived.
  struct Call {
    v1::GetRelationsRequest request;
    std::multimap<std::string, std::string> metadata;
    std::chrono::system_clock::time_point deadline;
  };
  // How a call ends: `code` kOk sends `response`.
  struct Outcome {
    v1::GetRelationsResponse response;
    absl::StatusCode code = absl::StatusCode::kOk;
    std::string message;
    // With a reason the status carries an ErrorInfo of the service.
    std::string reason;
    std::string param;
    std::string error_id;
  };
  using Script = std::function<Outcome(const Call&)>;

  // Serves on `unix_path`, healthy. Without a script it does what the real server does first: 401
  // without credentials, INVALID_ARGUMENT for a negative limit, else one entity with the asked id.
  explicit FakeBackend(const std::string& unix_path);
  ~FakeBackend();

  static Outcome AnswerAsServer(const Call& call);

  void SetScript(Script script);
  // Calls wait until released or cancelled.
  void Hold();
  void Release();
  void SetServing(bool serving);

  // The last call that arrived.
  Call last_call() const;
  int calls() const;
  // Wait until that many calls have arrived, or have been cancelled while held. False after ten
  // seconds.
  bool WaitForCalls(int count) const;
  bool WaitForCancellations(int count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relations::gateway
