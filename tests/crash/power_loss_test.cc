// The power goes at a random file operation, also while the store recovers from that: what comes
// back is every acknowledged request, whole, and at most the one that was being written besides.
#include <memory>
#include <random>

#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/fault_file_system.h"

namespace relations {
namespace {

constexpr int kLives = 12;

class Machine {
 public:
  explicit Machine(uint64_t seed)
      : memory_(rocksdb::NewMemEnv(rocksdb::Env::Default())),
        disk_(std::make_shared<FaultFileSystem>(memory_->GetFileSystem(), seed)),
        env_(disk_),
        workload_(seed),
        random_(seed),
        store_("/store", &env_, 256 << 10) {}

  // From power on to power off. Returns whether the store came to serve.
  bool Live() {
    // Many lives end during recovery or creation.
    const bool short_life = random_() % 3 == 0;
    disk_->FailAfter(1 + random_() % (short_life ? 30 : 600), FaultFileSystem::Fault::kDeath,
                     FaultFileSystem::Lasting::kUntilHealed);
    const absl::Status opened = store_.Open();
    bool served = false;
    if (opened.ok()) {
      served = true;
      CHECK(store_.Compare() == "");
      Write();
    } else {
      INFO(opened.ToString());
      CHECK(disk_->dead());
    }
    store_.Drop();
    disk_->LosePower();
    return served;
  }

  // Without a fault.
  void CheckAll() {
    const absl::Status opened = store_.Open();
    INFO(opened.ToString());
    REQUIRE(opened.ok());
    CHECK(store_.Compare() == "");
    CHECK(store_.CompareWalks(workload_, 5) == "");
    store_.Drop();
  }
  int acknowledged() const { return acknowledged_; }

 private:
  void Write() {
    while (!disk_->dead()) {
      // Failing is what both do when the power goes.
      if (random_() % 30 == 0) store_.Flush().IgnoreError();
      if (random_() % 100 == 0) store_.Compact().IgnoreError();
      const Mutations request = workload_.Next();
      const absl::Status status = store_.Apply(request);
      INFO(status.ToString());
      if (status.ok()) {
        ++acknowledged_;
        continue;
      }
      if (IsRefusal(status)) {
        REQUIRE_FALSE(store_.model().Apply(request).ok());
        continue;
      }
      REQUIRE(disk_->dead());
      return;
    }
  }

  const std::unique_ptr<rocksdb::Env> memory_;
  const std::shared_ptr<FaultFileSystem> disk_;
  FaultEnv env_;
  SeededWorkload workload_;
  std::mt19937_64 random_;
  JudgedStore store_;
  int acknowledged_ = 0;
};

TEST_CASE("losing power loses no acknowledged request and halves none") {
  const CrashRun run;
  uint64_t round = 0;
  int served = 0;
  int acknowledged = 0;
  for (; run.HasTimeFor(round); ++round) {
    const uint64_t seed = run.SeedOf(round);
    CAPTURE(seed);
    Machine machine(seed);
    for (int life = 0; life < kLives; ++life) {
      CAPTURE(life);
      served += machine.Live() ? 1 : 0;
    }
    machine.CheckAll();
    acknowledged += machine.acknowledged();
  }
  WARN(round * kLives << " power losses, " << served << " of them while serving, " << acknowledged
                      << " acknowledged requests");
  CHECK(served > 0);
  CHECK(acknowledged > 0);
}

}  // namespace
}  // namespace relations
