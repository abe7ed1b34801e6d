#include "storage/rocks/rocks_graph_store.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/log.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/degree_sample.h"
#include "storage/rocks/graph_writer.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_graph_view.h"

namespace relations {
namespace {

// Principals are few; when more distinct group sets than this were seen the cache starts anew.
constexpr size_t kVisibleCacheMax = 4096;

// Enough that the 99th percentile stands for some twenty entities.
constexpr size_t kDegreeSamples = 2000;

absl::StatusOr<uint64_t> ReadNumber(const RocksDatabase& database, absl::string_view key,
                                    uint64_t otherwise) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, database.Get(Family::kMeta, key));
  if (!value.has_value()) return otherwise;
  return DecodeNumber(*value);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksGraphStore>> RocksGraphStore::Open(RocksDatabase* database,
                                                                       const Options& options) {
  std::unique_ptr<RocksGraphStore> store(new RocksGraphStore(database, options));
  RETURN_IF_ERROR(store->Load());
  return store;
}

absl::Status RocksGraphStore::Load() {
  ASSIGN_OR_RETURN(next_node_, ReadNumber(*database_, kNextNodeKey, 1));
  ASSIGN_OR_RETURN(relation_count_, ReadNumber(*database_, kRelationCountKey, 0));
  const absl::string_view prefix = kEntityCountPrefix;
  RETURN_IF_ERROR(database_->ForEach(
      Family::kMeta, prefix, [&](absl::string_view key, absl::string_view value) -> absl::Status {
        ASSIGN_OR_RETURN(const uint64_t count, DecodeNumber(value));
        entities_by_type_.emplace(key.substr(prefix.size()), count);
        return absl::OkStatus();
      }));
  RETURN_IF_ERROR(database_->ForEach(Family::kMeta, kRevisionPrefix,
                                     [&](absl::string_view key, absl::string_view) -> absl::Status {
                                       ASSIGN_OR_RETURN(const NodeId node, NodeOfRevisionKey(key));
                                       revisions_.insert(node);
                                       return absl::OkStatus();
                                     }));
  RETURN_IF_ERROR(change_log_.Load());
  // Class 0 is in the table from the start and is not on disk.
  RETURN_IF_ERROR(database_->ForEach(
      Family::kVisibility, {}, [&](absl::string_view key, absl::string_view value) -> absl::Status {
        ASSIGN_OR_RETURN(const uint32_t number, NumberOfKey(key));
        ASSIGN_OR_RETURN(GroupSet groups, DecodeGroups(value));
        if (ClassId{number} != classes_.next() || classes_.Find(groups) != nullptr) {
          return absl::DataLossError(
              absl::StrCat("visibility class ", number, " is out of order or repeated"));
        }
        classes_.Add(std::move(groups));
        return absl::OkStatus();
      }));
  return database_->ForEach(Family::kLabels, {},
                            [&](absl::string_view key, absl::string_view value) -> absl::Status {
                              ASSIGN_OR_RETURN(const uint32_t number, NumberOfKey(key));
                              if (number != labels_.size() ||
                                  !label_ids_.emplace(std::string(value), LabelId{number}).second) {
                                return absl::DataLossError(
                                    absl::StrCat("label ", number, " is out of order or repeated"));
                              }
                              labels_.emplace_back(value);
                              return absl::OkStatus();
                            });
}

absl::StatusOr<std::unique_ptr<GraphView>> RocksGraphStore::View() {
  return std::make_unique<RocksGraphView>(this);
}

absl::Status RocksGraphStore::Apply(const Mutations& mutations) {
  const Mutations* const group[] = {&mutations};
  return ApplyGroup(group).front();
}

std::vector<absl::Status> RocksGraphStore::ApplyGroup(absl::Span<const Mutations* const> group) {
  std::vector<absl::Status> statuses(group.size());
  size_t begin = 0;
  while (begin < group.size()) {
    if (GraphWriter::StandsAlone(*group[begin])) {
      statuses[begin] = ApplyAlone(*group[begin]);
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < group.size() && !GraphWriter::StandsAlone(*group[end])) ++end;
    ApplyTogether(group.subspan(begin, end - begin),
                  absl::MakeSpan(statuses).subspan(begin, end - begin));
    begin = end;
  }
  const absl::Status continued = ContinueRevision();
  if (!continued.ok()) LogError("revision not continued", {{"cause", continued.ToString()}});
  return statuses;
}

absl::Status RocksGraphStore::ApplyAlone(const Mutations& mutations) {
  absl::flat_hash_set<NodeId> unfinished;
  {
    const std::lock_guard<FairMutex> lock(writer_mutex_);
    GraphWriter writer(this);
    RETURN_IF_ERROR(writer.Add(mutations));
    RETURN_IF_ERROR(writer.Write());
    unfinished = writer.unfinished();
  }
  for (const NodeId node : unfinished) {
    bool more = true;
    while (more) {
      const std::lock_guard<FairMutex> lock(writer_mutex_);
      if (!revisions_.contains(node)) break;
      GraphWriter writer(this);
      RETURN_IF_ERROR(writer.AddRevision(node));
      RETURN_IF_ERROR(writer.Write());
      more = !writer.unfinished().empty();
    }
  }
  return absl::OkStatus();
}

void RocksGraphStore::ApplyTogether(absl::Span<const Mutations* const> group,
                                    absl::Span<absl::Status> statuses) {
  absl::Status together;
  bool io_failed = false;
  {
    const std::lock_guard<FairMutex> lock(writer_mutex_);
    GraphWriter writer(this);
    together = writer.Prepare(group);
    for (size_t i = 0; i < group.size() && together.ok(); ++i) statuses[i] = writer.Add(*group[i]);
    if (together.ok()) together = writer.Write();
    // What the disk refused it would refuse again, and more slowly.
    io_failed = writer.reached_disk();
  }
  if (together.ok()) return;
  if (group.size() == 1 || io_failed) {
    for (absl::Status& status : statuses) status.Update(together);
    return;
  }
  for (size_t i = 0; i < group.size(); ++i) {
    ApplyTogether(group.subspan(i, 1), statuses.subspan(i, 1));
  }
}

absl::Status RocksGraphStore::ContinueRevision() {
  const std::lock_guard<FairMutex> lock(writer_mutex_);
  if (revisions_.empty()) return absl::OkStatus();
  GraphWriter writer(this);
  RETURN_IF_ERROR(writer.AddRevision(*revisions_.begin()));
  return writer.Write();
}

absl::StatusOr<std::shared_ptr<const VisibleClasses>> RocksGraphStore::ClassesVisibleTo(
    const GroupSet& groups) {
  {
    const std::shared_lock<std::shared_mutex> lock(tables_mutex_);
    const auto found = visible_cache_.find(groups);
    if (found != visible_cache_.end()) return found->second;
  }
  const std::lock_guard<std::shared_mutex> lock(tables_mutex_);
  auto visible = classes_.VisibleTo(groups);
  if (visible_cache_.size() >= kVisibleCacheMax) visible_cache_.clear();
  visible_cache_[groups] = visible;
  return visible;
}

absl::StatusOr<GraphStats> RocksGraphStore::Stats() {
  GraphStats stats;
  {
    const std::shared_lock<std::shared_mutex> lock(tables_mutex_);
    stats.relations = relation_count_;
    for (const auto& [type, count] : entities_by_type_) {
      if (count == 0) continue;
      stats.entities_by_type.emplace(type, count);
      stats.entities += count;
    }
  }
  ASSIGN_OR_RETURN(stats.degrees, SampleDegrees(*database_, kDegreeSamples));
  const NodeCache::Counts nodes = cache_.counts();
  stats.caches["nodes"] = {cache_.capacity_bytes(), nodes.bytes, nodes.hits, nodes.misses};
  stats.caches["blocks"] = {database_->block_cache_capacity(), database_->block_cache_bytes(), 0,
                            0};
  for (size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    stats.bytes_by_family.emplace(FamilyName(family), database_->BytesOnDisk(family));
  }
  return stats;
}

}  // namespace relations
