#include "storage/write_queue.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/graph_literals.h"
#include "tests/support/model_graph.h"

namespace relations {
namespace {

// A store whose writes wait until they are let through; counts groups.
class GatedGraph final : public GraphStore {
 public:
  absl::StatusOr<std::unique_ptr<GraphView>> View() override { return model.View(); }
  absl::Status Apply(const Mutations& mutations) override { return model.Apply(mutations); }
  std::vector<absl::Status> ApplyGroup(absl::Span<const Mutations* const> group) override {
    std::unique_lock<std::mutex> lock(mutex_);
    groups_.push_back(group.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return model.ApplyGroup(group);
  }
  absl::StatusOr<std::shared_ptr<const VisibleClasses>> ClassesVisibleTo(
      const GroupSet& groups) override {
    return model.ClassesVisibleTo(groups);
  }
  absl::StatusOr<GraphStats> Stats() override { return model.Stats(); }

  void WaitForGroup() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !groups_.empty(); });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::vector<size_t> groups() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return groups_;
  }

  ModelGraph model;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::vector<size_t> groups_;
};

Mutations PutOf(int number) {
  Mutations mutations;
  mutations.entities = {{TestEntity("ip-" + std::to_string(number))}};
  return mutations;
}

TEST_CASE("what comes while a group is written is the next group, within its limits") {
  GatedGraph graph;
  std::vector<int> order;
  {
    WriteQueue queue(&graph, {.group_requests_max = 4, .group_bytes_max = 100});
    const auto submit = [&](int number, size_t bytes) {
      Mutations mutations = PutOf(number);
      WriteQueue::Done done = [&order, number](const absl::Status& status) {
        if (status.ok()) order.push_back(number);
      };
      return queue.TrySubmit(mutations, bytes, done);
    };
    REQUIRE(submit(0, 1));
    graph.WaitForGroup();
    for (int i = 1; i < 6; ++i) REQUIRE(submit(i, 1));
    REQUIRE(submit(6, 98));
    REQUIRE(submit(7, 500));
    REQUIRE(submit(8, 1));
    graph.Open();
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(graph.groups() == std::vector<size_t>{1, 4, 2, 1, 1});
  CHECK(graph.model.state().entities.size() == 9);
}

TEST_CASE("a full queue refuses at once, by number and by bytes, and keeps what it has") {
  GatedGraph graph;
  // Outlives the queue, whose end still reports.
  size_t done_count = 0;
  {
    WriteQueue queue(&graph, {.requests_max = 3, .bytes_max = 10});
    const auto submit = [&](int number, size_t bytes) {
      Mutations mutations = PutOf(number);
      WriteQueue::Done done = [&done_count](const absl::Status&) { ++done_count; };
      const bool accepted = queue.TrySubmit(mutations, bytes, done);
      // What is refused stays the caller's.
      CHECK(mutations.entities.empty() == accepted);
      return accepted;
    };
    REQUIRE(submit(0, 1));
    graph.WaitForGroup();
    CHECK(submit(1, 8));
    CHECK_FALSE(submit(2, 3));
    CHECK(submit(3, 1));
    CHECK(submit(4, 1));
    CHECK_FALSE(submit(5, 0));
    CHECK(queue.Apply(PutOf(6), 0).code() == absl::StatusCode::kUnavailable);
    graph.Open();
  }
  CHECK(done_count == 4);
  CHECK(graph.model.state().entities.size() == 4);
}

TEST_CASE("every request gets its own status") {
  GatedGraph graph;
  graph.Open();
  WriteQueue queue(&graph);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&queue, i] {
      for (int j = 0; j < 50; ++j) {
        Mutations mutations = PutOf(100 * i + j);
        if (j % 2 == 1) mutations.relations = {TestRelation("ip-no", "ip-none")};
        const absl::Status status = queue.Apply(std::move(mutations), 100);
        if (status.ok() != (j % 2 == 0)) std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(graph.model.state().entities.size() == 8 * 25);
}

}  // namespace
}  // namespace relations
