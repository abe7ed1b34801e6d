// A gRPC client without generated stubs: any method, any bytes, any headers, and the error details
// taken apart. gRPC stays in the .cc file.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/message.h"
#include "storage/base/tls_files.h"

namespace relations {

using Headers = std::vector<std::pair<std::string, std::string>>;

// How a call ended.
struct RpcOutcome {
  // "OK", "NOT_FOUND", ...
  std::string code;
  std::string message;
  // Of the ErrorInfo in the status details; empty when there is none.
  std::string reason;
  std::string domain;
  std::string error_id;
  std::string param;
  std::string retry_after;
  // The code and the message inside the details, which repeat the status.
  std::string details_code;
  std::string details_message;
  // The answer's bytes.
  std::string answer;
  // Of the trailing metadata; empty when there is none.
  std::string rate_limit;
  std::string rate_remaining;
};

// A call under way.
class PendingRpc {
 public:
  struct State;
  explicit PendingRpc(std::shared_ptr<State> state) : state_(std::move(state)) {}

  void Cancel();
  // Waits for the end. Call it once.
  RpcOutcome Wait();

 private:
  std::shared_ptr<State> state_;
};

// A streaming call: one request, answers read one by one.
class RpcStream {
 public:
  class Reactor;
  explicit RpcStream(std::shared_ptr<Reactor> reactor) : reactor_(std::move(reactor)) {}
  ~RpcStream();

  // The next answer's bytes, or nothing at the stream's end.
  std::optional<std::string> Read();

 private:
  std::shared_ptr<Reactor> reactor_;
};

class RpcClient {
 public:
  // `address` as the server names it.
  explicit RpcClient(const std::string& address);
  // Over TLS; `name` is whom the server's certificate must name.
  RpcClient(const std::string& address, const TlsFiles& files, const std::string& name);
  ~RpcClient();

  // `method`: "/relations.v1.RelationsService/GetRelations".
  PendingRpc Start(const std::string& method, const std::string& request, const Headers& headers,
                   std::chrono::milliseconds deadline = std::chrono::seconds(60));
  RpcOutcome Call(const std::string& method, const std::string& request, const Headers& headers,
                  std::chrono::milliseconds deadline = std::chrono::seconds(60));
  RpcOutcome Call(const std::string& method, const google::protobuf::Message& request,
                  const Headers& headers) {
    return Call(method, request.SerializeAsString(), headers);
  }
  RpcStream Open(const std::string& method, const std::string& request);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

inline constexpr char kGetRelations[] = "/relations.v1.RelationsService/GetRelations";
inline constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
inline constexpr char kHealthWatch[] = "/grpc.health.v1.Health/Watch";
inline constexpr char kReflection[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

// A grpc.health.v1.HealthCheckRequest and the two answers of interest, as bytes.
inline std::string HealthRequest(const std::string& service) {
  return service.empty() ? ""
                         : "\x0A" + std::string(1, static_cast<char>(service.size())) + service;
}
inline constexpr char kServing[] = "\x08\x01";
inline constexpr char kNotServing[] = "\x08\x02";

}  // namespace relations
