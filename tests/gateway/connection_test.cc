// Connections: order, keeping alive, limits in bytes and time, bad clients, and draining.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>

#include "tests/gateway/gateway_under_test.h"

namespace relations::gateway {
namespace {

using std::chrono::milliseconds;

std::string Http10(const std::string& fields) {
  return "GET /healthz HTTP/1.0\r\n" + fields + "\r\n";
}

TEST_CASE("A connection serves one request after another") {
  GatewayUnderTest gateway;
  for (const std::string& address : {gateway.tcp(), gateway.local()}) {
    RawClient client(address);
    for (int i = 0; i < 20; ++i) {
      const auto answer = client.Ask(Request(kRelations, kBearer));
      REQUIRE(answer);
      CHECK(answer->status == 200);
      CHECK(answer->field("connection") == "(none)");
    }
  }
}

TEST_CASE("Requests sent ahead are answered in order") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  std::string batch;
  for (int i = 0; i < 200; ++i) {
    const std::string id = "x-request-id: r" + std::to_string(i) + "\r\n";
    batch += i % 3 == 0   ? Request(kRelations, kBearer + id)
             : i % 3 == 1 ? Request("/nope", id)
                          : Request("/healthz", id);
  }
  REQUIRE(client.Send(batch));
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.Read();
    REQUIRE(answer);
    CHECK(answer->field("x-request-id") == "r" + std::to_string(i));
    CHECK(answer->status == (i % 3 == 1 ? 404 : 200));
  }
}

TEST_CASE("A request that comes byte by byte is answered") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  for (const char c : Request(kRelations, kBearer)) REQUIRE(client.Send(std::string(1, c)));
  CHECK(client.Read()->status == 200);
}

TEST_CASE("The connection ends when the client asks for that, and in HTTP/1.0 unless it asks not") {
  GatewayUnderTest gateway;
  RawClient closing(gateway.tcp());
  const auto last = closing.Ask(Request("/healthz", "Connection: close\r\n"));
  REQUIRE(last);
  CHECK(last->field("connection") == "close");
  CHECK(closing.Ends());

  RawClient old(gateway.tcp());
  CHECK(old.Ask(Http10(""))->field("connection") == "close");
  CHECK(old.Ends());

  RawClient kept(gateway.tcp());
  CHECK(kept.Ask(Http10("Connection: keep-alive\r\n"))->field("connection") == "keep-alive");
  CHECK(kept.Ask(Request("/healthz"))->status == 200);
}

TEST_CASE("A request with a small body is answered and the connection ends") {
  GatewayUnderTest gateway;
  const std::string bodies[] = {
      "Content-Length: 5\r\n\r\nhello",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "Content-Length: 65536\r\n\r\n" + std::string(65536, 'x'),
  };
  for (const std::string& body : bodies) {
    RawClient client(gateway.tcp());
    const auto answer = client.Ask("GET /healthz HTTP/1.1\r\nHost: h\r\n" + body);
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->field("connection") == "close");
    CHECK(client.Ends());
  }
}

TEST_CASE("A body past the limit is 413, and the answer arrives though the client sends on") {
  GatewayUnderTest gateway;
  const std::string bodies[] = {
      "Content-Length: 65537\r\n\r\n" + std::string(65537, 'x'),
      "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(131072, 'x'),
  };
  for (const std::string& body : bodies) {
    RawClient client(gateway.tcp());
    const auto answer = client.Ask("GET /healthz HTTP/1.1\r\nHost: h\r\n" + body);
    REQUIRE(answer);
    CHECK(answer->status == 413);
    CHECK(answer->field("connection") == "close");
    CHECK(client.Ends());
  }
}

TEST_CASE("A client that waits for leave to send a body gets its answer instead") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  const auto answer =
      client.Ask(Request("/healthz", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->field("connection") == "close");
  CHECK(client.Ends());
}

