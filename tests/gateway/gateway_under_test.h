// A whole gateway in this process, before a fake backend.
#pragma once

#include <memory>
#include <string>

#include "gateway/front.h"
#include "gateway/http_server.h"
#include "gateway/upstream.h"
#include "storage/base/log.h"
#include "tests/gateway/fake_backend.h"
#include "tests/gateway/raw_client.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations::gateway {

struct TestOptions {
  UpstreamOptions upstream;
  HttpServerOptions server;
  FrontOptions front;
};

class GatewayUnderTest {
 public:
  // Listens on a free port of 127.0.0.1 and on a unix socket.
  explicit GatewayUnderTest(TestOptions options = {}) : backend_(MakeBackend()) {
    REQUIRE(SetUpLog("gateway-test", "error").ok());
    options.upstream.backend = "unix:" + directory_ / "backend";
    options.server.listen = {ListenAddress{"", "127.0.0.1", 0},
                             ListenAddress{directory_ / "front", "", 0}};
    options.server.threads = 2;
    auto upstream = ConnectUpstream(options.upstream);
    REQUIRE(upstream.ok());
    upstream_ = *std::move(upstream);
    auto front = MakeFront(options.front, *upstream_);
    REQUIRE(front.ok());
    front_ = *std::move(front);
    auto server = HttpServer::Start(options.server, *front_);
    REQUIRE(server.ok());
    server_ = *std::move(server);
  }

  FakeBackend& backend() { return *backend_; }
  HttpServer& server() { return *server_; }
  const std::string& tcp() const { return server_->addresses()[0]; }
  const std::string& local() const { return server_->addresses()[1]; }

  void StopBackend() { backend_.reset(); }
  void StartBackend() { backend_ = MakeBackend(); }
  void StopServer() { server_.reset(); }

 private:
  std::unique_ptr<FakeBackend> MakeBackend() {
    return std::make_unique<FakeBackend>(directory_ / "backend");
  }

  TempDir directory_;
  std::unique_ptr<FakeBackend> backend_;
  std::unique_ptr<Upstream> upstream_;
  std::unique_ptr<Application> front_;
  std::unique_ptr<HttpServer> server_;
};

// A request with the header fields that every proper one has, and `fields` (each ended by CRLF).
inline std::string Request(const std::string& target, const std::string& fields = "",
                           const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: gateway\r\n" + fields + "\r\n";
}

inline constexpr char kRelations[] = "/api/analytics/v1/entity/ip-1/relations";
inline constexpr char kBearer[] = "Authorization: Bearer t\r\n";

}  // namespace relations::gateway
