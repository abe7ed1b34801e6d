#include "storage/import/stix_graph.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"

namespace relations {
namespace {

std::optional<absl::Time> OwnTime(const StixObject& object) {
  return std::max(object.timestamp, object.last_seen);
}

// When a statement of `object` was made or, of a sighting, what it says was seen.
std::optional<absl::Time> StatementTime(const StixObject& object) {
  const auto& first = object.type == "sighting" ? object.last_seen : object.timestamp;
  return first.has_value() ? first : OwnTime(object);
}

// Calls `visit` with each reference of `object` that makes relations.
template <typename Visit>
void ForEachReference(const StixObject& object, Visit visit) {
  for (const std::string& ref : object.stands_for_refs) {
    visit(ref);
  }
  for (const StixStatement& statement : object.statements) {
    if (!statement.source_ref.empty()) {
      visit(statement.source_ref);
    }
    visit(statement.target_ref);
  }
}

}  // namespace

StixGraph::StixGraph(StixEntries entries, absl::flat_hash_set<std::string> revoked_ids)
    : revoked_ids_(std::move(revoked_ids)) {
  for (std::unique_ptr<StixEntry>& entry : entries) {
    std::vector<StixObject> embedded = std::move(entry->object.embedded);
    const std::string file = entry->file;
    items_.push_back(std::make_unique<Item>(Item{std::move(entry), {}}));
    for (StixObject& object : embedded) {
      items_.push_back(std::make_unique<Item>(
          Item{std::make_unique<StixEntry>(StixEntry{std::move(object), file, 0}), {}}));
    }
  }
  for (const auto& item : items_) {
    if (!item->entry->object.id.empty()) {
      by_id_[item->entry->object.id].push_back(item.get());
    }
  }
}

absl::Status StixGraph::Emit(ImportRun& run) {
  DateByMention();
  for (const auto& item : items_) {
    RETURN_IF_ERROR(DraftItem(*item, run));
  }
  for (const auto& item : items_) {
    RETURN_IF_ERROR(DraftStatements(*item, run));
  }
  return draft_.Emit(run);
}

void StixGraph::DateByMention() {
  // Twice: from observed data to traffic, from traffic to addresses.
  for (int round = 0; round < 2; ++round) {
    absl::flat_hash_map<absl::string_view, absl::Time> mentioned;
    for (const auto& item : items_) {
      if (const auto time = OwnTime(item->entry->object)) {
        ForEachReference(item->entry->object, [&](const std::string& ref) {
          absl::Time& latest = mentioned.try_emplace(ref, *time).first->second;
          latest = std::max(latest, *time);
        });
      }
    }
    for (const auto& item : items_) {
      StixObject& object = item->entry->object;
      const auto mention = mentioned.find(object.id);
      if (!OwnTime(object).has_value() && mention != mentioned.end()) {
        object.timestamp = mention->second;
      }
    }
  }
}

absl::Status StixGraph::DraftItem(Item& item, ImportRun& run) {
  const StixObject& object = item.entry->object;
  const ImportPosition position = PositionOf(*item.entry);
  for (const std::string& kind : object.skipped) {
    run.Skip(kind);
  }
  for (const std::string& reason : object.rejections) {
    RETURN_IF_ERROR(run.Reject(position, reason));
  }
  const Mention mention = {object.timestamp, object.last_seen, object.tags};
  for (const TypedValue& part : object.parts) {
    item.nodes.push_back(draft_.AddEntity(part, mention, position));
  }
  for (const std::vector<size_t>& thing : object.things) {
    std::vector<Node> parts;
    for (const size_t index : thing) {
      parts.push_back(item.nodes[index]);
    }
    RETURN_IF_ERROR(draft_.RelateParts(parts, object.timestamp, position));
  }
  return absl::OkStatus();
}

absl::Status StixGraph::DraftStatements(const Item& item, ImportRun& run) {
  const StixObject& object = item.entry->object;
  const ImportPosition position = PositionOf(*item.entry);
  const std::optional<absl::Time> time = StatementTime(object);
  // Each once, though an object may say a thing in two ways.
  absl::flat_hash_set<absl::string_view> unknown;
  ForEachReference(object, [&](const std::string& ref) {
    if (!IsKnown(ref) && unknown.insert(ref).second) {
      run.Dangling();
    }
  });
  for (const StixStatement& statement : object.statements) {
    if (unknown.contains(statement.source_ref) || unknown.contains(statement.target_ref)) {
      continue;
    }
    const absl::StatusOr<std::vector<Node>> sources =
        statement.source_ref.empty() ? EntitiesOf(item) : EntitiesOf(statement.source_ref);
    const absl::StatusOr<std::vector<Node>> targets = EntitiesOf(statement.target_ref);
    if (!sources.ok() || !targets.ok()) {
      RETURN_IF_ERROR(
          run.Reject(position, (sources.ok() ? targets.status() : sources.status()).message()));
    } else if (sources->size() * targets->size() > limits::kImportPairsMax) {
      RETURN_IF_ERROR(run.Reject(position, absl::StrCat("more than ", limits::kImportPairsMax,
                                                        " pairs of entities in one relation")));
    } else if (sources->empty() || targets->empty()) {
      run.Skip("relation with an end that is no entity");
    } else {
      for (const Node source : *sources) {
        for (const Node target : *targets) {
          RETURN_IF_ERROR(draft_.AddRelation(source, target, statement.type, time, position));
        }
      }
    }
  }
  return absl::OkStatus();
}

bool StixGraph::IsKnown(absl::string_view id) const {
  return by_id_.contains(id) || revoked_ids_.contains(id);
}

absl::StatusOr<std::vector<StixGraph::Node>> StixGraph::EntitiesOf(absl::string_view id) const {
  const auto items = by_id_.find(id);
  return items == by_id_.end() ? std::vector<Node>() : Closure(items->second);
}

absl::StatusOr<std::vector<StixGraph::Node>> StixGraph::EntitiesOf(const Item& item) const {
  return Closure({&item});
}

absl::StatusOr<std::vector<StixGraph::Node>> StixGraph::Closure(
    std::vector<const Item*> reached) const {
  std::vector<Node> nodes;
  absl::flat_hash_set<const Item*> seen(reached.begin(), reached.end());
  for (size_t next = 0; next < reached.size(); ++next) {
    const Item& item = *reached[next];
    for (const size_t index : item.entry->object.stands_for) {
      nodes.push_back(item.nodes[index]);
    }
    for (const std::string& ref : item.entry->object.stands_for_refs) {
      const auto items = by_id_.find(ref);
      if (items == by_id_.end()) continue;
      for (const Item* const other : items->second) {
        if (seen.insert(other).second) reached.push_back(other);
      }
    }
    if (nodes.size() > limits::kImportPairsMax || reached.size() > limits::kImportPairsMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("an end stands for more than ", limits::kImportPairsMax, " entities"));
    }
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

}  // namespace relations
