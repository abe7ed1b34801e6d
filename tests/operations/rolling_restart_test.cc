// Restarts under constant load: a client that repeats a GET as the public SDKs do loses no request.
//
// Repeated are 429, 502, 503 and 504, and what never reached the gateway or ended without a single
// byte of an answer; any other answer but the right one is a fault. What a client sees is judged,
// not how long it takes: the patience of a request is far beyond any restart.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/gateway/raw_client.h"
#include "tests/operations/product_under_test.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using gateway::RawClient;
using Clock = std::chrono::steady_clock;

constexpr int kClients = 4;
constexpr int kRestarts = 3;
constexpr std::chrono::seconds kPatience{60};

struct Tally {
  std::atomic<int> right{0};
  std::atomic<int> repeated{0};
  std::atomic<int> wrong{0};
  std::atomic<int> lost{0};
};

std::string Question(const ProductUnderTest& product) {
  return "GET /api/analytics/v1/entity/ip-a/relations HTTP/1.1\r\nHost: x\r\n" + product.bearer() +
         "\r\n";
}

bool IsRepeated(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// One request to its end. The store is empty, so the right answer is 404.
void AskUntilAnswered(const std::string& address, const std::string& question, Tally& tally) {
  for (const auto end = Clock::now() + kPatience; Clock::now() < end; ++tally.repeated) {
    const std::unique_ptr<RawClient> client = RawClient::TryConnect(address);
    if (client == nullptr) continue;
    const auto answer = client->Ask(question);
    if (!answer || IsRepeated(answer->status)) continue;
    ++(answer->status == 404 ? tally.right : tally.wrong);
    return;
  }
  ++tally.lost;
}

// Clients that ask all the time while `restart` runs.
template <typename Restart>
void UnderLoad(ProductUnderTest& product, Tally& tally, Restart restart) {
  std::atomic<bool> done = false;
  const std::string address = product.address();
  const std::string question = Question(product);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      while (!done) AskUntilAnswered(address, question, tally);
    });
  }
  // Each restart begins with answers flowing.
  for (int i = 0; i < kRestarts; ++i) {
    const int before = tally.right;
    while (tally.right < before + kClients && tally.lost == 0) std::this_thread::yield();
    restart();
  }
  const int before = tally.right;
  while (tally.right < before + kClients && tally.lost == 0) std::this_thread::yield();
  done = true;
  for (std::thread& client : clients) client.join();
}

TEST_CASE("restarts of the server under load lose no request, and the gateway finds it again") {
  ProductUnderTest product;
  Tally tally;
  UnderLoad(product, tally, [&] {
    product.server().Signal(SIGTERM);
    CHECK(product.server().Wait() == 0);
    product.StartServer();
  });
  CHECK(tally.lost == 0);
  CHECK(tally.wrong == 0);
  CHECK(tally.right > kRestarts * kClients);
}

TEST_CASE("a gateway whose server was away for long finds it as soon as it is back") {
  ProductUnderTest product;
  product.server().Signal(SIGTERM);
  CHECK(product.server().Wait() == 0);
  RawClient client(product.address());
  const auto away = Clock::now() + std::chrono::seconds(3);
  while (Clock::now() < away) {
    REQUIRE(client.Ask(Question(product))->status == 503);
  }
  product.StartServer();
  const auto back = Clock::now();
  int status = 503;
  while (status == 503 && Clock::now() < back + kPatience) {
    status = client.Ask(Question(product))->status;
  }
  CHECK(status == 404);
  const double seconds = std::chrono::duration<double>(Clock::now() - back).count();
  WARN("found again after " << seconds << " s");
}

// Somebody at a unix socket who hangs up on everybody.
class HangingUp {
 public:
  explicit HangingUp(const std::string& path) : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(descriptor_, 16) == 0);
  }
  ~HangingUp() { close(descriptor_); }

  // When the next one came.
  Clock::time_point Next() {
    pollfd poll_for = {descriptor_, POLLIN, 0};
    REQUIRE(poll(&poll_for, 1, ProcessUnderTest::kPatienceMs) == 1);
    close(accept(descriptor_, nullptr, nullptr));
    return Clock::now();
  }

 private:
  const int descriptor_;
};

TEST_CASE("a gateway without its server tries more than once a second, however long it is away") {
  constexpr size_t kTries = 12;
  constexpr size_t kJudged = 5;
  const TempDir directory;
  HangingUp nobody(directory / "server");
  ProcessUnderTest gateway(
      GatewayProgram(), {"--backend", "unix:" + (directory / "server"), "--backend-channels", "1",
                         "--listen", "127.0.0.1:0"});
  RawClient client(gateway.ReadAddress());
  std::vector<Clock::time_point> tries;
  while (tries.size() < kTries) {
    REQUIRE(client.Send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"));
    tries.push_back(nobody.Next());
    REQUIRE(client.Read()->status == 503);
  }
  // Pauses grow at first. A machine that is busy delays some of the last ones, not all.
  Clock::duration least = tries[kTries - kJudged] - tries[kTries - kJudged - 1];
  for (size_t i = kTries - kJudged + 1; i < kTries; ++i) {
    least = std::min(least, tries[i] - tries[i - 1]);
  }
  CHECK(least < std::chrono::seconds(1));
}

TEST_CASE("restarts of the gateway under load lose no request") {
  ProductUnderTest product;
  Tally tally;
  UnderLoad(product, tally, [&] {
    product.gateway().Signal(SIGTERM);
    CHECK(product.gateway().Wait() == 0);
    product.StartGateway();
  });
  CHECK(tally.lost == 0);
  CHECK(tally.wrong == 0);
  CHECK(tally.right > kRestarts * kClients);
}

}  // namespace
}  // namespace relations
