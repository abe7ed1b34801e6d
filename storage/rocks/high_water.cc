#include "storage/rocks/high_water.h"

#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

constexpr char kHeader[] = "relations-high-water 1";

}  // namespace

absl::StatusOr<std::optional<HighWater>> ReadHighWater(rocksdb::Env& env,
                                                       const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/", kHighWaterFile);
  if (env.FileExists(path).IsNotFound()) return std::nullopt;
  std::string text;
  RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(&env, path, &text), "reading HIGH_WATER"));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  HighWater high_water;
  if (lines.size() != 4 || lines[0] != kHeader || !lines[3].empty() ||
      !absl::SimpleAtoi(lines[2], &high_water.sequence)) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  high_water.store_id = lines[1];
  return high_water;
}

absl::Status WriteHighWater(rocksdb::Env& env, const std::string& directory,
                            const HighWater& high_water) {
  const std::string path = absl::StrCat(directory, "/", kHighWaterFile);
  const std::string temporary = absl::StrCat(path, ".new");
  const std::string text =
      absl::StrCat(kHeader, "\n", high_water.store_id, "\n", high_water.sequence, "\n");
  RETURN_IF_ERROR(FromRocks(rocksdb::WriteStringToFile(&env, text, temporary, /*should_sync=*/true),
                            "writing a file"));
  RETURN_IF_ERROR(FromRocks(env.RenameFile(temporary, path), "renaming a file"));
  std::unique_ptr<rocksdb::Directory> handle;
  RETURN_IF_ERROR(FromRocks(env.NewDirectory(directory, &handle), "opening the directory"));
  return FromRocks(handle->Fsync(), "syncing the directory");
}

}  // namespace relations
