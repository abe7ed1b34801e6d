// Text between Abseil and RocksDB: each way a view of the same bytes.
#pragma once

#include "absl/strings/string_view.h"
#include "rocksdb/slice.h"

namespace relations {

inline absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

inline rocksdb::Slice SliceOf(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace relations
