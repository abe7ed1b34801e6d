#include "server/worker_pool.h"

#include <atomic>
#include <latch>
#include <thread>

#include "server/call_gate.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

TEST_CASE("a pool takes as many tasks as may be in flight and refuses the next") {
  std::latch started(2);
  std::latch release(1);
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({2, 3});
    const auto blocked = [&] {
      started.count_down();
      release.wait();
      ++ran;
    };
    REQUIRE(pool.TryRun(blocked));
    REQUIRE(pool.TryRun(blocked));
    started.wait();
    // Both threads are busy: the third waits in the queue.
    REQUIRE(pool.TryRun([&] { ++ran; }));
    CHECK_FALSE(pool.TryRun([&] { ++ran; }));
    release.count_down();
  }
  CHECK(ran == 3);
}

TEST_CASE("a pool runs what it accepted before it goes") {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({1, 100});
    for (int i = 0; i < 100; ++i) {
      REQUIRE(pool.TryRun([&] { ++ran; }));
    }
  }
  CHECK(ran == 100);
}

TEST_CASE("tasks from many threads all run once") {
  std::atomic<int> accepted = 0;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool({4, 8});
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int n = 0; n < 2000; ++n) {
          if (pool.TryRun([&] { ++ran; })) {
            ++accepted;
          }
        }
      });
    }
    for (std::thread& caller : callers) {
      caller.join();
    }
  }
  CHECK(ran == accepted);
  CHECK(accepted > 0);
}

TEST_CASE("who is refused is told when the pool will have caught up, within limits") {
  using std::chrono::milliseconds;
  CHECK(CatchUpSeconds(0, milliseconds(5), 2) == 1);
  CHECK(CatchUpSeconds(200, milliseconds(10), 2) == 1);
  CHECK(CatchUpSeconds(201, milliseconds(10), 2) == 2);
  CHECK(CatchUpSeconds(1024, milliseconds(10), 4) == 3);
  CHECK(CatchUpSeconds(60, milliseconds(1000), 2) == 30);
  CHECK(CatchUpSeconds(62, milliseconds(1000), 2) == kCatchUpSecondsMax);
}

TEST_CASE("a closed gate lets nobody in and is empty once all have left") {
  CallGate gate;
  REQUIRE(gate.Enter());
  REQUIRE(gate.Enter());
  CHECK_FALSE(gate.WaitUntilEmpty(absl::ZeroDuration()));
  gate.Close();
  CHECK_FALSE(gate.Enter());
  gate.Leave();
  CHECK_FALSE(gate.WaitUntilEmpty(absl::ZeroDuration()));
  std::thread last([&] { gate.Leave(); });
  CHECK(gate.WaitUntilEmpty(absl::Seconds(60)));
  last.join();
}

}  // namespace
}  // namespace relations
