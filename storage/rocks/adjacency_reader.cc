#include "storage/rocks/adjacency_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/varint.h"

namespace relations {
namespace {

// With up to this many visible classes their lists are asked for by key, where filters answer for
// absent lists; with more the node's directory of classes tells which are there.
constexpr size_t kClassesWithoutDirectoryMax = 4;

absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::Slice SliceOf(absl::string_view text) { return {text.data(), text.size()}; }

// class | index | boundary of each list that is not used up.
void AppendToCursor(ClassId visibility, size_t index, absl::string_view boundary,
                    std::string& position) {
  PutU32(static_cast<uint32_t>(visibility), position);
  PutVarint(index, position);
  PutVarint(boundary.size(), position);
  position.append(boundary.data(), boundary.size());
}

}  // namespace

rocksdb::Iterator& AdjacencyReader::iterator() {
  if (iterator_ == nullptr) {
    iterator_.reset(reader_->database().db().NewIterator(
        reader_->read_options(), reader_->database().family(Family::kAdjacency)));
  }
  return *iterator_;
}

absl::Status AdjacencyReader::Scan(absl::Span<const ScanRequest> requests,
                                   const VisibleClasses& visible, ScanSink& sink) {
  std::vector<std::vector<Run>> runs(requests.size());
  RETURN_IF_ERROR(FindHeads(requests, visible, &runs));
  std::vector<AdjacentRelation> merged;
  for (size_t i = 0; i < requests.size(); ++i) {
    merged.clear();
    RETURN_IF_ERROR(Merge(&runs[i], requests[i].limit, &merged));
    std::optional<ScanCursor> next;
    for (const Run& run : runs[i]) {
      if (run.index == run.block.entries.size() && !run.block.more_may_follow) continue;
      if (!next.has_value()) next.emplace();
      AppendToCursor(run.visibility, run.index,
                     absl::string_view(run.key).substr(kListKeyBytes), next->position);
    }
    sink.OnChunk(i, merged, std::move(next));
  }
  return absl::OkStatus();
}

absl::Status AdjacencyReader::FindHeads(absl::Span<const ScanRequest> requests,
                                        const VisibleClasses& visible,
                                        std::vector<std::vector<Run>>* runs) {
  std::vector<NodeCache::Key> keys;
  std::vector<size_t> request_of_key;
  std::vector<ClassId> classes;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].after != nullptr) {
      RETURN_IF_ERROR(Resume(requests[i].node, *requests[i].after, &(*runs)[i]));
      continue;
    }
    ASSIGN_OR_RETURN(const bool by_key, ClassesToRead(requests[i].node, visible, &classes));
    if (!by_key) {
      RETURN_IF_ERROR(LeapfrogHeads(requests[i].node, visible, &(*runs)[i]));
      continue;
    }
    for (const ClassId visibility : classes) {
      keys.push_back({requests[i].node, visibility});
      request_of_key.push_back(i);
    }
  }
  // One batch for all nodes of a level.
  std::vector<NodeCache::Value> values;
  RETURN_IF_ERROR(reader_->Read(keys, &values));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (values[i]->empty()) continue;
    Run& run = (*runs)[request_of_key[i]].emplace_back();
    run.visibility = keys[i].slot;
    run.key = ListKey(keys[i].node, keys[i].slot);
    RETURN_IF_ERROR(DecodeAdjacencyBlock(*values[i], &run.block));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> AdjacencyReader::ClassesToRead(NodeId node, const VisibleClasses& visible,
                                                    std::vector<ClassId>* classes) {
  classes->assign(visible.classes().begin(), visible.classes().end());
  if (classes->size() <= kClassesWithoutDirectoryMax) return true;
  ASSIGN_OR_RETURN(const std::optional<std::vector<ClassId>> present, reader_->Directory(node));
  if (!present.has_value()) return false;
  classes->clear();
  for (const ClassId visibility : *present) {
    if (visible.Contains(visibility)) classes->push_back(visibility);
  }
  return true;
}

