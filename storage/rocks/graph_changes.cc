// The part of GraphWriter that tells the feed of changes what a batch changes.
#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/base/status_macros.h"
#include "storage/rocks/change_log.h"
#include "storage/rocks/graph_writer.h"
#include "storage/rocks/key_format.h"

namespace relations {
namespace {

auto TypeAndMode(const PairRelation& relation) {
  return std::make_tuple(relation.type, relation.mode);
}

// The class of an entity for those who read: one that is being deleted is not there.
std::optional<ClassId> ClassOf(const WriteOverlay::Entity& entity) {
  if (!entity.exists() || entity.visibility == kNobodyClass) return std::nullopt;
  return entity.visibility;
}

// What happened to the relations from one node to another, both lists ordered by type and mode.
void AddPairChanges(const WriteOverlay::PairNodes& nodes, const WriteOverlay::PairChange& pair,
                    std::vector<LoggedChange>* changes) {
  const auto add = [&](const PairRelation* before, const PairRelation* after) {
    LoggedChange change;
    const PairRelation& either = before != nullptr ? *before : *after;
    change.is_relation = true;
    change.source = nodes.first;
    change.target = nodes.second;
    change.label = either.type;
    change.mode = either.mode;
    if (before != nullptr) change.before = before->visibility;
    if (after != nullptr) change.after = after->visibility;
    change.differs = before != nullptr && after != nullptr && before->last_seen != after->last_seen;
    if (change.before != change.after || change.differs) changes->push_back(std::move(change));
  };
  auto before = pair.before.begin();
  auto after = pair.after.begin();
  while (before != pair.before.end() || after != pair.after.end()) {
    const bool no_before = before == pair.before.end();
    const bool no_after = after == pair.after.end();
    if (no_after || (!no_before && TypeAndMode(*before) < TypeAndMode(*after))) {
      add(&*before++, nullptr);
    } else if (no_before || TypeAndMode(*after) < TypeAndMode(*before)) {
      add(nullptr, &*after++);
    } else {
      add(&*before++, &*after++);
    }
  }
}

}  // namespace

absl::Status GraphWriter::WriteChanges() {
  std::vector<LoggedChange> changes;
  for (const auto& [node, entity] : overlay_.entities()) {
    if (entity.before.record == entity.after.record) continue;
    LoggedChange change;
    change.node = node;
    change.before = ClassOf(entity.before);
    change.after = ClassOf(entity.after);
    if (change.before.has_value() && change.after.has_value()) {
      ASSIGN_OR_RETURN(const EntityRecord before, DecodeEntityRecord(*entity.before.record));
      ASSIGN_OR_RETURN(const EntityRecord after, DecodeEntityRecord(*entity.after.record));
      change.differs = before.wire != after.wire;
    }
    if (change.before == change.after && !change.differs) continue;
    if (change.NeedsId()) change.id = entity.id;
    changes.push_back(std::move(change));
  }
  // In the order in which they were first seen, whatever else is in the batch.
  std::sort(changes.begin(), changes.end(),
            [](const LoggedChange& a, const LoggedChange& b) { return a.node < b.node; });
  for (const auto& [nodes, pair] : overlay_.pairs()) AddPairChanges(nodes, pair, &changes);
  RETURN_IF_ERROR(store_->change_log_.Append(changes, &batch_));
  if (!feed_broken_) return absl::OkStatus();
  return PutRecord(Family::kMeta, kFeedKey, NewFeedName());
}

}  // namespace relations
