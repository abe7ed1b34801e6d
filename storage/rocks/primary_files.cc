#include "storage/rocks/primary_files.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/status_macros.h"
#include "storage/rocks/rocks_status.h"

namespace relations {
namespace {

// Of a file that another process may remove at any time.
absl::Status ReadingFailed(const rocksdb::Status& status, const std::string& path) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound() || status.IsPathNotFound()) {
    return absl::UnavailableError(absl::StrCat(path, " was removed while it was looked at"));
  }
  return FromRocks(status, absl::StrCat("looking at ", path));
}

}  // namespace

absl::StatusOr<PrimaryFiles> LookAtPrimary(rocksdb::Env& env, const std::string& directory) {
  PrimaryFiles files;
  const std::string current = absl::StrCat(directory, "/CURRENT");
  if (env.FileExists(current).IsNotFound()) {
    return absl::NotFoundError(absl::StrCat("there is no store at ", directory));
  }
  RETURN_IF_ERROR(
      ReadingFailed(rocksdb::ReadFileToString(&env, current, &files.manifest), current));
  absl::StripTrailingAsciiWhitespace(&files.manifest);
  const std::string manifest = absl::StrCat(directory, "/", files.manifest);
  RETURN_IF_ERROR(ReadingFailed(env.GetFileSize(manifest, &files.manifest_bytes), manifest));
  std::vector<std::string> children;
  RETURN_IF_ERROR(ReadingFailed(env.GetChildren(directory, &children), directory));
  for (const std::string& child : children) {
    absl::string_view name = child;
    uint64_t number = 0;
    if (!absl::ConsumeSuffix(&name, ".log") || !absl::SimpleAtoi(name, &number)) continue;
    uint64_t bytes = 0;
    const std::string log = absl::StrCat(directory, "/", child);
    RETURN_IF_ERROR(ReadingFailed(env.GetFileSize(log, &bytes), log));
    files.logs.emplace(number, bytes);
  }
  return files;
}

bool IsOneMoment(const PrimaryFiles& before, const PrimaryFiles& after) {
  return before.manifest == after.manifest && before.manifest_bytes == after.manifest_bytes &&
         std::all_of(before.logs.begin(), before.logs.end(),
                     [&](const auto& log) { return after.logs.count(log.first) != 0; });
}

}  // namespace relations