absl::Status AdjacencyReader::LeapfrogHeads(NodeId node, const VisibleClasses& visible,
                                            std::vector<Run>* runs) {
  const std::string node_key = NodeKey(node);
  const ClassId* wanted = visible.AtOrAfter(ClassId{0});
  while (wanted != nullptr) {
    const std::string seek = ListKey(node, *wanted);
    iterator().Seek(SliceOf(seek));
    if (!iterator().Valid()) break;
    const absl::string_view key = View(iterator().key());
    if (!absl::StartsWith(key, node_key)) break;
    ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(key));
    if (parsed.visibility == *wanted) {
      Run run;
      run.visibility = parsed.visibility;
      run.key = std::string(key);
      RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator().value()), &run.block));
      runs->push_back(std::move(run));
      if (parsed.visibility == ClassId{UINT32_MAX}) break;
      wanted = visible.AtOrAfter(ClassId{static_cast<uint32_t>(parsed.visibility) + 1});
    } else {
      wanted = visible.AtOrAfter(parsed.visibility);
    }
  }
  return FromRocks(iterator().status(), "scanning adjacency");
}

absl::Status AdjacencyReader::Resume(NodeId node, const ScanCursor& cursor,
                                     std::vector<Run>* runs) {
  absl::string_view rest = cursor.position;
  while (!rest.empty()) {
    uint32_t visibility = 0;
    uint64_t index = 0;
    uint64_t length = 0;
    if (!GetU32(&rest, &visibility) || !GetVarint(&rest, &index) || !GetVarint(&rest, &length) ||
        length > rest.size()) {
      return absl::InternalError("a scan cursor is not one of this store");
    }
    Run run;
    run.visibility = ClassId{visibility};
    run.key = ListKey(node, run.visibility);
    run.key.append(rest.data(), length);
    rest.remove_prefix(length);
    run.index = index;
    rocksdb::PinnableSlice value;
    RETURN_IF_ERROR(FromRocks(
        reader_->database().db().Get(reader_->read_options(),
                                     reader_->database().family(Family::kAdjacency),
                                     SliceOf(run.key), &value),
        "reading adjacency"));
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(value), &run.block));
    if (run.index > run.block.entries.size()) {
      return absl::InternalError("a scan cursor is not one of this view");
    }
    runs->push_back(std::move(run));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> AdjacencyReader::HasHead(Run* run) {
  while (run->index == run->block.entries.size()) {
    if (!run->block.more_may_follow) return false;
    // The next key of the list: nothing lies between a key and the key with a NUL behind it.
    std::string seek = run->key;
    seek += '\0';
    iterator().Seek(SliceOf(seek));
    if (!iterator().Valid() ||
        View(iterator().key()).substr(0, kListKeyBytes) !=
            absl::string_view(run->key).substr(0, kListKeyBytes)) {
      RETURN_IF_ERROR(FromRocks(iterator().status(), "scanning adjacency"));
      run->block.more_may_follow = false;
      return false;
    }
    run->key.assign(iterator().key().data(), iterator().key().size());
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator().value()), &run->block));
    run->index = 0;
  }
  return true;
}

absl::StatusOr<bool> AdjacencyReader::Precedes(const AdjacentRelation& a,
                                               const AdjacentRelation& b) {
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  if (a.neighbour != b.neighbour) {
    ASSIGN_OR_RETURN(const std::string id_a, id_of_(a.neighbour));
    ASSIGN_OR_RETURN(const std::string id_b, id_of_(b.neighbour));
    return id_a < id_b;
  }
  return std::make_tuple(a.direction, a.type, a.mode) < std::make_tuple(b.direction, b.type, b.mode);
}

absl::Status AdjacencyReader::Merge(std::vector<Run>* runs, size_t limit,
                                    std::vector<AdjacentRelation>* merged) {
  std::vector<Run*> live;
  for (Run& run : *runs) {
    ASSIGN_OR_RETURN(const bool has_head, HasHead(&run));
    if (has_head) live.push_back(&run);
  }
  while (!live.empty() && merged->size() < limit) {
    size_t best = 0;
    for (size_t i = 1; i < live.size(); ++i) {
      ASSIGN_OR_RETURN(const bool precedes, Precedes(live[i]->head(), live[best]->head()));
      if (precedes) best = i;
    }
    Run& run = *live[best];
    if (live.size() == 1) {
      const size_t count =
          std::min(limit - merged->size(), run.block.entries.size() - run.index);
      const auto first = run.block.entries.begin() + static_cast<ptrdiff_t>(run.index);
      merged->insert(merged->end(), first, first + static_cast<ptrdiff_t>(count));
      run.index += count;
    } else {
      merged->push_back(run.head());
      ++run.index;
    }
    if (run.index < run.block.entries.size() || merged->size() >= limit) continue;
    ASSIGN_OR_RETURN(const bool has_head, HasHead(&run));
    if (!has_head) live.erase(live.begin() + static_cast<ptrdiff_t>(best));
  }
  return absl::OkStatus();
}

}  // namespace relations
