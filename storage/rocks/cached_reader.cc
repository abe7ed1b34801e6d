#include "storage/rocks/cached_reader.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

// Beyond so many a directory of classes saves nothing over leaping from one to the next.
constexpr size_t kDirectoryClassesMax = 64;
// Stands for a directory with more.
constexpr absl::string_view kTooMany = "+";

absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::shared_ptr<const rocksdb::Snapshot> TakeSnapshot(rocksdb::DB& db) {
  return {db.GetSnapshot(),
          [&db](const rocksdb::Snapshot* snapshot) { db.ReleaseSnapshot(snapshot); }};
}

}  // namespace

CachedReader::CachedReader(const RocksDatabase* database, NodeCache* cache)
    : database_(database),
      cache_(cache),
      ticket_(cache->TakeTicket()),
      snapshot_(TakeSnapshot(database->db())),
      sequence_(snapshot_->GetSequenceNumber()) {
  read_options_.snapshot = snapshot_.get();
}

absl::Status CachedReader::Read(absl::Span<const NodeCache::Key> keys,
                                std::vector<NodeCache::Value>* values) {
  values->assign(keys.size(), nullptr);
  std::vector<size_t> entities;
  std::vector<size_t> lists;
  for (size_t i = 0; i < keys.size(); ++i) {
    (*values)[i] = cache_->Find(keys[i], sequence_);
    if ((*values)[i] != nullptr) continue;
    (keys[i].slot == NodeCache::kEntitySlot ? entities : lists).push_back(i);
  }
  RETURN_IF_ERROR(ReadMissing(keys, Family::kEntities, entities, values));
  return ReadMissing(keys, Family::kAdjacency, lists, values);
}

absl::Status CachedReader::ReadMissing(absl::Span<const NodeCache::Key> keys, Family family,
                                       const std::vector<size_t>& missing,
                                       std::vector<NodeCache::Value>* values) {
  if (missing.empty()) return absl::OkStatus();
  std::vector<std::string> raw_keys;
  raw_keys.reserve(missing.size());
  for (const size_t i : missing) {
    raw_keys.push_back(family == Family::kEntities ? NodeKey(keys[i].node)
                                                   : ListKey(keys[i].node, keys[i].slot));
  }
  const std::vector<rocksdb::Slice> slices(raw_keys.begin(), raw_keys.end());
  std::vector<rocksdb::PinnableSlice> found(missing.size());
  std::vector<rocksdb::Status> statuses(missing.size());
  database_->db().MultiGet(read_options_, database_->family(family), missing.size(),
                           slices.data(), found.data(), statuses.data());
  for (size_t i = 0; i < missing.size(); ++i) {
    if (!statuses[i].ok() && !statuses[i].IsNotFound()) {
      return FromRocks(statuses[i], absl::StrCat("reading family ", FamilyName(family)));
    }
    const absl::string_view value = statuses[i].ok() ? View(found[i]) : absl::string_view();
    (*values)[missing[i]] = cache_->Insert(keys[missing[i]], value, ticket_, sequence_);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::vector<ClassId>>> CachedReader::Directory(NodeId node) {
  const NodeCache::Key key{node, NodeCache::kDirectorySlot};
  NodeCache::Value value = cache_->Find(key, sequence_);
  if (value == nullptr) {
    ASSIGN_OR_RETURN(const std::string listed, ListClasses(node));
    value = cache_->Insert(key, listed, ticket_, sequence_);
  }
  if (*value == kTooMany) return std::nullopt;
  std::vector<ClassId> classes;
  absl::string_view rest = *value;
  for (uint32_t number = 0; GetU32(&rest, &number);) classes.push_back(ClassId{number});
  return classes;
}

absl::StatusOr<std::string> CachedReader::ListClasses(NodeId node) {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_->db().NewIterator(read_options_, database_->family(Family::kAdjacency)));
  const std::string node_key = NodeKey(node);
  std::string listed;
  size_t count = 0;
  iterator->Seek(node_key);
  while (iterator->Valid() && absl::StartsWith(View(iterator->key()), node_key)) {
    ASSIGN_OR_RETURN(const AdjacencyKey parsed, ParseAdjacencyKey(View(iterator->key())));
    if (++count > kDirectoryClassesMax) return std::string(kTooMany);
    const auto number = static_cast<uint32_t>(parsed.visibility);
    PutU32(number, listed);
    if (number == UINT32_MAX) break;
    iterator->Seek(ListKey(node, ClassId{number + 1}));
  }
  RETURN_IF_ERROR(FromRocks(iterator->status(), "scanning adjacency"));
  return listed;
}

}  // namespace relations
