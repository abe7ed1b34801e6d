#include "storage/rocks/adjacency_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/list_directory.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/slices.h"
#include "storage/varint.h"

namespace relations {
namespace {

// A cursor is kInHead | varint entries of the head that were passed, or kInLists and, of each list
// that is not used up, class | index | boundary.
constexpr char kInHead = 'h';
constexpr char kInLists = 'l';

// The entries of visible lists before `end`, `count` at most, where they are few among hidden ones:
// these cost nothing.
RelationChunk CopyVisible(const NodeValue& head, uint64_t visible_lists, size_t count, size_t end) {
  std::array<uint64_t, NodeValue::kEntriesMax / 64> marks{};
  for (size_t i = 0; i < head.lists().size(); ++i) {
    if ((visible_lists >> i & 1) == 0) continue;
    for (const uint16_t position : head.positions(head.lists()[i])) {
      if (position < end) marks[position / 64] |= uint64_t{1} << position % 64;
    }
  }
  auto memory = std::make_shared_for_overwrite<uint64_t[]>(
      count * (sizeof(NodeId) + sizeof(RelationDetails)) / sizeof(uint64_t));
  auto* const neighbours = reinterpret_cast<NodeId*>(memory.get());
  auto* const details = reinterpret_cast<RelationDetails*>(neighbours + count);
  size_t copied = 0;
  for (size_t word = 0; word * 64 < end; ++word) {
    for (uint64_t left = marks[word]; left != 0; left &= left - 1) {
      const size_t position = word * 64 + static_cast<size_t>(std::countr_zero(left));
      neighbours[copied] = head.neighbours()[position];
      details[copied++] = head.details()[position];
    }
  }
  return {absl::MakeConstSpan(neighbours, copied),
          absl::MakeConstSpan(details, copied),
          {},
          std::move(memory)};
}

absl::Status BadCursor() { return absl::InternalError("a scan cursor is not one of this view"); }

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
  std::vector<NodeId> nodes;
  nodes.reserve(requests.size());
  for (const ScanRequest& wanted : requests) {
    if (wanted.after == nullptr) nodes.push_back(wanted.node);
  }
  RETURN_IF_ERROR(reader_->ReadLists(nodes, visible, &heads_));
  size_t next_head = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    std::vector<Run> runs;
    if (requests[i].after != nullptr) {
      ASSIGN_OR_RETURN(runs, Resume(requests[i].node, *requests[i].after, visible));
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
  // The head is complete only as far as none of its visible lists goes on beyond it.
  size_t end = head->size();
  size_t visible_entries = 0;
  uint64_t visible_lists = 0;
  bool goes_on = false;
  bool all_visible = true;
  // Both are sorted, and most lists can be passed over without a search.
  const ClassId* wanted_class = visible.AtOrAfter(ClassId{0});
  for (size_t i = 0; i < lists.size(); ++i) {
    if (wanted_class != nullptr && *wanted_class < lists[i].visibility) {
      wanted_class = visible.AtOrAfter(lists[i].visibility);
    }
    if (wanted_class == nullptr || *wanted_class != lists[i].visibility) {
      all_visible = false;
      continue;
    }
    visible_lists |= uint64_t{1} << i;
    visible_entries += lists[i].entries;
    if (lists[i].more) {
      end = std::min<size_t>(end, lists[i].end);
      goes_on = true;
    }
  }
  if (visible_entries > wanted.limit) {
    goes_on = true;
    size_t passed = 0;
    for (size_t i = 0; i < end; ++i) {
      passed += visible_lists >> head->list_of_entry()[i] & 1;
      if (passed == wanted.limit) end = i + 1;
    }
  }
  std::optional<ScanCursor> next;
  if (goes_on) {
    next.emplace().position += kInHead;
    PutVarint(end, next->position);
    heads_in_use_[wanted.node] = head;
  }
  if (all_visible || visible_entries * 2 >= end) {
    RelationChunk::Visibility visibility;
    if (!all_visible) visibility = {head->list_of_entry().first(end), visible_lists};
    sink.OnChunk(request,
                 {head->neighbours().first(end), head->details().first(end), visibility, head},
                 std::move(next));
    return;
  }
  const bool is_one = std::has_single_bit(visible_lists);
  const size_t one = is_one ? static_cast<size_t>(std::countr_zero(visible_lists)) : 0;
  if (is_one && lists[one].stands_apart) {
    const NodeValue::List& list = lists[one];
    const absl::Span<const uint16_t> positions = head->positions(list);
    const auto count = static_cast<size_t>(
        std::lower_bound(positions.begin(), positions.end(), end) - positions.begin());
    sink.OnChunk(
        request,
        {head->neighbours_of(list).first(count), head->details_of(list).first(count), {}, head},
        std::move(next));
  } else {
    sink.OnChunk(request, CopyVisible(*head, visible_lists, visible_entries, end), std::move(next));
  }
}

absl::Status AdjacencyReader::ScanRuns(size_t request, const ScanRequest& wanted,
                                       std::vector<Run> runs, ScanSink& sink) {
  chunk_.clear();
  RETURN_IF_ERROR(Merge(&runs, wanted.limit, &chunk_));
  std::optional<ScanCursor> next;
  for (const Run& run : runs) {
    if (run.used_up()) continue;
    if (!next.has_value()) next.emplace().position += kInLists;
    AppendToCursor(run.visibility, run.index, absl::string_view(run.key).substr(kListKeyBytes),
                   next->position);
  }
  sink.OnChunk(request, RelationChunk::Of(chunk_), std::move(next));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AdjacencyReader::Run>> AdjacencyReader::Leapfrog(
    NodeId node, const VisibleClasses& visible) {
  std::vector<Run> runs;
  rocksdb::PinnableSlice stored;
  RETURN_IF_ERROR(Read(DirectoryKey(node), &stored));
  ASSIGN_OR_RETURN(const ListDirectory directory, DecodeListDirectory(View(stored)));
  for (const ListDirectory::List& list : directory.lists) {
    if (list.apart() || !visible.Contains(list.visibility)) continue;
    Run run;
    run.visibility = list.visibility;
    run.key = ListKey(node, list.visibility);
    RETURN_IF_ERROR(DecodeAdjacencyBlock(list.block, &run.block));
    runs.push_back(std::move(run));
  }
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
    NodeId node, const ScanCursor& cursor, const VisibleClasses& visible) {
  absl::string_view rest = cursor.position;
  if (!rest.empty() && rest.front() == kInHead) {
    rest.remove_prefix(1);
    return ResumeBehindHead(node, rest, visible);
  }
  if (rest.empty() || rest.front() != kInLists) return BadCursor();
  rest.remove_prefix(1);
  std::vector<Run> runs;
  while (!rest.empty()) {
    uint32_t visibility = 0;
    uint64_t index = 0;
    uint64_t length = 0;
    if (!GetU32(&rest, &visibility) || !GetVarint(&rest, &index) || !GetVarint(&rest, &length) ||
        length > rest.size()) {
      return BadCursor();
    }
    std::string key = ListKey(node, ClassId{visibility});
    key.append(rest.data(), length);
    rest.remove_prefix(length);
    ASSIGN_OR_RETURN(Run run, StartRun(ClassId{visibility}, std::move(key), index));
    runs.push_back(std::move(run));
  }
  return runs;
}

// Where the lists of a head go on after its first entries.
absl::StatusOr<std::vector<AdjacencyReader::Run>> AdjacencyReader::ResumeBehindHead(
    NodeId node, absl::string_view position, const VisibleClasses& visible) {
  const auto in_use = heads_in_use_.find(node);
  if (in_use == heads_in_use_.end()) return BadCursor();
  const NodeValue& head = *in_use->second;
  uint64_t end = 0;
  if (!GetVarint(&position, &end) || end > head.size() || !position.empty()) return BadCursor();
  std::vector<size_t> passed(head.lists().size(), 0);
  for (size_t i = 0; i < end; ++i) ++passed[head.list_of_entry()[i]];
  std::vector<Run> runs;
  for (size_t i = 0; i < passed.size(); ++i) {
    const NodeValue::List& list = head.lists()[i];
    if (!visible.Contains(list.visibility) || (passed[i] == list.entries && !list.more)) continue;
    ASSIGN_OR_RETURN(Run run, StartRun(list.visibility, ListKey(node, list.visibility), passed[i]));
    runs.push_back(std::move(run));
  }
  return runs;
}

// Reads the block under `key` and goes on to the entry at `index`, counted from that block's first.
absl::StatusOr<AdjacencyReader::Run> AdjacencyReader::StartRun(ClassId visibility, std::string key,
                                                               size_t index) {
  Run run;
  run.visibility = visibility;
  run.key = std::move(key);
  RETURN_IF_ERROR(ReadBlock(run.key, &run.block));
  while (index > run.block.entries.size()) {
    index -= run.block.entries.size();
    run.index = run.block.entries.size();
    ASSIGN_OR_RETURN(const bool has_head, HasHead(&run));
    if (!has_head) return BadCursor();
  }
  run.index = index;
  return run;
}

absl::Status AdjacencyReader::ReadBlock(absl::string_view key, AdjacencyBlock* block) {
  rocksdb::PinnableSlice value;
  RETURN_IF_ERROR(Read(key, &value));
  if (!value.empty()) return DecodeAdjacencyBlock(View(value), block);
  ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(key));
  rocksdb::PinnableSlice stored;
  RETURN_IF_ERROR(Read(DirectoryKey(parsed.node), &stored));
  ASSIGN_OR_RETURN(const ListDirectory directory, DecodeListDirectory(View(stored)));
  const ListDirectory::List* const list = directory.Find(parsed.visibility);
  if (list == nullptr || list->apart() || !parsed.boundary.empty()) {
    return absl::DataLossError(absl::StrCat("an adjacency list of node ",
                                            static_cast<uint64_t>(parsed.node), " lacks a block"));
  }
  return DecodeAdjacencyBlock(list->block, block);
}

absl::Status AdjacencyReader::Read(absl::string_view key, rocksdb::PinnableSlice* value) {
  const RocksDatabase& database = reader_->database();
  const rocksdb::Status status = database.db().Get(
      reader_->read_options(), database.family(Family::kAdjacency), SliceOf(key), value);
  if (status.IsNotFound()) {
    value->Reset();
    return absl::OkStatus();
  }
  return FromRocks(status, "reading adjacency");
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
      ASSIGN_OR_RETURN(const bool precedes, reader_->Precedes(live[i]->head(), live[best]->head()));
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