TEST_CASE("Requests past the limits of size are 414 and 431, and the connection ends") {
  GatewayUnderTest gateway;
  struct Row {
    std::string request;
    int status;
    std::string code;
  };
  const Row rows[] = {
      {Request("/" + std::string(9000, 'x')), 414, "uri_too_long"},
      {Request("/healthz", "X: " + std::string(20000, 'x') + "\r\n"), 431, "headers_too_large"},
  };
  for (const Row& row : rows) {
    RawClient client(gateway.tcp());
    const auto answer = client.Ask(row.request);
    REQUIRE(answer);
    CHECK(answer->status == row.status);
    CHECK(answer->body.find("\"code\":\"" + row.code + "\"") != std::string::npos);
    CHECK(answer->field("connection") == "close");
    CHECK(client.Ends());
  }
}

TEST_CASE("After a request that is refused nothing of the connection is read as another") {
  GatewayUnderTest gateway;
  const std::string smuggled = Request(kRelations, kBearer);
  const std::string heads[] = {
      "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
      "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
      "X: y\r\n Content-Length: 44\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  for (const std::string& head : heads) {
    INFO(head);
    RawClient client(gateway.tcp());
    const auto answer = client.Ask("GET /healthz HTTP/1.1\r\nHost: h\r\n" + head + smuggled);
    REQUIRE(answer);
    CHECK(answer->status == 400);
    CHECK(answer->field("connection") == "close");
    CHECK(client.Ends());
  }
  CHECK(gateway.backend().calls() == 0);
}

TEST_CASE("What is not HTTP/1 gets 400 and the end") {
  GatewayUnderTest gateway;
  for (const std::string& bytes :
       {std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11), std::string("\0\0\0", 3),
        std::string("GET /healthz\r\n\r\n"), std::string("hello\r\n\r\n")}) {
    RawClient client(gateway.tcp());
    const auto answer = client.Ask(bytes);
    REQUIRE(answer);
    CHECK(answer->status == 400);
    CHECK(client.Ends());
  }
}

TEST_CASE("A request that ends early is told so") {
  GatewayUnderTest gateway;
  for (const char* start : {"GET /hea", "GET /healthz HTTP/1.1\r\nHost: h\r\n",
                            "GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc"}) {
    RawClient client(gateway.tcp());
    REQUIRE(client.Send(start));
    client.FinishSending();
    const auto answer = client.Read();
    REQUIRE(answer);
    CHECK(answer->status == 400);
    CHECK(answer->field("x-error") == "the request ends early");
    CHECK(client.Ends());
  }
}

TEST_CASE("A client that has sent its last byte still gets all its answers") {
  GatewayUnderTest gateway;
  RawClient client(gateway.tcp());
  REQUIRE(client.Send(Request(kRelations, kBearer) + Request("/healthz")));
  client.FinishSending();
  CHECK(client.Read()->field("x-stop-reason") == "complete");
  CHECK(client.Read()->body == "ok\n");
  CHECK(client.Ends());
}

TEST_CASE("When the client leaves, its call is cancelled") {
  GatewayUnderTest gateway;
  gateway.backend().Hold();
  RawClient client(gateway.tcp());
  REQUIRE(client.Send(Request(kRelations, kBearer)));
  REQUIRE(gateway.backend().WaitForCalls(1));
  client.Close();
  CHECK(gateway.backend().WaitForCancellations(1));
}

TEST_CASE("A client that never finishes its header is cut, however steadily it sends") {
  TestOptions options;
  options.server.connection.header_timeout = milliseconds(200);
  GatewayUnderTest gateway(options);

  RawClient silent(gateway.tcp());
  CHECK(silent.Ends());

  RawClient trickling(gateway.tcp());
  REQUIRE(trickling.Send("GET /healthz HTTP/1.1\r\nHost: h\r\nX: "));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!trickling.Readable(5) && std::chrono::steady_clock::now() < deadline) {
    trickling.Send("x");
  }
  CHECK(std::chrono::steady_clock::now() < deadline);
  CHECK_FALSE(trickling.Read());

  RawClient half_body(gateway.tcp());
  REQUIRE(half_body.Send(Request("/healthz", "Content-Length: 5\r\n") + "ab"));
  CHECK(half_body.Ends());
}

