// The file HIGH_WATER beside a database: how far the store is known to have come.
//
//   text: "relations-high-water 1\n<store id>\n<sequence>\n"
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/env.h"

namespace relations {

// Its name, which that of its temporary file begins with.
inline constexpr char kHighWaterFile[] = "HIGH_WATER";

struct HighWater {
  std::string store_id;
  // The last sequence number known to be durable.
  uint64_t sequence = 0;
};

// Nothing when the file is not there; DATA_LOSS when it is not what it should be.
absl::StatusOr<std::optional<HighWater>> ReadHighWater(rocksdb::Env& env,
                                                       const std::string& directory);

// Temporary file, fsync, rename, fsync of the directory: after a crash the file is the old or the
// new one.
absl::Status WriteHighWater(rocksdb::Env& env, const std::string& directory,
                            const HighWater& high_water);

}  // namespace relations
