#include "storage/rocks/adjacency_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/varint.h"

namespace relations {
namespace {

// With up to this many visible classes their lists are read by key, all nodes of a level in one
// batch, where filters answer for lists that are not there; with more the heads of all lists are
// read at once.
constexpr size_t kClassesByKeyMax = 2;

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

absl::Status AdjacencyReader::Scan(absl::Span<const ScanRequest> requests,
                                   const VisibleClasses& visible, ScanSink& sink) {
  const absl::Span<const ClassId> classes = visible.classes();
  const bool by_key = classes.size() <= kClassesByKeyMax;
  if (by_key) {
    std::vector<NodeCache::Key> keys;
    keys.reserve(requests.size() * classes.size());
    for (const ScanRequest& wanted : requests) {
      for (const ClassId visibility : classes) keys.push_back({wanted.node, visibility});
    }
    RETURN_IF_ERROR(reader_->Read(keys, &heads_));
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    std::vector<Run> runs;
    if (requests[i].after != nullptr) {
      ASSIGN_OR_RETURN(runs, Resume(requests[i].node, *requests[i].after));
    } else if (by_key) {
      for (size_t k = 0; k < classes.size(); ++k) {
        const NodePart& head = *heads_[i * classes.size() + k];
        if (head.lists.empty()) continue;
        Run& run = runs.emplace_back();
        run.visibility = classes[k];
        run.key = ListKey(requests[i].node, classes[k]);
        run.block.entries = head.entries;
        run.block.more_may_follow = head.lists[0].more;
      }
    } else {
      ASSIGN_OR_RETURN(const bool done, ScanHead(i, requests[i], visible, sink));
      if (done) continue;
      ASSIGN_OR_RETURN(runs, Leapfrog(requests[i].node, visible));
    }
    RETURN_IF_ERROR(ScanRuns(i, requests[i], std::move(runs), sink));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> AdjacencyReader::ScanHead(size_t request, const ScanRequest& wanted,
                                               const VisibleClasses& visible, ScanSink& sink) {
  ASSIGN_OR_RETURN(const NodeCache::Value head, reader_->ReadAllLists(wanted.node, id_of_));
  if (head->too_many_lists) return false;
  const size_t lists = head->lists.size();
  // Of each list: whether it is visible, and how much of it was passed.
  std::vector<std::pair<bool, size_t>> state(lists);
  for (size_t i = 0; i < lists; ++i) {
    state[i].first = visible.Contains(head->lists[i].visibility);
  }
  chunk_.clear();
  // The head is complete only as far as none of its visible lists goes on beyond it.
  bool complete = true;
  for (size_t i = 0; i < lists; ++i) {
    if (state[i].first && head->lists[i].entries == 0 && head->lists[i].more) complete = false;
  }
  for (size_t i = 0; complete && i < head->entries.size(); ++i) {
    const size_t list = head->list_of_entry[i];
    if (!state[list].first) continue;
    if (chunk_.size() == wanted.limit) break;
    chunk_.push_back(head->entries[i]);
    if (++state[list].second == head->lists[list].entries && head->lists[list].more) {
      complete = false;
    }
  }
  std::optional<ScanCursor> next;
  for (size_t i = 0; i < lists; ++i) {
    const NodePart::List& list = head->lists[i];
    if (!state[i].first || (state[i].second == list.entries && !list.more)) continue;
    if (!next.has_value()) next.emplace();
    AppendToCursor(list.visibility, state[i].second, {}, next->position);
  }
  sink.OnChunk(request, chunk_, std::move(next));
  return true;
}

absl::Status AdjacencyReader::ScanRuns(size_t request, const ScanRequest& wanted,
                                       std::vector<Run> runs, ScanSink& sink) {
  chunk_.clear();
  RETURN_IF_ERROR(Merge(&runs, wanted.limit, &chunk_));
  std::optional<ScanCursor> next;
  for (const Run& run : runs) {
    if (run.used_up()) continue;
    if (!next.has_value()) next.emplace();
    AppendToCursor(run.visibility, run.index, absl::string_view(run.key).substr(kListKeyBytes),
                   next->position);
  }
  sink.OnChunk(request, chunk_, std::move(next));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AdjacencyReader::Run>> AdjacencyReader::Leapfrog(
    NodeId node, const VisibleClasses& visible) {
  std::vector<Run> runs;
  rocksdb::Iterator& iterator = reader_->adjacency_iterator();
  const std::string node_key = NodeKey(node);
  const ClassId* wanted = visible.AtOrAfter(ClassId{0});
  while (wanted != nullptr) {
    const std::string seek = ListKey(node, *wanted);
    iterator.Seek(SliceOf(seek));
    if (!iterator.Valid()) break;
    const absl::string_view key = View(iterator.key());
    if (!absl::StartsWith(key, node_key)) break;
    ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(key));
    if (parsed.visibility == *wanted) {
      Run run;
      run.visibility = parsed.visibility;
      run.key = std::string(key);
      RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator.value()), &run.block));
      runs.push_back(std::move(run));
      if (parsed.visibility == ClassId{UINT32_MAX}) break;
      wanted = visible.AtOrAfter(ClassId{static_cast<uint32_t>(parsed.visibility) + 1});
    } else {
      wanted = visible.AtOrAfter(parsed.visibility);
    }
  }
  RETURN_IF_ERROR(FromRocks(iterator.status(), "scanning adjacency"));
  return runs;
}

absl::StatusOr<std::vector<AdjacencyReader::Run>> AdjacencyReader::Resume(
    NodeId node, const ScanCursor& cursor) {
  std::vector<Run> runs;
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
    RETURN_IF_ERROR(
        FromRocks(reader_->database().db().Get(reader_->read_options(),
                                               reader_->database().family(Family::kAdjacency),
                                               SliceOf(run.key), &value),
                  "reading adjacency"));
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(value), &run.block));
    if (run.index > run.block.entries.size()) {
      return absl::InternalError("a scan cursor is not one of this view");
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

absl::StatusOr<bool> AdjacencyReader::HasHead(Run* run) {
  while (run->index == run->block.entries.size()) {
    if (!run->block.more_may_follow) return false;
    rocksdb::Iterator& iterator = reader_->adjacency_iterator();
    // The next key of the list: nothing lies between a key and the key with a NUL behind it.
    std::string seek = run->key;
    seek += '\0';
    iterator.Seek(SliceOf(seek));
    if (!iterator.Valid() || View(iterator.key()).substr(0, kListKeyBytes) !=
                                 absl::string_view(run->key).substr(0, kListKeyBytes)) {
      RETURN_IF_ERROR(FromRocks(iterator.status(), "scanning adjacency"));
      run->block.more_may_follow = false;
      return false;
    }
    run->key.assign(iterator.key().data(), iterator.key().size());
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator.value()), &run->block));
    run->index = 0;
  }
  return true;
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
      ASSIGN_OR_RETURN(const bool precedes, Precedes(live[i]->head(), live[best]->head(), id_of_));
      if (precedes) best = i;
    }
    Run& run = *live[best];
    if (live.size() == 1) {
      const size_t count = std::min(limit - merged->size(), run.block.entries.size() - run.index);
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