TEST_CASE("A connection that asks nothing more is closed after the idle time") {
  TestOptions options;
  options.server.connection.idle_timeout = milliseconds(100);
  GatewayUnderTest gateway(options);
  RawClient client(gateway.tcp());
  CHECK(client.Ask(Request("/healthz"))->status == 200);
  CHECK(client.Ends());
}

TEST_CASE("A client that does not take its answer is cut") {
  TestOptions options;
  options.server.connection.write_timeout = milliseconds(200);
  options.server.connection.write_bytes_per_second_min = size_t{1} << 30;
  GatewayUnderTest gateway(options);
  gateway.backend().SetScript([](const FakeBackend::Call&) {
    FakeBackend::Outcome outcome;
    for (int i = 0; i < 40; ++i) outcome.response.add_nodes()->set_id(std::string(1 << 20, 'x'));
    outcome.response.set_stop_reason(v1::STOP_REASON_COMPLETE);
    return outcome;
  });
  RawClient client(gateway.tcp(), 4096);
  REQUIRE(client.Send(Request(kRelations, kBearer)));
  REQUIRE(gateway.backend().WaitForCalls(1));
  // Nothing else ends this connection: draining waits for the answer to be written.
  CHECK(gateway.server().Drain(std::chrono::seconds(20)));
  CHECK_FALSE(client.Read());
}

TEST_CASE("One connection past the limit is told 503, and served once another has gone") {
  TestOptions options;
  options.server.max_connections = 2;
  GatewayUnderTest gateway(options);
  RawClient first(gateway.tcp());
  auto second = std::make_unique<RawClient>(gateway.local());
  REQUIRE(first.Ask(Request("/healthz"))->status == 200);
  REQUIRE(second->Ask(Request("/healthz"))->status == 200);
  {
    RawClient third(gateway.tcp());
    const auto refused = third.Read();
    REQUIRE(refused);
    CHECK(refused->status == 503);
    CHECK(refused->field("retry-after") == "1");
    CHECK(refused->field("connection") == "close");
    CHECK(third.Ends());
  }
  CHECK(first.Ask(Request("/healthz"))->status == 200);
  second.reset();
  int status = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (status != 200 && std::chrono::steady_clock::now() < deadline) {
    RawClient next(gateway.tcp());
    next.Send(Request("/healthz"));
    const auto answer = next.Read();
    status = answer ? answer->status : 0;
  }
  CHECK(status == 200);
}

TEST_CASE("A client that was told to come back later is not heard before a pause") {
  const auto refused = [](milliseconds pause) {
    TestOptions options;
    options.server.connection.refused_pause = pause;
    auto gateway = std::make_unique<GatewayUnderTest>(options);
    gateway->backend().SetScript([](const FakeBackend::Call&) {
      FakeBackend::Outcome outcome;
      outcome.code = absl::StatusCode::kUnavailable;
      return outcome;
    });
    return gateway;
  };
  const std::string two = Request(kRelations, kBearer) + Request("/healthz");
  {
    const auto gateway = refused(milliseconds(1));
    RawClient client(gateway->tcp());
    REQUIRE(client.Send(two));
    CHECK(client.Read()->status == 503);
    CHECK(client.Read()->status == 200);
  }
  const auto gateway = refused(std::chrono::hours(1));
  RawClient client(gateway->tcp());
  REQUIRE(client.Send(two));
  CHECK(client.Read()->status == 503);
  CHECK_FALSE(client.Readable(100));
  // Draining does not wait for the pause; what was sent by then is answered.
  CHECK(gateway->server().Drain(std::chrono::seconds(10)));
  CHECK(client.Read()->status == 200);
  CHECK(client.Ends());
}

