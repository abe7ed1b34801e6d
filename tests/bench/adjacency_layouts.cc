#include "tests/bench/adjacency_layouts.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/write_batch.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/adjacency_block.h"
#include "storage/rocks/key_format.h"
#include "storage/rocks/rocks_status.h"
#include "tests/bench/draw.h"

namespace relations::bench {
namespace {

absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

uint64_t HashOf(NodeId neighbour) { return Mix(static_cast<uint64_t>(neighbour)); }

// The hash's first bytes order as the ids do, but for the rare pair that shares them.
uint32_t TokenOf(NodeId neighbour) { return static_cast<uint32_t>(HashOf(neighbour) >> 32); }

class KeyPerEntry final : public AdjacencyLayout {
 public:
  using AdjacencyLayout::AdjacencyLayout;

  std::string name() const override { return "key per entry"; }

  absl::Status Load(NodeId node, absl::Span<const AdjacentRelation> entries) override {
    rocksdb::WriteBatch batch;
    for (const AdjacentRelation& entry : entries) {
      RETURN_IF_ERROR(FromRocks(batch.Put(KeyOf(node, entry), ValueOf(entry)), "filling a batch"));
    }
    return FromRocks(database_->Write(rocksdb::WriteOptions(), &batch), "writing");
  }

  absl::Status ReadHead(NodeId node, size_t limit,
                        std::vector<AdjacentRelation>* entries) override {
    entries->clear();
    if (iterator_ == nullptr) iterator_.reset(database_->NewIterator(rocksdb::ReadOptions()));
    const std::string prefix = ListKey(node, kPublicClass);
    for (iterator_->Seek(prefix); iterator_->Valid() && entries->size() < limit;
         iterator_->Next()) {
      absl::string_view key = View(iterator_->key());
      if (!absl::StartsWith(key, prefix)) break;
      key.remove_prefix(prefix.size());
      uint32_t inverted_seconds = 0;
      uint32_t token = 0;
      uint64_t neighbour = 0;
      const rocksdb::Slice value = iterator_->value();
      if (!GetU32(&key, &inverted_seconds) || !GetU32(&key, &token) || !GetU64(&key, &neighbour) ||
          value.size() != 2) {
        return absl::DataLossError("not a key of this layout");
      }
      AdjacentRelation& entry = entries->emplace_back();
      entry.last_seen = absl::FromUnixSeconds(~inverted_seconds);
      entry.neighbour = NodeId{neighbour};
      entry.type = LabelId{static_cast<uint8_t>(value[1])};
      entry.direction = static_cast<Direction>(value[0] & 1);
      entry.mode = static_cast<RelationMode>(value[0] >> 1 & 1);
    }
    return FromRocks(iterator_->status(), "scanning");
  }

  absl::Status Insert(NodeId node, const AdjacentRelation& entry) override {
    return FromRocks(database_->Put(rocksdb::WriteOptions(), KeyOf(node, entry), ValueOf(entry)),
                     "writing");
  }

  void EndView() override { iterator_.reset(); }

