#include "storage/rocks/followed_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/base/log.h"
#include "storage/base/public_error.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

// States that walks are still in; each holds what the log held in memory. No more is read until one
// of them is left: a walk ends by its deadline.
constexpr size_t kLeftMax = 4;

}  // namespace

// A view of a moment that keeps it.
class FollowedView final : public GraphView {
 public:
  FollowedView(FollowedStore* store, std::shared_ptr<const FollowedStore::Moment> moment,
               std::unique_ptr<GraphView> view)
      : store_(store), moment_(std::move(moment)), view_(std::move(view)) {}

  absl::StatusOr<std::optional<NodeId>> Resolve(absl::string_view id) override {
    return view_->Resolve(id);
  }
  absl::Status Scan(absl::Span<const ScanRequest> requests, const VisibleClasses& visible,
                    ScanSink& sink) override {
    return view_->Scan(requests, visible, sink);
  }
  absl::Status Get(absl::Span<const NodeId> nodes, EntitySink& sink) override {
    return view_->Get(nodes, sink);
  }
  absl::Status GetPairs(absl::Span<const NodePair> pairs, PairSink& sink) override {
    return view_->GetPairs(pairs, sink);
  }
  absl::StatusOr<absl::string_view> LabelText(LabelId label) override {
    ASSIGN_OR_RETURN(const absl::string_view text, view_->LabelText(label));
    return store_->KeepLabel(label, text);
  }
  absl::StatusOr<const GroupSet*> ClassGroups(ClassId visibility) override {
    ASSIGN_OR_RETURN(const GroupSet* const groups, view_->ClassGroups(visibility));
    return store_->KeepGroups(visibility, *groups);
  }

 private:
  FollowedStore* const store_;
  // Before the view, which reads it to its end.
  const std::shared_ptr<const FollowedStore::Moment> moment_;
  const std::unique_ptr<GraphView> view_;
};

FollowedStore::FollowedStore(Options options) : options_(std::move(options)) {
  options_.database.mode = OpenMode::kFollow;
}

absl::StatusOr<std::unique_ptr<FollowedStore>> FollowedStore::Open(const Options& options) {
  // The constructor is private, which make_unique cannot call.
  std::unique_ptr<FollowedStore> store(new FollowedStore(options));
  ASSIGN_OR_RETURN(std::unique_ptr<RocksDatabase> database,
                   RocksDatabase::Open(store->options_.database));
  store->options_.database.block_cache = database->block_cache();
  store->options_.database.statistics = database->db().GetDBOptions().statistics;
  store->progress_.looked_at = absl::Now();
  RETURN_IF_ERROR(store->Serve(std::move(database), /*from_log=*/false));
  return store;
}

absl::Status FollowedStore::CatchUp() {
  // Those that the last walk has left end here, not in that walk.
  left_.erase(std::remove_if(left_.begin(), left_.end(),
                             [](const auto& moment) { return moment.use_count() == 1; }),
              left_.end());
  const absl::Time now = absl::Now();
  rocksdb::Env& env =
      options_.database.env != nullptr ? *options_.database.env : *rocksdb::Env::Default();
  const auto caught_up = [&]() -> absl::Status {
    if (left_.size() >= kLeftMax) {
      return absl::UnavailableError(absl::StrCat("calls are still in ", kLeftMax, " older states"));
    }
    const absl::StatusOr<PrimaryFiles> files = LookAtPrimary(env, options_.database.directory);
    if (files.ok() && *files == moment()->database->primary_files()) return absl::OkStatus();
    bool from_log = false;
    ASSIGN_OR_RETURN(std::shared_ptr<RocksDatabase> newest, Newest(&from_log));
    return Serve(std::move(newest), from_log);
  };
  const absl::Status status = caught_up();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (status.ok()) {
    progress_.looked_at = now;
  } else {
    ++progress_.failures;
  }
  return status;
}

absl::StatusOr<std::shared_ptr<RocksDatabase>> FollowedStore::Newest(bool* from_log) {
  std::shared_ptr<RocksDatabase> spare = std::move(spare_);
  // A walk that is still in it reads it to the end of its life.
  if (spare != nullptr && spare.use_count() == 1 && spare->CatchUp().ok()) {
    *from_log = true;
    return spare;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<RocksDatabase> opened, RocksDatabase::Open(options_.database));
  return std::shared_ptr<RocksDatabase>(std::move(opened));
}

absl::Status FollowedStore::Serve(std::shared_ptr<RocksDatabase> database, bool from_log) {
  const std::shared_ptr<const Moment> old = moment();
  const uint64_t sequence = database->db().GetLatestSequenceNumber();
  if (old != nullptr && database->store_id() != old->database->store_id()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "there is another store in ", database->directory(), " than before: start anew"));
  }
  if (old != nullptr && sequence < old->database->db().GetLatestSequenceNumber()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store in ", database->directory(), " is older than it was: start anew"));
  }
  auto next = std::make_shared<Moment>();
  ASSIGN_OR_RETURN(next->graph, RocksGraphStore::Open(database.get(), options_.graph));
  next->database = std::move(database);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    moment_ = next;
    if (old != nullptr) {
      const NodeCache::Counts counts = old->graph->node_cache_counts();
      past_hits_ += counts.hits;
      past_misses_ += counts.misses;
    }
    progress_.sequence = sequence;
    ++(from_log ? progress_.from_log : progress_.opened);
  }
  if (old != nullptr) {
    spare_ = old->database;
    left_.push_back(old);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GraphView>> FollowedStore::View() {
  std::shared_ptr<const Moment> now = moment();
  ASSIGN_OR_RETURN(std::unique_ptr<GraphView> view, now->graph->View());
  return std::make_unique<FollowedView>(this, std::move(now), std::move(view));
}

absl::Status FollowedStore::Apply(const Mutations& /*mutations*/) { return ReadOnlyError(); }

absl::StatusOr<std::shared_ptr<const VisibleClasses>> FollowedStore::ClassesVisibleTo(
    const GroupSet& groups) {
  // Of the newest moment: classes are only added, so its own cover those of every view.
  return moment()->graph->ClassesVisibleTo(groups);
}

absl::StatusOr<GraphStats> FollowedStore::Stats() { return moment()->graph->Stats(); }

std::shared_ptr<const FollowedStore::Moment> FollowedStore::moment() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return moment_;
}

FollowedStore::Progress FollowedStore::progress() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return progress_;
}

NodeCache::Counts FollowedStore::node_cache_counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  NodeCache::Counts counts = moment_->graph->node_cache_counts();
  counts.hits += past_hits_;
  counts.misses += past_misses_;
  return counts;
}

absl::string_view FollowedStore::KeepLabel(LabelId label, absl::string_view text) {
  {
    const std::shared_lock<std::shared_mutex> lock(kept_mutex_);
    const auto found = labels_.find(label);
    if (found != labels_.end()) return *found->second;
  }
  const std::lock_guard<std::shared_mutex> lock(kept_mutex_);
  auto& kept = labels_[label];
  if (kept == nullptr) kept = std::make_unique<const std::string>(text);
  return *kept;
}

const GroupSet* FollowedStore::KeepGroups(ClassId visibility, const GroupSet& groups) {
  {
    const std::shared_lock<std::shared_mutex> lock(kept_mutex_);
    const auto found = groups_.find(visibility);
    if (found != groups_.end()) return found->second.get();
  }
  const std::lock_guard<std::shared_mutex> lock(kept_mutex_);
  auto& kept = groups_[visibility];
  if (kept == nullptr) kept = std::make_unique<const GroupSet>(groups);
  return kept.get();
}

}  // namespace relations
