#include "storage/base/file_stamp.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace relations {

std::string FileStamp(const std::string& path) {
  struct stat status = {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return "";
  return absl::StrCat(status.st_ino, ".", status.st_size, ".", status.st_mtim.tv_sec, ".",
                      status.st_mtim.tv_nsec);
}

}  // namespace relations