 private:
  // Whole seconds of 1970 to 2106 do for a comparison.
  static std::string KeyOf(NodeId node, const AdjacentRelation& entry) {
    std::string key = ListKey(node, kPublicClass);
    PutU32(~static_cast<uint32_t>(absl::ToUnixSeconds(entry.last_seen)), key);
    PutU32(TokenOf(entry.neighbour), key);
    PutU64(static_cast<uint64_t>(entry.neighbour), key);
    return key;
  }
  static std::string ValueOf(const AdjacentRelation& entry) {
    const auto flags = static_cast<uint8_t>(static_cast<uint8_t>(entry.direction) |
                                            static_cast<uint8_t>(entry.mode) << 1);
    return {static_cast<char>(flags), static_cast<char>(entry.type)};
  }

  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class PackedBlocks final : public AdjacencyLayout {
 public:
  PackedBlocks(rocksdb::DB* database, size_t block_entries)
      : AdjacencyLayout(database), block_entries_(block_entries) {}

  std::string name() const override { return absl::StrCat("blocks of ", block_entries_); }

  absl::Status Load(NodeId node, absl::Span<const AdjacentRelation> entries) override {
    rocksdb::WriteBatch batch;
    for (size_t begin = 0; begin < entries.size(); begin += block_entries_) {
      const bool is_last = begin + block_entries_ >= entries.size();
      RETURN_IF_ERROR(FromRocks(
          batch.Put(begin == 0 ? ListKey(node, kPublicClass) : SplitKey(node, entries[begin]),
                    EncodeAdjacencyBlock(entries.subspan(begin, block_entries_), !is_last)),
          "filling a batch"));
    }
    return FromRocks(database_->Write(rocksdb::WriteOptions(), &batch), "writing");
  }

  absl::Status ReadHead(NodeId node, size_t limit,
                        std::vector<AdjacentRelation>* entries) override {
    rocksdb::PinnableSlice value;
    RETURN_IF_ERROR(
        FromRocks(database_->Get(rocksdb::ReadOptions(), database_->DefaultColumnFamily(),
                                 ListKey(node, kPublicClass), &value),
                  "reading"));
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(value), &block_));
    block_.entries.resize(std::min(limit, block_.entries.size()));
    entries->swap(block_.entries);
    return absl::OkStatus();
  }

  absl::Status Insert(NodeId node, const AdjacentRelation& entry) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(
        database_->NewIterator(rocksdb::ReadOptions()));
    iterator->SeekForPrev(SplitKey(node, entry));
    const std::string list_key = ListKey(node, kPublicClass);
    if (!iterator->Valid() || !absl::StartsWith(View(iterator->key()), list_key)) {
      return absl::DataLossError("a list has no first block");
    }
    RETURN_IF_ERROR(DecodeAdjacencyBlock(View(iterator->value()), &block_));
    std::vector<AdjacentRelation>& entries = block_.entries;
    entries.insert(std::lower_bound(entries.begin(), entries.end(), entry, Precedes), entry);
    const absl::Span<const AdjacentRelation> all = entries;
    rocksdb::WriteBatch batch;
    const size_t kept = all.size() > block_entries_ ? all.size() / 2 : all.size();
    rocksdb::Status status = batch.Put(
        iterator->key(),
        EncodeAdjacencyBlock(all.subspan(0, kept), block_.more_may_follow || kept < all.size()));
    if (status.ok() && kept < all.size()) {
      status = batch.Put(SplitKey(node, all[kept]),
                         EncodeAdjacencyBlock(all.subspan(kept), block_.more_may_follow));
    }
    RETURN_IF_ERROR(FromRocks(status, "filling a batch"));
    return FromRocks(database_->Write(rocksdb::WriteOptions(), &batch), "writing");
  }

 private:
  static std::string SplitKey(NodeId node, const AdjacentRelation& first) {
    return absl::StrCat(ListKey(node, kPublicClass),
                        Boundary(first.last_seen, LayoutId(first.neighbour)));
  }

  const size_t block_entries_;
  AdjacencyBlock block_;
};

}  // namespace

std::string LayoutId(NodeId neighbour) {
  const uint64_t hash = HashOf(neighbour);
  return absl::StrCat(
      "ip-", absl::Hex(hash, absl::kZeroPad16), absl::Hex(Mix(hash + 1), absl::kZeroPad16),
      absl::Hex(Mix(hash + 2), absl::kZeroPad16), absl::Hex(Mix(hash + 3), absl::kZeroPad16));
}

bool Precedes(const AdjacentRelation& a, const AdjacentRelation& b) {
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  return std::make_tuple(HashOf(a.neighbour), a.direction, a.type, a.mode) <
         std::make_tuple(HashOf(b.neighbour), b.direction, b.type, b.mode);
}

std::unique_ptr<AdjacencyLayout> MakeKeyPerEntry(rocksdb::DB* database) {
  return std::make_unique<KeyPerEntry>(database);
}

std::unique_ptr<AdjacencyLayout> MakePackedBlocks(rocksdb::DB* database, size_t block_entries) {
  return std::make_unique<PackedBlocks>(database, block_entries);
}

}  // namespace relations::bench
