// The N-th file operation fails, for N = 1, 2, ... until a history runs through without a failure:
// with EIO, with a short write, with a disk that is full until it is given space. Nothing crashes,
// no answer is wrong, reads go on, the error says what it is, and what was acknowledged is there
// when the store is opened anew. After a full disk writes resume by themselves.
#include <memory>

#include "absl/strings/match.h"
#include "storage/traversal.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/fault_file_system.h"

namespace relations {
namespace {

using Fault = FaultFileSystem::Fault;
using Lasting = FaultFileSystem::Lasting;

constexpr int kRequests = 40;

struct Trouble {
  Fault fault;
  Lasting lasting;
};

class Disk {
 public:
  explicit Disk(uint64_t seed)
      : memory_(rocksdb::NewMemEnv(rocksdb::Env::Default())),
        faults_(std::make_shared<FaultFileSystem>(memory_->GetFileSystem(), seed)),
        env_(faults_),
        workload_(seed),
        random_(~seed),
        store_("/store", &env_, 256 << 10) {}

  // Fails the `number`-th operation of a history. Returns whether there was that many.
  bool Run(uint64_t number, const Trouble& trouble) {
    REQUIRE(store_.Open().ok());
    for (int i = 0; i < 10; ++i) Write(/*must_work=*/true);
    faults_->FailAfter(number, trouble.fault, trouble.lasting);
    for (int i = 0; i < kRequests; ++i) {
      // Writes are what begins a flush, so there is none while they are refused. It may fail.
      if (i % 10 == 9 && acknowledged_) store_.Flush().IgnoreError();
      const bool worked = Write(/*must_work=*/false);
      if (!worked || i % 8 == 0) CHECK(store_.CompareWalks(random_, 3) == "");
    }
    const bool failed = faults_->faults() > 0;
    faults_->Heal();
    // A log that met an error is not appended to: then it takes a new start.
    Write(/*must_work=*/trouble.fault == Fault::kNoSpace);
    CHECK(store_.CompareWalks(random_, 3) == "");
    store_.Drop();
    const absl::Status reopened = store_.Open();
    INFO(reopened.ToString());
    REQUIRE(reopened.ok());
    CHECK(store_.Compare() == "");
    Write(/*must_work=*/true);
    return failed;
  }

 private:
  // False when the disk refused.
  bool Write(bool must_work) {
    const Mutations request = workload_.Next();
    const absl::Status status = store_.Apply(request);
    INFO(status.ToString());
    acknowledged_ = status.ok();
    if (status.ok()) return true;
    if (IsRefusal(status)) {
      REQUIRE_FALSE(store_.model().Apply(request).ok());
      return true;
    }
    CHECK(status.code() == absl::StatusCode::kUnavailable);
    CHECK(absl::StrContains(status.message(), "takes no writes"));
    REQUIRE_FALSE(must_work);
    return false;
  }

  const std::unique_ptr<rocksdb::Env> memory_;
  const std::shared_ptr<FaultFileSystem> faults_;
  FaultEnv env_;
  SeededWorkload workload_;
  SeededWorkload random_;
  JudgedStore store_;
  // Whether the last request was.
  bool acknowledged_ = false;
};

TEST_CASE("a file operation that fails stops writes at most, and they resume") {
  constexpr Trouble kTroubles[] = {{Fault::kNoSpace, Lasting::kUntilHealed},
                                   {Fault::kIoError, Lasting::kOnce},
                                   {Fault::kShortWrite, Lasting::kOnce},
                                   {Fault::kIoError, Lasting::kUntilHealed}};
  const CrashRun run;
  uint64_t round = 0;
  uint64_t histories = 0;
  for (; run.HasTimeFor(round); ++round) {
    bool more = true;
    // The step grows with the rounds' first numbers, so that a short run sees all of a history.
    for (uint64_t number = 1 + round % 7; more && run.HasTimeFor(histories); number += 7) {
      for (const Trouble& trouble : kTroubles) {
        CAPTURE(run.seed() + round, number, static_cast<int>(trouble.fault),
                static_cast<int>(trouble.lasting));
        more = Disk(run.SeedOf(round)).Run(number, trouble);
        ++histories;
      }
    }
  }
  WARN(histories << " histories");
}

TEST_CASE("what cannot be read is an error, never a shorter answer") {
  const CrashRun run;
  const std::unique_ptr<rocksdb::Env> memory(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  const auto disk = std::make_shared<FaultFileSystem>(memory->GetFileSystem(), run.seed());
  FaultEnv env(disk);
  SeededWorkload workload(run.seed());
  JudgedStore store("/store", &env, 0);
  REQUIRE(store.Open().ok());
  for (int i = 0; i < 100; ++i) store.Apply(workload.Next()).IgnoreError();
  REQUIRE(store.Flush().ok());
  store.Drop();
  REQUIRE(store.Open().ok());
  disk->FailReads();
  int failed = 0;
  for (const auto& [id, entity] : store.model().state().entities) {
    ExpandParams params;
    params.root_id = id;
    params.limit = 100;
    params.levels = 3;
    params.groups = {"g1", "g2", "g3", "public"};
    const auto graph = Expand(store.graph(), params);
    INFO(graph.status().ToString());
    CHECK_FALSE(graph.ok());
    CHECK(graph.status().code() != absl::StatusCode::kNotFound);
    ++failed;
  }
  CHECK(failed > 0);
  disk->Heal();
  CHECK(store.CompareWalks(workload, 20) == "");
  CHECK(store.Compare() == "");
}

}  // namespace
}  // namespace relations