TEST_CASE("Draining ends idle connections, finishes the others and refuses new ones") {
  GatewayUnderTest gateway;
  gateway.backend().Hold();
  RawClient waiting(gateway.tcp());
  REQUIRE(waiting.Send(Request(kRelations, kBearer) + Request("/healthz")));
  REQUIRE(gateway.backend().WaitForCalls(1));
  // On a unix socket neighbours in time are served by different threads, of which there are two.
  RawClient beginning(gateway.local());
  REQUIRE(beginning.Send("GET /readyz HTTP/1.1\r\n"));
  RawClient idle(gateway.local());
  RawClient idle_elsewhere(gateway.local());
  REQUIRE(idle.Ask(Request("/healthz"))->status == 200);
  REQUIRE(idle_elsewhere.Ask(Request("/healthz"))->status == 200);

  std::future<bool> finished = std::async(
      std::launch::async, [&] { return gateway.server().Drain(std::chrono::seconds(10)); });
  // The end of both shows that all connections know of the drain.
  CHECK(idle.Ends());
  CHECK(idle_elsewhere.Ends());
  CHECK_FALSE(RawClient::CanConnect(gateway.tcp()));
  CHECK_FALSE(RawClient::CanConnect(gateway.local()));
  const auto probe = beginning.Ask("Host: h\r\n\r\n");
  REQUIRE(probe);
  CHECK(probe->status == 503);
  CHECK(probe->field("connection") == "close");
  CHECK(probe->field("x-error") == "the gateway is going down");
  gateway.backend().Release();
  const auto answer = waiting.Read();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->field("connection") == "close");
  CHECK(waiting.Ends());
  CHECK(finished.get());
}

TEST_CASE("A drain that takes too long says so, and the end cuts what is left") {
  GatewayUnderTest gateway;
  gateway.backend().Hold();
  RawClient client(gateway.tcp());
  REQUIRE(client.Send(Request(kRelations, kBearer)));
  REQUIRE(gateway.backend().WaitForCalls(1));
  CHECK_FALSE(gateway.server().Drain(milliseconds(50)));
  gateway.StopServer();
  CHECK_FALSE(client.Read());
  CHECK(gateway.backend().WaitForCancellations(1));
}

// Sockets that listen on a port of 127.0.0.1, as the kernel lists them.
int ListeningSockets(const std::string& port) {
  char wanted[32];
  std::snprintf(wanted, sizeof wanted, "0100007F:%04X 00000000:0000 0A", std::stoi(port));
  std::ifstream table("/proc/net/tcp");
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    count += line.find(wanted) != std::string::npos ? 1 : 0;
  }
  return count;
}

TEST_CASE("Each thread accepts on a socket of its own, and serves what comes there") {
  GatewayUnderTest gateway;
  const std::string port = gateway.tcp().substr(gateway.tcp().rfind(':') + 1);
  CHECK(ListeningSockets(port) == 2);
  // By which socket a connection comes is the kernel's choice; of so many, some by each.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(std::make_unique<RawClient>(gateway.tcp()));
  for (const auto& client : clients) {
    const auto answer = client->Ask(Request("/healthz"));
    REQUIRE(answer);
    CHECK(answer->status == 200);
  }
  gateway.StopServer();
  CHECK(ListeningSockets(port) == 0);
}

TEST_CASE("A busy address is refused by name, and a dead socket file is taken over") {
  GatewayUnderTest gateway;
  TempDir directory;
  struct NoApplication : Application {
    std::shared_ptr<PendingCall> Answer(HttpRequest, Respond) override { return nullptr; }
    HttpAnswer Refuse(const Failure&, const HttpRequest&) override { return {}; }
    void BeginDrain() override {}
    void WaitUntilIdle() override {}
  } application;
  const auto listen = [&](const std::string& text) {
    HttpServerOptions options;
    options.listen = {*ParseListenAddress(text)};
    return HttpServer::Start(options, application).status();
  };
  for (const std::string& address : {gateway.tcp(), gateway.local()}) {
    const absl::Status busy = listen(address);
    CHECK(busy.code() == absl::StatusCode::kUnavailable);
    INFO(busy);
    CHECK(std::string(busy.message()).find(address) != std::string::npos);
    CHECK(std::string(busy.message()).find("in use") != std::string::npos);
  }
  CHECK(listen("unix:" + directory.path() + "/no/such/dir/s").code() ==
        absl::StatusCode::kUnavailable);
  // A socket file whose owner died without removing it.
  const std::string dead = directory / "dead";
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    dead.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    close(fd);
  }
  CHECK(listen("unix:" + dead).ok());
}

}  // namespace
}  // namespace relations::gateway
