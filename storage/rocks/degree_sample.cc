#include "storage/rocks/degree_sample.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"

namespace relations {
namespace {

// Stops at the cap.
absl::StatusOr<uint64_t> CountEntries(rocksdb::Iterator& lists, absl::string_view node_key) {
  uint64_t count = 0;
  for (lists.Seek({node_key.data(), node_key.size()});
       lists.Valid() && absl::StartsWith(View(lists.key()), node_key) &&
       count < DegreeStats::kCountedMax;
       lists.Next()) {
    ASSIGN_OR_RETURN(const AdjacencyKey key, ParseAdjacencyKey(View(lists.key())));
    size_t entries = 0;
    if (key.is_directory()) {
      ASSIGN_OR_RETURN(const ListDirectory directory, DecodeListDirectory(View(lists.value())));
      ASSIGN_OR_RETURN(entries, DirectoryEntries(directory));
    } else {
      ASSIGN_OR_RETURN(entries, AdjacencyBlockEntries(View(lists.value())));
    }
    count += entries;
  }
  RETURN_IF_ERROR(FromRocks(lists.status(), "scanning adjacency"));
  return std::min<uint64_t>(count, DegreeStats::kCountedMax);
}

}  // namespace

absl::StatusOr<DegreeStats> SampleDegrees(const RocksDatabase& database, size_t samples) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> entities(
      database.db().NewIterator(options, database.family(Family::kEntities)));
  const std::unique_ptr<rocksdb::Iterator> lists(
      database.db().NewIterator(options, database.family(Family::kAdjacency)));
  // Nodes are dense; where one is gone the next one that is there is taken.
  uint64_t nodes = 0;
  entities->SeekToLast();
  if (entities->Valid()) {
    ASSIGN_OR_RETURN(const NodeId last, NodeOfKey(View(entities->key())));
    nodes = static_cast<uint64_t>(last);
  }
  const uint64_t count = std::min<uint64_t>(nodes, samples);
  std::vector<uint64_t> degrees;
  std::string last;
  for (uint64_t i = 0; i < count; ++i) {
    entities->Seek(NodeKey(NodeId{1 + i * nodes / count}));
    if (!entities->Valid()) break;
    const std::string key = entities->key().ToString();
    if (key == last) continue;
    last = key;
    ASSIGN_OR_RETURN(const uint64_t degree, CountEntries(*lists, key));
    degrees.push_back(degree);
  }
  RETURN_IF_ERROR(FromRocks(entities->status(), "scanning entities"));

  DegreeStats stats;
  if (degrees.empty()) return stats;
  std::sort(degrees.begin(), degrees.end());
  const auto percentile = [&](size_t percent) {
    return degrees[(degrees.size() - 1) * percent / 100];
  };
  stats.sampled = degrees.size();
  stats.median = percentile(50);
  stats.p90 = percentile(90);
  stats.p99 = percentile(99);
  stats.most = degrees.back();
  return stats;
}

}  // namespace relations
