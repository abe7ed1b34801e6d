#include "storage/rocks/adjacency_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "storage/varint.h"

namespace relations {
namespace {

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

// Where the visible lists of a head go on; empty when they end with it.
std::optional<ScanCursor> CursorAfter(absl::Span<const NodeValue::List> lists,
                                      absl::Span<const uint8_t> visible_lists,
                                      absl::Span<const uint32_t> passed) {
  std::optional<ScanCursor> next;
  for (size_t i = 0; i < lists.size(); ++i) {
    if (visible_lists[i] == 0 || (passed[i] == lists[i].entries && !lists[i].more)) continue;
    if (!next.has_value()) next.emplace();
    AppendToCursor(lists[i].visibility, passed[i], {}, next->position);
  }
  return next;
}

// The entries of visible lists among the first `end` of a head, `limit` at most; counts them by
// list.
RelationChunk CopyVisible(const NodeValue& head, absl::Span<const uint8_t> visible_lists,
                          size_t limit, size_t end, absl::InlinedVector<uint32_t, 64>* passed) {
  // The memory of both columns. One entry more: every entry is written, and counts if it is
  // visible.
  const size_t room = limit + 1;
  auto memory = std::make_shared_for_overwrite<uint64_t[]>(
      room * (sizeof(NodeId) + sizeof(RelationDetails)) / sizeof(uint64_t));
  auto* const neighbours = reinterpret_cast<NodeId*>(memory.get());
  auto* const details = reinterpret_cast<RelationDetails*>(neighbours + room);
  const uint8_t* const list_of_entry = head.list_of_entry().data();
  size_t count = 0;
  for (size_t i = 0; i < end && count < limit; ++i) {
    const uint8_t is_visible = visible_lists[list_of_entry[i]];
    neighbours[count] = head.neighbours()[i];
    details[count] = head.details()[i];
    count += is_visible;
    (*passed)[list_of_entry[i]] += is_visible;
  }
  return {absl::MakeConstSpan(neighbours, count), absl::MakeConstSpan(details, count),
          std::move(memory)};
}

}  // namespace

absl::Status AdjacencyReader::Scan(absl::Span<const ScanRequest> requests,
                                   const VisibleClasses& visible, ScanSink& sink) {
  std::vector<NodeId> nodes;
  nodes.reserve(requests.size());
  for (const ScanRequest& wanted : requests) {
    if (wanted.after == nullptr) nodes.push_back(wanted.node);
  }
  RETURN_IF_ERROR(reader_->ReadLists(nodes, id_of_, &heads_));
  size_t next_head = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    std::vector<Run> runs;
    if (requests[i].after != nullptr) {
      ASSIGN_OR_RETURN(runs, Resume(requests[i].node, *requests[i].after));
    } else {
      const NodeCache::Value head = std::move(heads_[next_head++]);
      if (!head->too_many_lists()) {
        ScanHead(i, requests[i], head, visible, sink);
        continue;
      }
      ASSIGN_OR_RETURN(runs, Leapfrog(requests[i].node, visible));
    }
    RETURN_IF_ERROR(ScanRuns(i, requests[i], std::move(runs), sink));
  }
  return absl::OkStatus();
}

void AdjacencyReader::ScanHead(size_t request, const ScanRequest& wanted,
                               const NodeCache::Value& head, const VisibleClasses& visible,
                               ScanSink& sink) {
  const absl::Span<const NodeValue::List> lists = head->lists();
  // Of each list: 1 when it is visible, and how much of it was passed.
  absl::InlinedVector<uint8_t, 64> visible_lists(lists.size());
  absl::InlinedVector<uint32_t, 64> passed(lists.size(), 0);
  // The head is complete only as far as none of its visible lists goes on beyond it.
  size_t end = head->size();
  size_t visible_entries = 0;
  size_t visible_count = 0;
  bool whole = true;
  for (size_t i = 0; i < lists.size(); ++i) {
    if (!visible.Contains(lists[i].visibility)) continue;
    visible_lists[i] = 1;
    ++visible_count;
    visible_entries += lists[i].entries;
    if (lists[i].more) {
      end = std::min<size_t>(end, lists[i].end);
      whole = false;
    }
  }
  whole = whole && visible_entries <= wanted.limit;
  RelationChunk chunk;
  if (visible_count == lists.size()) {
    end = std::min(end, wanted.limit);
    chunk = RelationChunk(head->neighbours().first(end), head->details().first(end), head);
    for (size_t i = 0; !whole && i < end; ++i) ++passed[head->list_of_entry()[i]];
  } else if (visible_entries != 0) {
    chunk =
        CopyVisible(*head, visible_lists, std::min(visible_entries, wanted.limit), end, &passed);
  }
  sink.OnChunk(request, std::move(chunk),
               whole ? std::nullopt : CursorAfter(lists, visible_lists, passed));
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
  sink.OnChunk(request, RelationChunk::Of(chunk_), std::move(next));
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
